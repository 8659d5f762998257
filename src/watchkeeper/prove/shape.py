"""The shape of an alert's expression: what must hold, and which selectors decide it.

`branches` takes `and`, `or` and `unless` apart down to conditions; `leaves` finds the selectors
below a condition with what stands above each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from watchkeeper.model import METRIC_NAME, Labels
from watchkeeper.promql.durations import duration_ms
from watchkeeper.promql.signatures import COMPARISONS
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    MatrixSelector,
    Number,
    Subquery,
    VectorSelector,
)
from watchkeeper.promql.walk import children, walk
from watchkeeper.prove.recordings import INSTANT
from watchkeeper.prove.tree import bare

PRESENCE = frozenset({"absent", "absent_over_time", "present_over_time", "count_over_time"})
DRIFTS = frozenset({"deriv", "predict_linear", "delta", "idelta"})
CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Aggregations that keep some of their series as they are."""
MOST_BRANCHES = 16


@dataclass(frozen=True, slots=True)
class Condition:
    """A part that must hold, or under `unless` must not: a comparison, an absence, or another
    vector that has to exist."""

    expression: Expression
    wanted: bool = True

    @property
    def comparison(self) -> Binary | None:
        """The comparison that it is, if it is one that filters."""
        inner = bare(self.expression)
        if isinstance(inner, Binary) and inner.operator in COMPARISONS and not inner.returns_bool:
            return inner
        return None

    @property
    def distance(self) -> Expression | None:
        """How far a comparison is from turning over: its left side less its right one."""
        found = self.comparison
        return None if found is None else replace(found, operator="-")


@dataclass(frozen=True, slots=True)
class Above:
    """What stands above a selector, from it to the top."""

    function: str = ""
    aggregations: tuple[Aggregate, ...] = ()
    in_quantile: bool = False
    in_absence: bool = False
    of_time: bool = False


@dataclass(frozen=True, slots=True)
class Leaf:
    """A selector and what stands above it. `aggregations` go from the inside out."""

    selector: VectorSelector
    above: Above = field(default_factory=Above)

    @property
    def aggregation(self) -> str:
        """The innermost aggregation; empty where every series stands for itself."""
        return self.above.aggregations[0].operator if self.above.aggregations else ""

    def group_of(self, labels: Labels) -> Labels:
        """Return what is left of a label set above all aggregations."""
        kept: Mapping[str, str] = {name: value for name, value in labels if name != METRIC_NAME}
        for one in self.above.aggregations:
            if one.operator in CHOOSING:
                continue
            kept = {
                name: value for name, value in kept.items() if (name in one.grouping) != one.without
            }
        return tuple(sorted(kept.items()))


def branches(expression: Expression) -> list[tuple[Condition, ...]]:
    """Return the ways in which an expression can hold: of each, every condition."""
    inner = bare(expression)
    if isinstance(inner, Binary):
        match inner.operator:
            case "or":
                return (branches(inner.left) + branches(inner.right))[:MOST_BRANCHES]
            case "and":
                return [
                    one + other for one in branches(inner.left) for other in branches(inner.right)
                ][:MOST_BRANCHES]
            case "unless":
                blocker = Condition(inner.right, wanted=False)
                return [(*one, blocker) for one in branches(inner.left)]
    return [(Condition(expression),)]


def leaves(expression: Expression, above: Above | None = None) -> list[Leaf]:
    """Return the selectors below an expression, from left to right."""
    above = above or Above(of_time=_asks_the_time(expression))
    match expression:
        case VectorSelector():
            return [Leaf(expression, above)]
        case Aggregate():
            above = replace(above, aggregations=(expression, *above.aggregations))
        case Call(name=name):
            above = replace(
                above,
                function=name,
                in_quantile=above.in_quantile or name == "histogram_quantile",
                in_absence=above.in_absence or name in PRESENCE,
            )
    return [leaf for child in children(expression) for leaf in leaves(child, above)]


def mentioned_labels(expression: Expression) -> set[str]:
    """Return the labels by which an expression groups or matches vectors."""
    found: set[str] = set()
    for node in walk(expression):
        match node:
            case Aggregate(grouping=grouping):
                found.update(grouping)
            case Binary(matching=matching):
                found.update(matching.labels, matching.include)
    return found


def selector_names(expression: Expression) -> set[str]:
    """Return the metrics that an expression names."""
    return {node.metric_name for node in walk(expression) if isinstance(node, VectorSelector)}


def constants(expression: Expression) -> set[float]:
    """Return the numbers that an expression holds."""
    return {node.value for node in walk(expression) if isinstance(node, Number)}


def windows_ms(expression: Expression) -> Iterator[int]:
    """Yield every range and offset of an expression, in milliseconds."""
    for node in walk(expression):
        match node:
            case MatrixSelector(range=length):
                yield duration_ms(length, INSTANT)
            case Subquery(range=length, offset=offset):
                yield duration_ms(length, INSTANT)
                if offset is not None:
                    yield abs(duration_ms(offset, INSTANT))
            case VectorSelector(offset=offset) if offset is not None:
                yield abs(duration_ms(offset, INSTANT))


def reach_ms(expression: Expression) -> int:
    """Return how far back an expression can look at the most, nested ranges added up."""
    own = 0
    match expression:
        case MatrixSelector(range=length) | Subquery(range=length):
            own = duration_ms(length, INSTANT)
    match expression:
        case Subquery(offset=offset) | VectorSelector(offset=offset) if offset is not None:
            own += abs(duration_ms(offset, INSTANT))
    return own + max((reach_ms(child) for child in children(expression)), default=0)


def _asks_the_time(expression: Expression) -> bool:
    return any(
        isinstance(node, Call) and node.name in ("time", "timestamp") for node in walk(expression)
    )
