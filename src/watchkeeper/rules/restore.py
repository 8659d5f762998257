"""Alerts of an earlier process, found again in the series that it wrote about them."""

from __future__ import annotations

from watchkeeper.model import METRIC_NAME, Labels, Matcher, MatchOperator, Series
from watchkeeper.ports import SeriesSource
from watchkeeper.rules.active_alert import ActiveAlert
from watchkeeper.rules.rule import AlertingRule
from watchkeeper.rules.sample_rows import is_stale
from watchkeeper.rules.snapshot import AlertState

OUTAGE_TOLERANCE_NS = 3600 * 1_000_000_000
"""After a longer pause the old state says nothing any more (Prometheus' default, 1 h)."""


def restore(
    rule: AlertingRule, history: SeriesSource, now_ns: int, confirm_within_ns: int
) -> list[ActiveAlert]:
    """Return the alerts of `rule` that were pending or firing when samples were last written.

    Time without evaluations does not count towards `for`. Until `confirm_within_ns` from now
    the alerts stand although no evaluation has seen them: the data that they rest on may take
    a scrape or two to come back.
    """
    end_ms = now_ns // 1_000_000
    start_ms = (now_ns - OUTAGE_TOLERANCE_NS) // 1_000_000
    firing = {
        _alert_labels(series.labels)
        for series in _alive(rule, history, "ALERTS", start_ms, end_ms)
        if ("alertstate", AlertState.FIRING.value) in series.labels
    }
    alerts: list[ActiveAlert] = []
    for series in _alive(rule, history, "ALERTS_FOR_STATE", start_ms, end_ms):
        label_set = _alert_labels(series.labels)
        active_at_ns = int(series.values[-1]) * 1_000_000_000
        alert = ActiveAlert(label_set, (), float("nan"), active_at_ns)
        if label_set in firing:
            alert.state = AlertState.FIRING
            alert.fired_at_ns = active_at_ns + round(rule.for_seconds * 1e9)
        else:
            alert.active_at_ns += now_ns - int(series.timestamps_ms[-1]) * 1_000_000
        alert.unconfirmed_until_ns = now_ns + confirm_within_ns
        alerts.append(alert)
    return alerts


def _alive(
    rule: AlertingRule, history: SeriesSource, name: str, start_ms: int, end_ms: int
) -> list[Series]:
    """Return the series of an alert that did not end before the process did."""
    matchers = [
        Matcher(METRIC_NAME, MatchOperator.EQUAL, name),
        Matcher("alertname", MatchOperator.EQUAL, rule.name),
    ]
    for label, template in rule.labels.items():
        if "{{" not in template.source:
            matchers.append(Matcher(label, MatchOperator.EQUAL, template.source))
    return [
        series
        for series in history.select(matchers, start_ms, end_ms)
        if len(series.values) and not is_stale(series.values[-1])
    ]


def _alert_labels(series: Labels) -> Labels:
    return tuple(pair for pair in series if pair[0] not in (METRIC_NAME, "alertstate"))
