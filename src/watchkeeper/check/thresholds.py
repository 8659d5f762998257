"""Checks of comparisons: whether they can be true, and whether they can be false."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from watchkeeper.check.check import Check, Examined, Problem, at
from watchkeeper.check.finding import Severity
from watchkeeper.check.part_of import bare
from watchkeeper.check.query import Query, Role
from watchkeeper.check.shape import Shape, Sort
from watchkeeper.check.subject import Alert
from watchkeeper.check.unit import COUNT, RATIO, TIMESTAMP, Unit
from watchkeeper.promql import Expression
from watchkeeper.promql.signatures import COMPARISONS
from watchkeeper.promql.syntax import Aggregate, Binary

_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
WATCHDOG = re.compile(r"watch[ -]?dog|dead[ -]?man|heart[ -]?beat|always", re.IGNORECASE)
"""What those are called that must be heard all the time."""

_EARLIEST_TIMESTAMP = 1e9
"""A moment in 2001, in seconds since the epoch: smaller numbers are lengths of time."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison of something with a number, read as `something OPERATOR number`."""

    query: Query
    node: Binary
    compared: Expression
    shape: Shape
    operator: str
    value: float


def thresholds(examined: Examined) -> Iterator[Threshold]:
    """Give every comparison with a number."""
    for query, node in examined.nodes(Binary):
        if node.operator not in COMPARISONS:
            continue
        left, right = examined.shape(query, node.left), examined.shape(query, node.right)
        if right.constant is not None and not right.metrics:
            yield Threshold(query, node, node.left, left, node.operator, right.constant)
        elif left.constant is not None and not left.metrics:
            operator = _MIRRORED.get(node.operator, node.operator)
            yield Threshold(query, node, node.right, right, operator, left.constant)


def is_watchdog(alert: Alert) -> bool:
    """Whether an alert is meant to fire always, so that its silence is noticed."""
    severity = alert.labels.get("severity")
    quiet = severity is not None and severity.value in ("none", "heartbeat", "info")
    return quiet or WATCHDOG.search(alert.name.value) is not None


def _missing_comparisons(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        query = alert.query
        if query.tree is None or _decides(examined, query) or _ends_with_bool(query.tree):
            continue
        if examined.root(query).present and is_watchdog(alert):
            continue
        yield at(query, query.tree, "fires for whatever value there is: nothing is compared")


def _decides(examined: Examined, query: Query) -> bool:
    shape = examined.root(query)
    names = {metric.name for metric in shape.metrics}
    return shape.filtered or "ALERTS" in names


def _ends_with_bool(tree: Expression) -> bool:
    tree = bare(tree)
    return isinstance(tree, Binary) and tree.returns_bool


def _bool_comparisons(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        tree = alert.query.tree
        if tree is not None and _ends_with_bool(tree):
            yield at(alert.query, tree, "gives 0 or 1, and an alert fires for 0 too")


def _impossible_thresholds(examined: Examined) -> Iterator[Problem]:
    for one in thresholds(examined):
        if not _never(one) or _beyond_buckets(one):
            continue
        text = one.query.written(one.compared)
        yield at(
            one.query,
            one.node,
            f"{_shortened(text)} is {_range(one.shape)}: it is never {one.operator} {one.value:g}",
            repair=_hint(one),
        )


def _thresholds_outside_buckets(examined: Examined) -> Iterator[Problem]:
    for one in thresholds(examined):
        if _never(one) and _beyond_buckets(one):
            yield at(
                one.query,
                one.node,
                f"the largest bucket ends at {one.shape.high:g}, and no quantile is above it: "
                f"it is never {one.operator} {one.value:g}",
            )


def _beyond_buckets(one: Threshold) -> bool:
    return one.shape.sort is Sort.QUANTILE and one.shape.high < inf and one.value >= one.shape.high


def _never(one: Threshold) -> bool:
    low, high, value = one.shape.low, one.shape.high, one.value
    match one.operator:
        case ">":
            return high <= value
        case ">=":
            return high < value
        case "<":
            return low >= value
        case "<=":
            return low > value
        case "==":
            return not low <= value <= high
    return low == high == value


def _always(one: Threshold) -> bool:
    low, high, value = one.shape.low, one.shape.high, one.value
    match one.operator:
        case ">":
            return low > value
        case ">=":
            return low >= value
        case "<":
            return high < value
        case "<=":
            return high <= value
        case "==":
            return low == high == value
    return not low <= value <= high


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _range(shape: Shape) -> str:
    if shape.low == shape.high:
        return f"always {shape.low:g}"
    if shape.high == inf:
        return f"{shape.low:g} or more, or absent"
    if shape.low == -inf:
        return f"{shape.high:g} or less"
    return f"between {shape.low:g} and {shape.high:g}"


def _hint(one: Threshold) -> str:
    if one.shape.unit == Unit(RATIO) and one.value > 1:
        return f"A ratio goes from 0 to 1: write {one.value / 100:g} for {one.value:g} %."
    if bare_count(one.compared):
        return "count() gives nothing, not 0, where there is nothing to count: use absent()."
    return ""


def bare_count(node: Expression) -> bool:
    """Whether a part is a count, which is never 0."""
    node = bare(node)
    return isinstance(node, Aggregate) and node.operator == "count"


def _needless_thresholds(examined: Examined) -> Iterator[Problem]:
    for one in thresholds(examined):
        if one.query.role is not Role.ALERT or one.node.returns_bool or not _always(one):
            continue
        if any(isinstance(above, Aggregate) for above in examined.ancestors(one.query, one.node)):
            continue
        text = _shortened(one.query.written(one.compared))
        if one.shape.constant is not None:
            continue
        yield at(
            one.query,
            one.node,
            f"{text} is {_range(one.shape)}: it is always {one.operator} {one.value:g}",
        )


def _thresholds_between_buckets(examined: Examined) -> Iterator[Problem]:
    for one in thresholds(examined):
        metrics = one.shape.metrics
        if one.shape.sort is not Sort.QUANTILE or len(metrics) != 1 or not metrics[0].buckets:
            continue
        buckets = metrics[0].buckets
        if one.value in buckets or not 0 < one.value < buckets[-1]:
            continue
        below = max((bound for bound in buckets if bound < one.value), default=0.0)
        above = min(bound for bound in buckets if bound > one.value)
        yield at(
            one.query,
            one.node,
            f"{one.value:g} lies between the bounds {below:g} and {above:g}: where in between a "
            "quantile lies is guessed",
        )


def _equal_floats(examined: Examined) -> Iterator[Problem]:
    for one in thresholds(examined):
        if one.operator not in ("==", "!=") or one.value == 0:
            continue
        computed = one.shape.sort in (Sort.RATE, Sort.MEAN, Sort.QUANTILE)
        if computed or (one.value != int(one.value) if abs(one.value) < inf else False):
            yield at(one.query, one.node, f"a computed number is hardly ever {one.value:g} exactly")


def _durations_as_timestamps(examined: Examined) -> Iterator[Problem]:
    for one in thresholds(examined):
        if one.shape.unit != Unit(TIMESTAMP) or not 0 < one.value < _EARLIEST_TIMESTAMP:
            continue
        yield at(
            one.query,
            one.node,
            f"{_shortened(one.query.written(one.compared))} is a moment, {one.value:g} is a length "
            "of time",
        )


def _mixed_units(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Binary):
        if node.operator not in COMPARISONS | {"+", "-"}:
            continue
        left, right = examined.shape(query, node.left), examined.shape(query, node.right)
        if left.unit is None or right.unit is None or left.unit == right.unit:
            continue
        names = {left.unit.name, right.unit.name}
        if COUNT in names or (names == {TIMESTAMP, "seconds"} and node.operator in ("+", "-")):
            continue
        yield at(query, node, f"one side is in {left.unit}, the other in {right.unit}")


CHECKS = (
    Check(
        id="comparison-missing",
        severity=Severity.ERROR,
        reason="An alert fires for every series that its expression gives, whatever its value.",
        repair="Compare with a threshold: `... > 0`.",
        find=_missing_comparisons,
    ),
    Check(
        id="bool-in-alert",
        severity=Severity.ERROR,
        reason="With `bool` a comparison gives 0 instead of nothing, and the alert fires always.",
        repair="Leave `bool` out.",
        find=_bool_comparisons,
    ),
    Check(
        id="impossible-threshold",
        severity=Severity.ERROR,
        reason="The comparison is never true: nobody is ever told.",
        repair="Choose a threshold that the value can cross.",
        find=_impossible_thresholds,
    ),
    Check(
        id="always-true-threshold",
        severity=Severity.WARNING,
        reason="The comparison is true for every value: the alert does not tell good from bad.",
        repair="Choose a threshold that the value can be on both sides of.",
        find=_needless_thresholds,
    ),
    Check(
        id="threshold-outside-buckets",
        severity=Severity.ERROR,
        reason="histogram_quantile never gives more than the largest finite bound.",
        repair="Add buckets beyond the threshold, or choose one inside.",
        find=_thresholds_outside_buckets,
    ),
    Check(
        id="threshold-between-buckets",
        severity=Severity.INFO,
        reason="Inside a bucket a quantile is interpolated, as if observations were spread evenly.",
        repair="Add a bucket that ends at the threshold.",
        find=_thresholds_between_buckets,
    ),
    Check(
        id="float-equality",
        severity=Severity.WARNING,
        reason="Computed numbers are not exact.",
        repair="Compare with < or >.",
        find=_equal_floats,
    ),
    Check(
        id="timestamp-as-duration",
        severity=Severity.ERROR,
        reason="A timestamp counts seconds since 1970, so it is larger than any length of time.",
        repair="Subtract it from now: time() - x > ...",
        find=_durations_as_timestamps,
    ),
    Check(
        id="mixed-units",
        severity=Severity.ERROR,
        reason="Numbers of different units cannot be added or compared.",
        repair="Convert one side, or compare what belongs together.",
        find=_mixed_units,
    ),
)
