"""Rule groups and alerts in the JSON of Prometheus' HTTP API (web/api/v1/api.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchkeeper.promql.literals import format_number
from watchkeeper.rules.snapshot import AlertSnapshot, GroupSnapshot, RuleSnapshot
from watchkeeper.server.arguments import rfc3339

NEVER = "0001-01-01T00:00:00Z"
"""How Go writes a time that has not been."""


def group_json(
    group: GroupSnapshot, rules: Sequence[RuleSnapshot] | None = None, *, alerts: bool = True
) -> dict[str, Any]:
    """Return a group with all its rules, or with those given; with their alerts or without."""
    return {
        "name": group.name,
        "file": group.file,
        "rules": [
            rule_json(rule, alerts=alerts) for rule in (group.rules if rules is None else rules)
        ],
        "interval": group.interval_seconds,
        "limit": group.limit,
        "evaluationTime": group.evaluation_seconds,
        "lastEvaluation": _moment(group.last_evaluation_ns),
    }


def rule_json(rule: RuleSnapshot, *, alerts: bool = True) -> dict[str, Any]:
    """Return an alerting or recording rule, with its alerts or without."""
    content: dict[str, Any] = {
        "name": rule.name,
        "query": rule.expression,
        "labels": dict(rule.labels),
        "health": rule.health.value,
        "evaluationTime": rule.evaluation_seconds,
        "lastEvaluation": _moment(rule.last_evaluation_ns),
        "type": rule.kind,
    }
    if rule.last_error:
        content["lastError"] = rule.last_error
    if rule.kind == "alerting":
        content |= {
            "state": rule.state.value,
            "duration": rule.for_seconds,
            "keepFiringFor": rule.keep_firing_for_seconds,
            "annotations": dict(rule.annotations),
            "alerts": [alert_json(alert) for alert in rule.alerts] if alerts else [],
        }
    return content


def alert_json(alert: AlertSnapshot) -> dict[str, Any]:
    """Return one pending or firing alert."""
    content: dict[str, Any] = {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state.value,
        "activeAt": rfc3339(alert.active_at_ns, digits=9),
        "value": format_number(alert.value),
    }
    if alert.keep_firing_since_ns is not None:
        content["keepFiringSince"] = rfc3339(alert.keep_firing_since_ns, digits=9)
    return content


def _moment(time_ns: int) -> str:
    return rfc3339(time_ns, digits=9) if time_ns else NEVER
