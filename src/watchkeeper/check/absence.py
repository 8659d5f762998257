"""Checks of what happens when there is nothing: no series, no traffic, no process."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem, at
from watchkeeper.check.finding import Severity
from watchkeeper.check.part_of import added_matchers, bare, is_part_of
from watchkeeper.check.query import Query, Role
from watchkeeper.check.shape import Shape, Sort
from watchkeeper.check.thresholds import thresholds
from watchkeeper.model import MetricType
from watchkeeper.promql import Expression, VectorSelector, selectors
from watchkeeper.promql.signatures import COMPARISONS
from watchkeeper.promql.syntax import Aggregate, Binary, Call, Number

_ABSENT = ("absent", "absent_over_time")
_OVER_TIME = ("avg_over_time", "sum_over_time", "quantile_over_time", "stddev_over_time")


def _unhandled_absences(examined: Examined) -> Iterator[Problem]:
    watched = _watched(examined)
    for one in thresholds(examined):
        if one.query.role is not Role.ALERT or not _means_down(one.operator, one.value):
            continue
        shape = one.shape
        if shape.sort is not Sort.GAUGE or shape.present or "up" in watched:
            continue
        names = {metric.name for metric in shape.metrics}
        if names and "up" not in names and not names & watched:
            name = min(names)
            yield at(
                one.query,
                one.node,
                f"when the process is gone, {name} is gone too, and this does not fire",
            )


def _means_down(operator: str, value: float) -> bool:
    return (operator == "==" and value == 0) or (operator in ("<", "<=") and 0 <= value <= 1)


def _watched(examined: Examined) -> set[str]:
    """Return the metrics whose absence some alert notices; `up` stands for whole targets."""
    found: set[str] = set()
    for alert in examined.subjects.alerts:
        for node in alert.query.nodes():
            if isinstance(node, Call) and node.name in _ABSENT:
                found |= {one.metric_name for one in selectors(node)}
            if isinstance(node, VectorSelector) and node.metric_name == "up":
                found.add("up")
    return found


def _absences_without_patience(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        if alert.for_seconds:
            continue
        for node in alert.query.nodes():
            if isinstance(node, Call) and node.name == "absent":
                yield at(alert.query, node, "fires at once, also while Prometheus itself restarts")
                break


def _absences_of_comparisons(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        inner = bare(node.arguments[0]) if node.name == "absent" else None
        if isinstance(inner, Binary) and inner.operator in COMPARISONS:
            yield at(query, node, "is true whenever the comparison is false, not only without data")


def _poisoned_aggregates(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Aggregate):
        if node.operator in ("sum", "avg", "stddev", "stdvar", "quantile"):
            shape = examined.shape(query, node.expression)
            if shape.nan and not _guarded(node.expression):
                yield at(
                    query,
                    node,
                    "a series without traffic divides 0 by 0, and then the whole is NaN",
                )


def _poisoned_windows(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        if node.name not in _OVER_TIME:
            continue
        argument = node.arguments[-1]
        if examined.shape(query, argument).nan:
            yield at(query, node, "one moment without traffic makes the whole window NaN")


def _guarded(node: Expression) -> bool:
    """Whether a ratio is left out where its denominator is zero."""
    node = bare(node)
    return isinstance(node, Binary) and node.operator in COMPARISONS


def _missing_zeros(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Binary):
        left = bare(node.left)
        right = bare(node.right)
        if node.operator != "-" or not (isinstance(left, Number) and left.value in (1, 100)):
            continue
        while isinstance(right, Binary) and right.operator == "*":
            right = bare(right.left if isinstance(bare(right.right), Number) else right.right)
        if not isinstance(right, Binary) or right.operator != "/":
            continue
        if _numerator_may_be_missing(examined, query, right):
            yield at(
                query,
                right.left,
                "before the first failure there is no such series, and the share of successes is "
                "absent where it should be 1",
            )


def _numerator_may_be_missing(examined: Examined, query: Query, ratio: Binary) -> bool:
    numerator = examined.shape(query, ratio.left)
    if numerator.present or not is_part_of(ratio.left, ratio.right):
        return False
    if isinstance(bare(ratio.left), Binary):
        return False
    return any(
        not _is_zeroed(numerator, matcher.name)
        for matcher in added_matchers(ratio.left, ratio.right)
    )


def _is_zeroed(shape: Shape, label: str) -> bool:
    """Whether series of every value of a label exist from the start."""
    return all(
        metric.zeroed and all(one.values is not None for one in metric.labels.values())
        for metric in shape.metrics
        if label in metric.labels
    )


def _lonely_ratios(examined: Examined) -> Iterator[Problem]:
    """Find counters of failures that are compared by the second, not as a share."""
    for one in thresholds(examined):
        if one.query.role is not Role.ALERT or one.operator not in (">", ">=") or one.value <= 0:
            continue
        failing = _failing_selector(one.compared)
        if failing is None or one.shape.sort is not Sort.RATE:
            continue
        sample = examined.known.sample(failing.metric_name)
        if sample is None or sample.metric.type is MetricType.GAUGE:
            continue
        yield at(
            one.query,
            one.node,
            f"{one.value:g} a second is {one.value * 3600:g} failures an hour: with less traffic "
            "than that everything can fail and this stays silent",
        )


_FAILURES = frozenset(
    {"error", "errors", "failed", "failure", "fail", "timeout", "5..", "500", "5xx", "5.*"}
)
_OUTCOMES = frozenset({"status", "outcome", "result", "code", "status_code", "state"})


def _failing_selector(node: Expression) -> VectorSelector | None:
    """Return the selector of failures in `rate(x{status="failed"}[5m])`, also summed."""
    node = bare(node)
    while isinstance(node, Aggregate) or (isinstance(node, Call) and node.name == "rate"):
        node = bare(node.expression if isinstance(node, Aggregate) else node.arguments[0])
    found = selectors(node)
    if len(found) != 1 or isinstance(node, Binary | Call):
        return None
    for matcher in found[0].matchers:
        if matcher.name in _OUTCOMES and set(matcher.value.split("|")) & _FAILURES:
            return found[0]
    return None


CHECKS = (
    Check(
        id="absence-unhandled",
        severity=Severity.WARNING,
        reason="A process that is gone reports no zero: it reports nothing, and nothing fires.",
        repair="Add `or absent(...)`, or an alert on `up == 0`.",
        find=_unhandled_absences,
    ),
    Check(
        id="absent-without-for",
        severity=Severity.WARNING,
        reason="After a restart of Prometheus every series is absent for a moment.",
        repair="Give the alert a `for` of a few scrapes.",
        find=_absences_without_patience,
    ),
    Check(
        id="absent-of-comparison",
        severity=Severity.WARNING,
        reason="absent() of a comparison is true when the comparison is false.",
        repair="Take the comparison out: absent(x) or x > ...",
        find=_absences_of_comparisons,
    ),
    Check(
        id="nan-in-aggregate",
        severity=Severity.WARNING,
        reason="Without traffic a rate is 0, and 0 / 0 is NaN, which spreads through sums and "
        "averages.",
        repair="Aggregate first and divide last, or keep only denominators > 0.",
        find=_poisoned_aggregates,
    ),
    Check(
        id="nan-over-time",
        severity=Severity.WARNING,
        reason="A window with one NaN in it is NaN: a quiet night makes the monthly figure vanish.",
        repair="Record numerator and denominator, and divide their sums over the window.",
        find=_poisoned_windows,
    ),
    Check(
        id="zero-missing",
        severity=Severity.WARNING,
        reason="A counter with labels has no series for what has not happened yet.",
        repair="Write (errors or vector(0)) / total, or count the successes.",
        find=_missing_zeros,
    ),
    Check(
        id="failures-without-total",
        severity=Severity.WARNING,
        reason="A number of failures a second says nothing without the number of tries.",
        repair="Divide by the rate of all: sum(rate(failed)) / sum(rate(all)) > 0.05.",
        find=_lonely_ratios,
    ),
)
