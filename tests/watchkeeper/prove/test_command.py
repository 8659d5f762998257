"""`watchkeeper prove` on the contract that is shipped, and what promtool says of its proofs."""

import json
import shutil

import pytest
from click.testing import CliRunner

from watchkeeper.cli import main

SHIPPED = "resume_optimizer.telemetry:CONTRACT"
SHORT = ("HighErrorRate", "HighResponseTime", "DatabaseConnectionIssues", "LLMCostHigh", "Watchdog")


def invoke(*arguments):
    return CliRunner().invoke(main, ["prove", SHIPPED, *arguments])


@pytest.mark.timeout(600)
def test_everything_that_is_shipped_is_proved_told_and_shown():
    result = invoke("--no-mutation", "--json")
    found = json.loads(result.output)
    assert [one["alert"] for one in found["alerts"] if one["standing"] == "unproved"] == []
    assert [one["faults"] for one in found["alerts"] if one["faults"]] == []
    assert [one for one in found["panels"] if one["fault"]] == []
    assert len(found["panels"]) > 50
    assert result.exit_code == 0


def test_one_alert_is_proved_by_its_name():
    result = invoke("HighErrorRate", "--no-mutation")
    first = result.output.splitlines()[0]
    assert first == (
        "HighErrorRate: fires 6m40s after the fault (2m after it first holds); silent with 49 of"
        " 1000 http_requests_total; told to critical-alerts (webhook, slack, email, pagerduty)"
    )
    assert result.exit_code == 0


def test_a_name_that_no_alert_has_is_refused():
    result = invoke("Nobody")
    assert result.exit_code == 2
    assert "there is no alert 'Nobody'" in result.output


@pytest.mark.timeout(600)
def test_the_score_of_the_shipped_alerts_is_high_enough():
    result = invoke(*SHORT, "--json")
    assert json.loads(result.output)["mutation"]["score"] >= 0.95
    assert result.exit_code == 0


def test_a_rule_that_cannot_be_proved_makes_the_command_fail(tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "groups:\n- name: one\n  rules:\n  - alert: HighErrorRate\n"
        "    expr: 'rate(http_requests_total{status=~\"5..\"}[5m]) > 0.1'\n",
        encoding="utf-8",
    )
    result = invoke("--rules", str(rules), "--no-mutation")
    assert result.exit_code == 1
    assert "HighErrorRate: UNPROVED\n    http_requests_total has no label status" in result.output


@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_agrees_with_the_proofs(tmp_path):
    result = invoke(
        *SHORT,
        "TargetDown",
        "AvailabilityFastBurn",
        "LlmDailyAtRisk",
        "--no-mutation",
        "--promtool",
        str(tmp_path),
    )
    assert "8 files written; promtool agrees" in result.output
    assert result.exit_code == 0


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_disagrees_with_a_rule_that_slipped(tmp_path):
    from watchkeeper.prove import run_promtool

    invoke("HighErrorRate", "--no-mutation", "--promtool", str(tmp_path))
    rules = tmp_path / "HighErrorRate.rules.yml"
    rules.write_text(rules.read_text("utf-8").replace("> 0.05", "> 0.06"), encoding="utf-8")
    assert "FAILED" in (run_promtool([tmp_path / "HighErrorRate.test.yml"]) or "")
