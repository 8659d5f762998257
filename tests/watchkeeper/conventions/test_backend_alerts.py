"""The alerts on the backend itself: on metrics that there are, with runbooks, and they fire."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from watchkeeper.check.rule_tests import test_rules as failures_of
from watchkeeper.clock import SystemClock
from watchkeeper.contract import Metric
from watchkeeper.conventions import backend
from watchkeeper.conventions.backend_alerts import ALERTS, CONTRACT

ROOT = Path(__file__).parents[3]
CASES = sorted(Path(__file__).parent.glob("*.test.yml"))


@pytest.mark.parametrize("cases", CASES, ids=lambda path: path.stem)
def test_each_fires_when_it_must_and_not_before(cases: Path):
    assert failures_of(cases, clock=SystemClock()) == []


def test_promtool_comes_to_the_same_verdict(program: Callable[[str], str]):
    command = [program("promtool"), "test", "rules", *map(str, CASES)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_is_on_declared_metrics_and_has_a_runbook(alert):
    declared = {metric.name for metric in CONTRACT.signals.metrics}
    assert set(re.findall(r"watchkeeper_\w+", alert.expression)) <= declared
    assert any(f'{{alertname="{alert.name}"}}' in path.read_text() for path in CASES)
    assert f"\n## {alert.name}\n" in (ROOT / "docs/runbooks.md").read_text("utf-8")


def test_every_metric_of_the_module_is_among_the_signals():
    metrics = {one for one in vars(backend).values() if isinstance(one, Metric)}
    assert metrics == set(backend.SIGNALS.metrics)
