"""Every convention comes with alerts, panels and runbooks that fit what it declares."""

import subprocess
from pathlib import Path

import pytest
from tests.watchkeeper.conventions.service import EVERYTHING

from watchkeeper.contract import Part
from watchkeeper.conventions import http, llm
from watchkeeper.errors import ContractError
from watchkeeper.promql import parse, selectors
from watchkeeper.render import documents

GOLDEN = Path(__file__).parent / "golden"
OF_THE_TARGET = {"job", "instance", "service"}
OF_THE_SCRAPE = {"up"}


def expressions(part: Part) -> list[str]:
    panels = [panel for row in part.rows for panel in row.panels]
    return [
        *(rule.expression for rule in part.rule_group.rules),
        *(query.expression for panel in panels for query in panel.queries),
    ]


def rendered(name: str) -> str:
    (document,) = (one for one in documents(EVERYTHING) if str(one.path) == name)
    return document.text


@pytest.mark.parametrize("part", EVERYTHING.parts, ids=lambda part: part.name)
def test_a_part_asks_only_for_what_it_declares(part):
    for expression in expressions(part):
        for selector in selectors(parse(expression)):
            if selector.name in OF_THE_SCRAPE:
                continue
            metrics = [one for one in part.signals.metrics if selector.name in one.sample_names]
            assert metrics, f"{selector.name} is not declared by {part.name}"
            labels = {*metrics[0].label_names, *OF_THE_TARGET, "__name__", "le"}
            assert {matcher.name for matcher in selector.matchers} <= labels


@pytest.mark.parametrize("part", EVERYTHING.parts, ids=lambda part: part.name)
def test_every_alert_of_a_part_has_a_runbook(part):
    assert [book.alert for book in part.runbooks] == [alert.name for alert in part.alerts]


def test_the_rules_are_the_golden_ones():
    rules = rendered("prometheus/rules/everything.yml")
    assert rules == (GOLDEN / "rules.yml").read_text("utf-8")


def test_the_dashboard_is_the_golden_one():
    dashboard = rendered("grafana/dashboards/everything-overview.json")
    assert dashboard == (GOLDEN / "overview.json").read_text("utf-8")


def test_promtool_accepts_the_golden_rules(program):
    command = [program("promtool"), "check", "rules", str(GOLDEN / "rules.yml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("convention", [http, llm])
def test_a_quantile_beyond_the_last_bucket_is_refused(convention):
    with pytest.raises(ContractError, match="its buckets end at"):
        convention.watched(slow_seconds=1000)
