"""The faults that a well-meant guide has, in its own text and in one written like it."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SHARED = REPOSITORY.parent / "shared" / "guide"
FAULTY = Path(__file__).parent / "faulty"
SUFFIXES = {"python": "py", "yaml": "yml", "json": "json"}

FAULTS = [
    ("undeclared-label", "alert HighErrorRate", "'status'"),
    ("undeclared-label", "panel 'Error Rate'", "'status'"),
    ("self-division", "alert HighErrorRate", "the ratio is 1"),
    ("self-division", "panel 'Error Rate'", "the ratio is 1"),
    ("self-division", "panel 'Success Rate'", "the ratio is 1"),
    ("undeclared-label", "alert LLMAPIFailures", "'status'"),
    ("absence-unhandled", "alert DatabaseConnectionIssues", "db_connections_active"),
    ("busy-set-to-total", "metric db_connections_active", "get_size()"),
    ("mixed-kinds", "alert HighMemoryUsage", "type"),
    ("legend-alike", "panel 'Memory Usage'", "type"),
    ("failures-without-total", "alert JobProcessingFailures", "360 failures an hour"),
    ("no-target-alert", "group", "`up`"),
    ("no-absence-alert", "group", "absent"),
    ("no-watchdog", "group", "always"),
    ("alert-without-runbook", "alert HighResponseTime", "runbook_url"),
    ("no-objective", "group", "burn rates"),
    ("cost-unwatched", "alerts", "llm_cost_usd_total"),
    ("removed-panel-type", "panel 'Request Rate'", "'graph'"),
    ("removed-panel-type", "panel 'Error Rate'", "'singlestat'"),
    ("wrapped-dashboard", "dashboard", "HTTP API"),
    ("panel-without-data-source", "panel 'Request Rate'", "data source"),
    ("dashboard-without-uid", "dashboard", "uid"),
    ("panel-without-unit", "panel 'Request Rate'", "unit"),
    ("panel-without-description", "panel 'Request Rate'", "description"),
    ("panel-without-thresholds", "panel 'Error Rate'", "good"),
    ("declared-never-set", "metric optimization_success_rate", "nothing records it"),
    ("unbounded-label", "metric api_rate_limit_hits_total", "user_id"),
    ("critical-without-pager", "receiver critical-alerts", "nobody is woken"),
    ("recovery-not-sent", "receiver critical-alerts", "slack"),
    ("recovery-not-sent", "receiver critical-alerts", "email"),
    ("no-inhibition", "inhibition", "there is none"),
    ("deprecated-match", "route", "`match`"),
    ("secret-in-file", "`smtp_auth_password`", "secret"),
    ("secret-in-file", "`api_url`", "webhook"),
]
"""Check, the beginning of the subject, and a part of the message."""


def files_of_the_guide() -> dict[str, str]:
    text = "\n".join(path.read_text("utf-8") for path in sorted(SHARED.glob("0*.txt")))
    blocks = re.findall(r"```(python|yaml|json)\n(.*?)```", text, re.DOTALL)
    return {
        f"{number}.{SUFFIXES[language]}": body for number, (language, body) in enumerate(blocks)
    }


def own_files() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(FAULTY.iterdir())}


@pytest.mark.parametrize("files", [files_of_the_guide, own_files], ids=["guide", "ours"])
def test_each_fault_of_the_guide_is_found(files, checked):
    if files is files_of_the_guide and not SHARED.is_dir():
        pytest.skip("the guide is not here; the files written like it are checked all the same")
    findings = checked(files())
    missing = [
        fault
        for fault in FAULTS
        if not any(
            fault[0] == one.check and one.subject.startswith(fault[1]) and fault[2] in one.message
            for one in findings
        )
    ]
    assert missing == []


def test_a_fault_is_found_at_its_place_in_the_expression(checked):
    findings = checked(own_files())
    fault = next(
        one
        for one in findings
        if one.check == "undeclared-label" and one.subject == "alert HighErrorRate"
    )
    line = own_files()["alert-rules.yml"].splitlines()[fault.place.line - 1]
    assert line[fault.place.column - 1 : fault.place.end_column - 1] == 'status=~"5.."'
