"""The shapes of binary operations: bounds, units and labels of their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, isnan, nextafter

from watchkeeper.check.part_of import is_part_of
from watchkeeper.check.shape import LabelSet, Shape, Sort
from watchkeeper.check.unit import SECONDS, TIMESTAMP, Unit
from watchkeeper.promql.signatures import COMPARISONS, SET_OPERATORS
from watchkeeper.promql.syntax import Binary

Bounds = tuple[float, float]


def binary_shape(node: Binary, left: Shape, right: Shape) -> Shape:
    """Return the shape of an operation from those of its sides."""
    if node.operator in SET_OPERATORS:
        return _set_shape(node, left, right)
    if node.operator in COMPARISONS:
        return _comparison_shape(node, left, right)
    low, high = _bounds(node, left, right)
    return Shape(
        labels=matched_labels(node, left, right),
        sort=_sort(node.operator, left, right),
        unit=_unit(node.operator, left, right),
        low=low,
        high=high,
        scalar=left.scalar and right.scalar,
        present=left.present and right.present,
        filtered=left.filtered or right.filtered,
        grouped=(left.grouped or left.scalar) and (right.grouped or right.scalar),
        nan=left.nan or right.nan or _divides_by_traffic(node.operator, right),
        metrics=left.metrics + right.metrics,
    )


def matched_labels(node: Binary, left: Shape, right: Shape) -> LabelSet:
    """Return the labels of the result of a match between vectors."""
    if right.scalar:
        return left.labels
    if left.scalar:
        return right.labels
    matching = node.matching
    if matching.group:
        many, one = (left, right) if matching.group == "left" else (right, left)
        labels = many.labels
        for label in matching.include:
            certain = labels.certain
            labels = replace(labels.add(label), certain=certain)
            if not one.labels.may_have(label):
                labels = labels.drop({label})
        return labels
    if matching.on:
        return left.labels.keep(matching.labels)
    return left.labels.drop(matching.labels)


def _sort(operator: str, left: Shape, right: Shape) -> Sort:
    """A quotient of rates is a mean; a number times or plus something is still of its sort."""
    if left.scalar == right.scalar:
        means = operator == "/" and left.sort is right.sort is Sort.RATE
        return Sort.MEAN if means else Sort.OTHER
    return right.sort if left.scalar else left.sort


def _divides_by_traffic(operator: str, right: Shape) -> bool:
    return operator in ("/", "%") and right.sort is Sort.RATE and right.low <= 0 and not right.nan


def _set_shape(node: Binary, left: Shape, right: Shape) -> Shape:
    metrics = left.metrics + right.metrics
    if node.operator != "or":
        filtered = left.filtered or not right.present
        return replace(left, present=False, filtered=filtered, metrics=left.metrics)
    unit = left.unit if left.unit == right.unit or not right.metrics else None
    return Shape(
        labels=left.labels.either(right.labels),
        sort=left.sort if not right.metrics or left.sort is right.sort else Sort.OTHER,
        unit=unit,
        low=min(left.low, right.low),
        high=max(left.high, right.high),
        present=left.present or right.present,
        filtered=left.filtered and right.filtered,
        grouped=left.grouped and (right.grouped or not right.metrics),
        nan=left.nan or right.nan,
        metrics=metrics,
    )


def _comparison_shape(node: Binary, left: Shape, right: Shape) -> Shape:
    labels = matched_labels(node, left, right)
    kept = right if left.scalar else left
    scalar = left.scalar and right.scalar
    if node.returns_bool:
        return replace(
            kept,
            labels=labels,
            sort=Sort.OTHER,
            unit=None,
            low=0.0,
            high=1.0,
            scalar=scalar,
            present=left.present and right.present,
        )
    low, high = kept.low, kept.high
    other = left if left.scalar else right
    operator = _MIRRORED.get(node.operator, node.operator) if left.scalar else node.operator
    if operator in (">", ">="):
        low = max(low, nextafter(other.low, inf) if operator == ">" else other.low)
    if operator in ("<", "<="):
        high = min(high, other.high)
    if operator == "==":
        low, high = max(low, other.low), min(high, other.high)
    nan = kept.nan and operator == "!="
    return replace(kept, labels=labels, low=low, high=high, present=False, filtered=True, nan=nan)


_MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


def _unit(operator: str, left: Shape, right: Shape) -> Unit | None:
    if operator in ("*", "/"):
        return _product_unit(operator, left, right)
    if operator in ("+", "-"):
        return _sum_unit(operator, left, right)
    return left.unit if operator == "%" else None


def _product_unit(operator: str, left: Shape, right: Shape) -> Unit | None:
    factor = right.constant if right.scalar and not right.metrics else None
    if factor and left.unit is not None:
        return left.unit.scaled(1 / factor if operator == "/" else factor)
    factor = left.constant if left.scalar and not left.metrics else None
    if factor is not None and right.unit is not None and operator == "*":
        return right.unit.scaled(factor)
    if left.unit is None or right.unit is None:
        return None
    return left.unit.divided_by(right.unit) if operator == "/" else left.unit.times(right.unit)


def _sum_unit(operator: str, left: Shape, right: Shape) -> Unit | None:
    if left.constant is not None and left.scalar:
        return right.unit
    if right.constant is not None and right.scalar:
        return left.unit
    if left.unit != right.unit:
        return None
    if operator == "-" and left.unit == Unit(TIMESTAMP):
        return Unit(SECONDS)
    return left.unit


def _bounds(node: Binary, left: Shape, right: Shape) -> Bounds:
    if node.operator == "/" and is_part_of(node.left, node.right):
        return 0.0, 1.0
    compute = _BOUNDS.get(node.operator)
    if compute is None:
        return -inf, inf
    low, high = compute((left.low, left.high), (right.low, right.high))
    return (-inf if isnan(low) else low), (inf if isnan(high) else high)


def _plus(left: Bounds, right: Bounds) -> Bounds:
    return left[0] + right[0], left[1] + right[1]


def _minus(left: Bounds, right: Bounds) -> Bounds:
    return left[0] - right[1], left[1] - right[0]


def _times(left: Bounds, right: Bounds) -> Bounds:
    products = [0.0 if 0.0 in (a, b) else a * b for a in left for b in right]
    return min(products), max(products)


def _over(left: Bounds, right: Bounds) -> Bounds:
    if right[0] == right[1] != 0:
        quotients = [one / right[0] for one in left]
        return min(quotients), max(quotients)
    return (0.0, inf) if left[0] >= 0 and right[0] >= 0 else (-inf, inf)


def _modulo(left: Bounds, right: Bounds) -> Bounds:
    return (0.0, right[1]) if left[0] >= 0 and right[0] >= 0 else (-inf, inf)


def _power(left: Bounds, right: Bounds) -> Bounds:
    if left[0] != left[1] or right[0] != right[1]:
        return -inf, inf
    try:
        value = float(left[0] ** right[0])
    except (OverflowError, ZeroDivisionError, TypeError):
        return -inf, inf
    return value, value


_BOUNDS: dict[str, Callable[[Bounds, Bounds], Bounds]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _over,
    "%": _modulo,
    "^": _power,
}
