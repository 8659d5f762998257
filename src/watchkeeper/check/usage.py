"""Checks of the whole: what is declared and not used, emitted and not watched."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.finding import Severity
from watchkeeper.check.known import KnownMetric
from watchkeeper.check.subject import Alert
from watchkeeper.check.thresholds import is_watchdog
from watchkeeper.check.unit import unit_by_name
from watchkeeper.model import MetricType
from watchkeeper.promql import VectorSelector
from watchkeeper.promql.syntax import Binary, Call, MatrixSelector

_MONEY = frozenset({"usd", "eur", "gbp"})
_TOTAL_SIZE = frozenset({"get_size", "get_max_size", "size", "maxsize", "qsize_max"})
_BUSY = ("active", "in_use", "busy", "used")


def _unset_metrics(examined: Examined) -> Iterator[Problem]:
    for emission in examined.subjects.emissions:
        metric = emission.metric
        if not emission.recorded and metric.declared is not None:
            yield Problem(
                metric.declared.place(),
                f"metric {metric.name}",
                "is declared, and nothing records it",
            )


def _total_sizes(examined: Examined) -> Iterator[Problem]:
    for emission in examined.subjects.emissions:
        name = emission.metric.name
        for called, place in emission.set_to:
            if called in _TOTAL_SIZE and any(word in name for word in _BUSY):
                yield Problem(
                    place, f"metric {name}", f"is set to {called}(), which counts what is idle too"
                )


def _unused_metrics(examined: Examined) -> Iterator[Problem]:
    subjects = examined.subjects
    if not subjects.alerts and not subjects.panels:
        return
    used = _used(examined)
    for metric in subjects.declared:
        if metric.name not in used and metric.declared is not None:
            yield Problem(
                metric.declared.place(),
                f"metric {metric.name}",
                "no alert, recording rule or panel uses it",
            )


def _used(examined: Examined) -> set[str]:
    found: set[str] = set()
    for query, node in examined.nodes(VectorSelector):
        sample = examined.known.sample(node.metric_name)
        if sample is not None:
            found.add(sample.metric.name)
        if not node.metric_name and query.tree is not None:
            found |= {metric.name for metric in examined.known.metrics}
    return found


def _unused_recordings(examined: Examined) -> Iterator[Problem]:
    if not examined.subjects.dashboards:
        return
    used = {node.metric_name for _, node in examined.nodes(VectorSelector)}
    for recording in examined.subjects.recordings:
        if recording.name.value not in used:
            yield Problem(recording.name.place(), recording.query.subject, "nothing reads it")


def _no_watchdog(examined: Examined) -> Iterator[Problem]:
    for alerts, problem in _whole(examined, "no alert fires always"):
        if not any(is_watchdog(alert) and _is_constant(examined, alert) for alert in alerts):
            yield problem


def _is_constant(examined: Examined, alert: Alert) -> bool:
    return examined.root(alert.query).present


def _no_target_alert(examined: Examined) -> Iterator[Problem]:
    for _, problem in _whole(examined, "no alert looks at `up`"):
        queries = [alert.query for alert in examined.subjects.alerts]
        names = {
            node.metric_name
            for query in queries
            for node in query.nodes()
            if isinstance(node, VectorSelector)
        }
        if "up" not in names:
            yield problem


def _no_absence_alert(examined: Examined) -> Iterator[Problem]:
    for alerts, problem in _whole(examined, "no alert asks for what is absent"):
        calls = {
            node.name for alert in alerts for node in alert.query.nodes() if isinstance(node, Call)
        }
        if not calls & {"absent", "absent_over_time"}:
            yield problem


def _unwatched_costs(examined: Examined) -> Iterator[Problem]:
    for alerts, _ in _whole(examined, ""):
        watched = {
            sample.metric.name
            for alert in alerts
            for node in alert.query.nodes()
            if isinstance(node, VectorSelector)
            for sample in [examined.known.sample(node.metric_name)]
            if sample is not None
        }
        money = [metric for metric in examined.subjects.declared if _is_money(metric)]
        if money and not any(metric.name in watched for metric in money):
            names = ", ".join(metric.name for metric in money)
            place = money[0].declared
            assert place is not None
            yield Problem(place.place(), "alerts", f"no alert watches what is spent: {names}")


def _is_money(metric: KnownMetric) -> bool:
    unit = metric.unit or unit_by_name(metric.name)
    return unit in _MONEY and metric.type is MetricType.COUNTER and metric.declared is not None


def _no_objective(examined: Examined) -> Iterator[Problem]:
    for alerts, problem in _whole(examined, "no alert looks at two windows, as burn rates do"):
        if not any(_has_two_windows(alert) for alert in alerts):
            yield problem


def _has_two_windows(alert: Alert) -> bool:
    """Whether an alert joins a long and a short window, recorded or not."""
    for node in alert.query.nodes():
        if not isinstance(node, Binary) or node.operator != "and":
            continue
        ranges = {
            one.range.seconds
            for one in alert.query.nodes()
            if isinstance(one, MatrixSelector) and hasattr(one.range, "seconds")
        }
        recorded = {
            one.metric_name
            for one in alert.query.nodes()
            if isinstance(one, VectorSelector) and ":" in one.metric_name
        }
        if len(ranges) > 1 or len(recorded) > 1:
            return True
    return False


def _whole(examined: Examined, message: str) -> Iterator[tuple[list[Alert], Problem]]:
    """Give the alerts where they are seen together with the routes: only then is it the whole."""
    alerts = examined.subjects.alerts
    if alerts and examined.subjects.routings:
        group = examined.subjects.groups[0]
        place = next(one for one in examined.subjects.groups if one.alerts).name.place()
        yield alerts, Problem(place, f"group {group.name.value}", message)


CHECKS = (
    Check(
        id="declared-never-set",
        severity=Severity.WARNING,
        reason="The metric is exposed as 0 or not at all, whatever happens.",
        repair="Record it, or delete it.",
        find=_unset_metrics,
    ),
    Check(
        id="busy-set-to-total",
        severity=Severity.ERROR,
        reason="A pool that is open and idle looks as if all of it were in use.",
        repair="Subtract what is idle: pool.get_size() - pool.get_idle_size().",
        find=_total_sizes,
    ),
    Check(
        id="declared-never-used",
        severity=Severity.INFO,
        reason="What nobody looks at costs series and tells nothing.",
        repair="Show it on a dashboard, alert on it, or delete it.",
        find=_unused_metrics,
    ),
    Check(
        id="recording-never-used",
        severity=Severity.INFO,
        reason="It is computed at every evaluation for nobody.",
        repair="Use it, or delete it.",
        find=_unused_recordings,
    ),
    Check(
        id="no-watchdog",
        severity=Severity.WARNING,
        reason="When the alerting itself is broken, it is as silent as when all is well.",
        repair="Add an alert on vector(1) and a receiver that notices when it stops.",
        find=_no_watchdog,
    ),
    Check(
        id="no-target-alert",
        severity=Severity.WARNING,
        reason="A process that is down emits nothing that other alerts could fire on.",
        repair="Add an alert on up == 0.",
        find=_no_target_alert,
    ),
    Check(
        id="no-absence-alert",
        severity=Severity.INFO,
        reason="A target that service discovery has lost has no `up` either.",
        repair="Add absent(up{job=...}) for each job that must be there.",
        find=_no_absence_alert,
    ),
    Check(
        id="cost-unwatched",
        severity=Severity.WARNING,
        reason="A loop of calls to a paid service is noticed with the bill.",
        repair="Add an alert on the increase of the cost.",
        find=_unwatched_costs,
    ),
    Check(
        id="no-objective",
        severity=Severity.WARNING,
        reason="Without an objective every alert is on a cause, and slow burning goes unseen.",
        repair="Declare an SLO and alert on its burn rate over a long and a short window.",
        find=_no_objective,
    ),
)
