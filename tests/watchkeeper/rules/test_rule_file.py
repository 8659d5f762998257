"""Rule files: what Prometheus would refuse is refused, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchkeeper.errors import ConfigError, QuerySyntaxError
from watchkeeper.rules import AlertingRule, RecordingRule, load_rules

GOOD = """
groups:
  - name: service
    interval: 1m
    limit: 10
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {kind: sum}
      - alert: Down
        expr: up == 0
        for: 1m
        keep_firing_for: 5m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.job }} is down"}
"""


def test_a_rule_file_is_read(read_rules) -> None:
    [group] = read_rules(GOOD)
    recording, alerting = group.rules
    assert (group.name, group.interval_seconds, group.limit) == ("service", 60, 10)
    assert recording == RecordingRule(
        name="job:up:sum", expression="sum by (job) (up)", labels={"kind": "sum"}
    )
    assert isinstance(alerting, AlertingRule)
    assert (alerting.for_seconds, alerting.keep_firing_for_seconds) == (60, 300)
    assert alerting.annotations["summary"].source == "{{ $labels.job }} is down"


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("for: 1m", "fro: 1m", r"\$\.groups\[0\]\.rules\[1\].*fro"),
        ("interval: 1m", "interval: often", r"\$\.groups\[0\]\.interval.*often"),
        ("alert: Down", "alert: Down\n        record: a", r"rules\[1\].*either"),
        ("record: job:up:sum", "record: 'job up'", r"rules\[0\]\.record.*metric name"),
        ("labels: {kind: sum}", "for: 5m", r"rules\[0\].*`for` belongs to alerts"),
        ("severity:", "se-verity:", r"rules\[1\].*se-verity"),
        ("severity:", "__name__:", r"rules\[1\].*__name__"),
        ("$labels.job", "$label.job", r"rules\[1\]\.annotations\.summary.*line 1.*\$label"),
        ("expr: up == 0", "expr: ''", r"rules\[1\]\.expr.*empty"),
        ("limit: 10", "limit: 10\n    limit: 11", "line 6.*given twice"),
    ],
)
def test_a_mistake_is_named_with_its_place(read_rules, wrong, right, complaint) -> None:
    assert wrong in GOOD
    with pytest.raises(ConfigError, match=complaint) as raised:
        read_rules(GOOD.replace(wrong, right, 1))
    assert "rules.yml" in str(raised.value)


def test_a_group_is_declared_once(read_rules) -> None:
    with pytest.raises(ConfigError, match=r"\$\.groups\[1\].*given twice"):
        read_rules("groups: [{name: a}, {name: a}]")


def test_an_expression_is_checked_by_whoever_can(tmp_path: Path) -> None:
    def parse(text: str) -> None:
        if text == "up == 0":
            raise QuerySyntaxError("no zeros, please")

    (tmp_path / "rules.yml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"rules\[1\]\.expr: no zeros"):
        load_rules([tmp_path / "rules.yml"], parse=parse)


def test_an_empty_file_has_no_groups(read_rules) -> None:
    assert read_rules("") == ()
