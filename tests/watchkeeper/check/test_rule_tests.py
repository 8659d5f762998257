"""`watchkeeper test rules`: promtool's files, promtool's verdicts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from watchkeeper.check.rule_tests import test_rules as run_rule_tests
from watchkeeper.cli import main
from watchkeeper.errors import ConfigError
from watchkeeper.testing import FakeClock

RULES = """
groups:
  - name: recorded
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
  - name: alerts
    rules:
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page}
        annotations:
          summary: "{{ $labels.instance }} is down, value {{ $value }}"
      - alert: Slow
        expr: histogram_quantile(0.9, rate(wait_bucket[5m])) > 1
        keep_firing_for: 3m
"""

GOOD = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'up{job="api", instance="a"}'
        values: '1 1 0 0 0 0 1 1'
      - series: 'up{job="api", instance="b"}'
        values: '1x8'
    alert_rule_test:
      - {eval_time: 3m, alertname: Down}
      - eval_time: 4m30s
        alertname: Down
        exp_alerts:
          - exp_labels: {severity: page, job: api, instance: a}
            exp_annotations: {summary: "a is down, value 0"}
      - {eval_time: 7m, alertname: Down}
    promql_expr_test:
      - expr: job:up:sum
        eval_time: 3m
        exp_samples:
          - {labels: 'job:up:sum{job="api"}', value: 1}
      - expr: count(ALERTS)
        eval_time: 2m
        exp_samples:
          - {labels: '{}', value: 1}
      - expr: vector(1.5) + time()
        eval_time: 5m
        exp_samples:
          - {value: 301.5}
      - expr: nothing
        eval_time: 5m
"""

WRONG = {
    "a value": GOOD.replace("value: 1}", "value: 2}", 1),
    "a label": GOOD.replace("instance: a}", "instance: b}"),
    "an annotation": GOOD.replace("value 0", "value 1"),
    "an alert too soon": GOOD.replace("eval_time: 4m30s", "eval_time: 3m30s"),
    "an alert that is not expected": GOOD.replace("eval_time: 7m", "eval_time: 5m"),
    "a sample that is missing": GOOD.replace("expr: nothing", "expr: up"),
    "an expression that does not parse": GOOD.replace("expr: nothing", "expr: sum("),
    "a key that is not known": GOOD.replace("alertname: Down}", "alert_name: Down}", 1),
    "values that are none": GOOD.replace("'1x8'", "'1y8'"),
    "an alert without a name": GOOD.replace(", alertname: Down}", "}", 1),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "rules.yml").write_text(RULES)
    return tmp_path


def verdict(path: Path) -> bool:
    return CliRunner().invoke(main, ["test", "rules", str(path)]).exit_code == 0


def promtool_verdict(promtool: str, path: Path) -> bool:
    command = [promtool, "test", "rules", str(path)]
    return subprocess.run(command, capture_output=True).returncode == 0


def test_a_good_file_passes(place: Path) -> None:
    (place / "test.yml").write_text(GOOD)
    assert run_rule_tests(place / "test.yml", clock=FakeClock()) == []


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_fails(place: Path, what: str) -> None:
    path = place / "test.yml"
    path.write_text(WRONG[what])
    assert not verdict(path)


def test_a_failure_says_what_was_expected_and_what_was_found(place: Path) -> None:
    path = place / "test.yml"
    path.write_text(WRONG["a value"])
    answer = CliRunner().invoke(main, ["test", "rules", str(path)])
    assert "expr: 'job:up:sum', time: 3m" in answer.output
    assert 'expected: {__name__="job:up:sum", job="api"} 2.0' in answer.output
    assert 'found:    {__name__="job:up:sum", job="api"} 1.0' in answer.output


def test_several_files_have_a_verdict_each(place: Path) -> None:
    (place / "good.yml").write_text(GOOD)
    (place / "bad.yml").write_text(WRONG["a label"])
    arguments = ["test", "rules", str(place / "bad.yml"), str(place / "good.yml")]
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 1
    assert "bad.yml: FAILED" in answer.output
    assert "good.yml: SUCCESS" in answer.output


def test_a_histogram_is_compared(place: Path) -> None:
    path = place / "test.yml"
    text = """
tests:
  - interval: 1m
    input_series:
      - {series: h, values: '{{schema:0 sum:5 count:4 buckets:[1 2 1]}}x5'}
    promql_expr_test:
      - expr: h
        eval_time: 2m
        exp_samples:
          - {labels: h, histogram: '{{schema:0 sum:5 count:4 buckets:[1 2 COUNT]}}'}
"""
    path.write_text(text.replace("COUNT", "1"))
    assert verdict(path)
    path.write_text(text.replace("COUNT", "3"))
    assert not verdict(path)


def test_groups_are_evaluated_in_the_order_asked_for(place: Path) -> None:
    (place / "rules.yml").write_text(
        "groups:\n"
        "  - {name: second, rules: [{record: b, expr: a + 1}]}\n"
        "  - {name: first, rules: [{record: a, expr: vector(1)}]}\n"
    )
    question = """
    promql_expr_test:
      - {expr: b, eval_time: 0s, exp_samples: [{labels: b, value: 2}]}
"""
    path = place / "test.yml"
    path.write_text("rule_files: [rules.yml]\ntests:\n  - interval: 1m" + question)
    assert not verdict(path)
    path.write_text(
        "rule_files: [rules.yml]\ngroup_eval_order: [first, second]\ntests:\n  - interval: 1m"
        + question
    )
    assert verdict(path)


def test_a_broken_rule_file_is_named(place: Path) -> None:
    (place / "rules.yml").write_text("groups: [{name: a, rules: [{record: b, expr: 'sum('}]}]")
    (place / "test.yml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"rules\.yml at \$\.groups\[0\]\.rules\[0\]\.expr"):
        run_rule_tests(place / "test.yml", clock=FakeClock())


@pytest.mark.parametrize("what", ["nothing", *WRONG])
def test_promtool_gives_the_same_verdict(
    place: Path, what: str, program: Callable[[str], str]
) -> None:
    # Debian's promtool is older than `keep_firing_for`.
    (place / "rules.yml").write_text(RULES.replace("        keep_firing_for: 3m\n", ""))
    path = place / "test.yml"
    path.write_text(GOOD if what == "nothing" else WRONG[what])
    assert verdict(path) == promtool_verdict(program("promtool"), path)
