"""Whether one expression counts a part of what another counts, by their text alone."""

from __future__ import annotations

from watchkeeper.matching import predicate
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.promql import Expression, VectorSelector, selectors
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    MatrixSelector,
    Parens,
    Unary,
)
from watchkeeper.promql.walk import walk

_ADDING = frozenset({"sum", "count"})
_COUNTING = frozenset({"rate", "irate", "increase", "sum_over_time", "count_over_time"})


def bare(node: Expression) -> Expression:
    """Return an expression without the parentheses around it."""
    while isinstance(node, Parens):
        node = node.expression
    return node


def adds_up(node: Expression) -> bool:
    """Whether series are put together in an expression so that a fall of one is a fall of all."""
    return any(isinstance(one, Aggregate) and one.operator in ("sum", "avg") for one in walk(node))


def without_default(node: Expression) -> Expression:
    """Return `x` of `x or vector(0)`: what stands in for an absence changes no part."""
    node = bare(node)
    while isinstance(node, Binary) and node.operator == "or":
        right = bare(node.right)
        if not (isinstance(right, Call) and right.name == "vector"):
            break
        node = bare(node.left)
    return node


def is_part_of(left: Expression, right: Expression) -> bool:
    """Whether `left` sums over some of the series that `right` sums over: their ratio is 0 to 1."""
    left, right = without_default(left), without_default(right)
    if isinstance(left, Aggregate) and isinstance(right, Aggregate):
        return (
            left.operator == right.operator
            and left.operator in _ADDING
            and is_part_of(left.expression, right.expression)
        )
    if isinstance(right, Aggregate) and right.operator == "sum":
        return is_part_of(left, right.expression)
    return same_but_matchers(left, right)


def same_but_matchers(left: Expression, right: Expression) -> bool:
    """Whether both are the same, but `left` may select fewer series."""
    left, right = bare(left), bare(right)
    if isinstance(left, Call) and isinstance(right, Call):
        same = left.name == right.name and left.name in _COUNTING
        return same and same_but_matchers(left.arguments[-1], right.arguments[-1])
    if isinstance(left, MatrixSelector) and isinstance(right, MatrixSelector):
        return left.range == right.range and same_but_matchers(left.vector, right.vector)
    if isinstance(left, VectorSelector) and isinstance(right, VectorSelector):
        same = left.metric_name == right.metric_name != "" and left.offset == right.offset
        return same and all(_implied(one, left.matchers) for one in right.matchers)
    if isinstance(left, Unary) and isinstance(right, Unary):
        return left == right
    return False


def added_matchers(left: Expression, right: Expression) -> tuple[Matcher, ...]:
    """Return the matchers by which `left` selects fewer series than `right`."""
    wide = {matcher for one in _selectors(right) for matcher in one.matchers}
    return tuple(
        matcher for one in _selectors(left) for matcher in one.matchers if matcher not in wide
    )


def _selectors(node: Expression) -> list[VectorSelector]:
    return selectors(without_default(node))


def _implied(wanted: Matcher, given: tuple[Matcher, ...]) -> bool:
    if wanted in given:
        return True
    for matcher in given:
        if matcher.name == wanted.name and matcher.operator is MatchOperator.EQUAL:
            try:
                return predicate(wanted)(matcher.value)
            except ValueError:
                return False
    return False
