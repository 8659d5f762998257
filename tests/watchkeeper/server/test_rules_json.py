from dataclasses import replace

from watchkeeper.rules.snapshot import (
    AlertSnapshot,
    AlertState,
    GroupSnapshot,
    Health,
    RuleSnapshot,
)
from watchkeeper.server.rules_json import NEVER, group_json, rule_json

ALERT = AlertSnapshot(
    labels=(("alertname", "Down"), ("job", "api")),
    annotations=(("summary", "api is down"),),
    state=AlertState.FIRING,
    active_at_ns=1_700_000_000_500_000_000,
    value=0.25,
    keep_firing_since_ns=None,
)
RULE = RuleSnapshot(
    kind="alerting",
    name="Down",
    expression="up == 0",
    for_seconds=60.0,
    keep_firing_for_seconds=0.0,
    labels={"severity": "critical"},
    annotations={"summary": "{{ $labels.job }} is down"},
    state=AlertState.FIRING,
    health=Health.OK,
    last_error="",
    last_evaluation_ns=1_700_000_000_000_000_000,
    evaluation_seconds=0.002,
    alerts=(ALERT,),
)
GROUP = GroupSnapshot("availability", "rules.yml", 15.0, 0, 0, 0.0, (RULE,))


def test_an_alerting_rule_has_its_alerts_and_state() -> None:
    rule = rule_json(RULE)
    assert rule["type"] == "alerting"
    assert (rule["state"], rule["duration"], rule["health"]) == ("firing", 60.0, "ok")
    assert rule["annotations"] == {"summary": "{{ $labels.job }} is down"}
    assert rule["alerts"] == [
        {
            "labels": {"alertname": "Down", "job": "api"},
            "annotations": {"summary": "api is down"},
            "state": "firing",
            "activeAt": "2023-11-14T22:13:20.500000000Z",
            "value": "0.25",
        }
    ]


def test_a_recording_rule_has_no_state() -> None:
    rule = rule_json(replace(RULE, kind="recording", alerts=()))
    assert "state" not in rule
    assert "alerts" not in rule


def test_an_error_is_shown_only_where_there_is_one() -> None:
    assert "lastError" not in rule_json(RULE)
    broken = replace(RULE, health=Health.ERROR, last_error="no such metric")
    assert rule_json(broken)["lastError"] == "no such metric"


def test_a_group_that_was_never_evaluated_says_so_as_go_does() -> None:
    group = group_json(GROUP)
    assert group["lastEvaluation"] == NEVER
    assert (group["name"], group["file"], group["interval"]) == ("availability", "rules.yml", 15.0)
