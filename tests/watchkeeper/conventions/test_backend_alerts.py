"""The alerts on the backend itself: on metrics that there are, with runbooks, and they fire."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from watchkeeper.check.rule_tests import test_rules as failures_of
from watchkeeper.cli import main
from watchkeeper.clock import SystemClock
from watchkeeper.contract import Metric
from watchkeeper.conventions import backend
from watchkeeper.conventions.backend_alerts import ALERTS, CONTRACT
from watchkeeper.render import documents

ROOT = Path(__file__).parents[3]
MODULE = "watchkeeper.conventions.backend_alerts"
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


def test_all_of_them_are_proved_and_slips_would_be_noticed():
    result = CliRunner().invoke(main, ["prove", f"{MODULE}:CONTRACT"])
    assert f"\n{len(ALERTS)} of {len(ALERTS)} alerts proved" in result.output
    assert result.exit_code == 0


def test_its_rules_are_rendered_once_as_any_others():
    paths = [document.path for document in documents(CONTRACT)]
    assert len(paths) == len(set(paths))
    assert {"prometheus/rules/watchkeeper.yml", "kubernetes/prometheusrule-watchkeeper.yml"} <= {
        str(path) for path in paths
    }
