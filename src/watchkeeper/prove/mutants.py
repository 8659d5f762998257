"""Rules changed in one place: what a slip of the pen, or of the mind, would have written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from watchkeeper.contract import Label
from watchkeeper.model import METRIC_NAME, Matcher, MatchOperator
from watchkeeper.promql import format as format_expression
from watchkeeper.promql.signatures import COMPARISONS
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Duration,
    DurationLiteral,
    Expression,
    MatrixSelector,
    Number,
    Subquery,
    VectorSelector,
)
from watchkeeper.prove.declared import Declared
from watchkeeper.prove.label_values import closed_values
from watchkeeper.prove.regex_alternatives import without_one
from watchkeeper.prove.timeline import Timing
from watchkeeper.prove.tree import places

SMALL = 10
"""Whole numbers below this are counts: a slip is one more or one less."""
COMPARISON_SLIPS = {
    ">": (">=", "<"),
    ">=": (">", "<"),
    "<": ("<=", ">"),
    "<=": ("<", ">"),
    "==": ("!=", "<=", ">="),
    "!=": ("==",),
}
OPERATOR_SLIPS = {
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "and": ("or", "unless"),
    "or": ("and",),
    "unless": ("and",),
}
MATCHER_SLIPS = {
    MatchOperator.EQUAL: MatchOperator.NOT_EQUAL,
    MatchOperator.NOT_EQUAL: MatchOperator.EQUAL,
    MatchOperator.REGEX: MatchOperator.NOT_REGEX,
    MatchOperator.NOT_REGEX: MatchOperator.REGEX,
}
AGGREGATION_SLIPS = {
    "sum": ("avg", "max", "count"),
    "avg": ("sum", "max"),
    "min": ("max", "avg"),
    "max": ("min", "avg", "sum"),
    "count": ("sum",),
}
FUNCTION_SLIPS = {
    "rate": ("increase", "irate", "delta"),
    "increase": ("rate", "delta"),
    "irate": ("rate",),
    "delta": ("increase", "idelta"),
    "avg_over_time": ("max_over_time", "min_over_time"),
    "max_over_time": ("avg_over_time", "min_over_time"),
    "min_over_time": ("avg_over_time", "max_over_time"),
    "sum_over_time": ("avg_over_time",),
    "count_over_time": ("sum_over_time",),
    "deriv": ("delta",),
    "ceil": ("floor",),
    "floor": ("ceil",),
    "clamp_min": ("clamp_max",),
    "clamp_max": ("clamp_min",),
}


@dataclass(frozen=True)
class Mutant:
    """A rule with one slip in it.

    `before` and `after` are the part that differs, `start` its place in the rule's expression.
    `timing` is set where it is the `for` that slipped.
    """

    kind: str
    before: str
    after: str
    start: int
    expression: Expression
    timing: Timing | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.before} became {self.after}"


def mutants_of(expression: Expression, declared: Declared) -> Iterator[Mutant]:
    """Yield every mutant of an expression, each different from it and from the others."""
    seen = {format_expression(expression)}
    for node, exchange in places(expression):
        for kind, other in _slips(node, declared):
            whole = exchange(other)
            text = format_expression(whole)
            if text not in seen:
                seen.add(text)
                yield Mutant(
                    kind, format_expression(node), format_expression(other), node.start, whole
                )


def timing_mutants(expression: Expression, timing: Timing, step_ms: int) -> Iterator[Mutant]:
    """Yield the mutants of a rule's `for`: twice, half, none; one evaluation if there is none."""
    others = (timing.for_ms * 2, timing.for_ms // 2, 0) if timing.for_ms else (step_ms,)
    for other in others:
        yield Mutant(
            "for",
            f"{timing.for_ms / 1000:g}s",
            f"{other / 1000:g}s",
            0,
            expression,
            replace(timing, for_ms=other),
        )


def _slips(node: Expression, declared: Declared) -> Iterator[tuple[str, Expression]]:
    match node:
        case Number(value=value):
            for other in _numbers(value):
                yield "number", replace(node, value=other)
        case VectorSelector():
            yield from _of_selector(node, declared)
        case MatrixSelector() | Subquery():
            for slipped in _durations(node.range):
                yield "range", replace(node, range=slipped)
        case Binary():
            yield from _of_binary(node)
        case Call():
            yield from _of_call(node)
        case Aggregate():
            yield from _of_aggregate(node)


def _of_call(node: Call) -> Iterator[tuple[str, Expression]]:
    for name in FUNCTION_SLIPS.get(node.name, ()):
        yield "function", replace(node, name=name)


def _numbers(value: float) -> tuple[float, ...]:
    if value == 0:
        return (1.0, -1.0)
    if float(value).is_integer() and abs(value) < SMALL:
        return (value + 1, value - 1)
    return (value * 1.1, value * 0.9)


def _durations(length: Duration) -> Iterator[Duration]:
    if isinstance(length, DurationLiteral):
        for factor in (2.0, 0.5):
            yield replace(length, seconds=length.seconds * factor)


def _of_selector(node: VectorSelector, declared: Declared) -> Iterator[tuple[str, Expression]]:
    if node.offset is not None:
        yield "offset", replace(node, offset=None)
        for slipped in _durations(node.offset):
            yield "offset", replace(node, offset=slipped)
    metric = declared.metrics.get(node.metric_name)
    known = {label.name: label for label in metric.labels} if metric else {}
    for position, matcher in enumerate(node.matchers):
        if matcher.name == METRIC_NAME:
            continue
        before, after = node.matchers[:position], node.matchers[position + 1 :]
        yield "matcher", replace(node, matchers=before + after)
        opposite = replace(matcher, operator=MATCHER_SLIPS[matcher.operator])
        yield "matcher", replace(node, matchers=(*before, opposite, *after))
        for value in _other_values(matcher, known.get(matcher.name)):
            changed = replace(matcher, value=value)
            yield "matcher", replace(node, matchers=(*before, changed, *after))


def _other_values(matcher: Matcher, label: Label | None) -> list[str]:
    if matcher.operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX):
        return without_one(matcher.value) or [f"{matcher.value}x"]
    closed = closed_values(label) if label else ()
    others = [value for value in closed if value != matcher.value]
    return others[:2] or [f"{matcher.value}x"]


def _of_binary(node: Binary) -> Iterator[tuple[str, Expression]]:
    slips = COMPARISON_SLIPS if node.operator in COMPARISONS else OPERATOR_SLIPS
    for other in slips.get(node.operator, ()):
        yield "operator", replace(node, operator=other)
    if node.operator in ("and", "or", "unless"):
        yield "part", node.left
        if node.operator != "unless":
            yield "part", node.right
    for position in range(len(node.matching.labels)):
        labels = node.matching.labels[:position] + node.matching.labels[position + 1 :]
        yield "label", replace(node, matching=replace(node.matching, labels=labels))
    if node.matching.labels and not node.matching.group:
        turned = replace(node.matching, on=not node.matching.on)
        yield "label", replace(node, matching=turned)


def _of_aggregate(node: Aggregate) -> Iterator[tuple[str, Expression]]:
    for other in AGGREGATION_SLIPS.get(node.operator, ()):
        yield "function", replace(node, operator=other)
    for position in range(len(node.grouping)):
        grouping = node.grouping[:position] + node.grouping[position + 1 :]
        yield "label", replace(node, grouping=grouping)
    if node.grouping:
        yield "label", replace(node, without=not node.without)
