"""Aggregations as the query writes them: their parameters, limits and warnings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.promql import aggregation
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.grid import Floats, Grid, Ints
from watchkeeper.promql.native_aggregation import sum_histograms
from watchkeeper.promql.syntax import Aggregate, Expression
from watchkeeper.promql.values import Vectors, empty

if TYPE_CHECKING:
    from watchkeeper.promql.evaluation import Evaluation

_LARGEST_LIMIT = 2.0**63


def evaluate_aggregate(evaluation: Evaluation, node: Aggregate, grid: Grid) -> Vectors:
    """Return an aggregation at every moment of the grid."""
    vector = evaluation.mixed(node.expression, grid)
    if vector.histograms is not None and node.operator not in _OF_ANY:
        return _with_histograms(evaluation, node, vector, grid)
    return _evaluate(evaluation, node, vector, grid)


_OF_ANY = frozenset({"count", "count_values", "group", "limitk", "limit_ratio"})
"""Aggregations that do not look at the values, or take any."""


def _with_histograms(
    evaluation: Evaluation, node: Aggregate, vector: Vectors, grid: Grid
) -> Vectors:
    annotations = evaluation.annotations
    if node.operator in ("sum", "avg"):
        groups = aggregation.group_series(vector, node.grouping, without=node.without)
        floats = vector.floats()
        present = groups.count(floats.present) > 0
        result = aggregation.aggregate(node.operator, floats, groups)
        return sum_histograms(node, vector, groups, replace(result, present=present), annotations)
    if (vector.is_histogram & vector.present).any():
        annotations.inform(f"ignored histogram in {node.operator} aggregation", node.expression)
    return _evaluate(evaluation, node, vector.floats().compact(), grid)


def _evaluate(evaluation: Evaluation, node: Aggregate, vector: Vectors, grid: Grid) -> Vectors:
    parameter = node.parameter
    if parameter is None:
        if not vector.labels:
            return empty(grid.count)
        groups = aggregation.group_series(vector, node.grouping, without=node.without)
        return aggregation.aggregate(node.operator, vector, groups)
    if node.operator == "count_values":
        return _count_values(evaluation, node, parameter, vector)
    wanted = evaluation.scalar(parameter, grid)
    return _with_number(evaluation, node, parameter, vector, wanted)


def _with_number(
    evaluation: Evaluation,
    node: Aggregate,
    parameter: Expression,
    vector: Vectors,
    wanted: Floats,
) -> Vectors:
    if node.operator == "quantile":
        warn_of_quantiles(evaluation.annotations, wanted, parameter)
        limits: Ints = np.zeros(0, dtype=np.int64)
    elif node.operator == "limit_ratio":
        wanted = _ratios(evaluation.annotations, parameter, wanted)
    else:
        limits = _limits(wanted)
    if not vector.labels:
        return empty(len(wanted))
    groups = aggregation.group_series(vector, node.grouping, without=node.without)
    match node.operator:
        case "quantile":
            return aggregation.quantile(vector, groups, wanted)
        case "limit_ratio":
            return aggregation.limit_ratio(vector, wanted)
        case "limitk":
            return aggregation.limit(vector, groups, limits)
    return aggregation.top(vector, groups, limits, largest=node.operator == "topk")


def _count_values(
    evaluation: Evaluation, node: Aggregate, parameter: Expression, vector: Vectors
) -> Vectors:
    label = evaluation.text(parameter)
    if not label or any(0xDC80 <= ord(one) <= 0xDCFF for one in label):
        raise QueryError(f'invalid label name "{escape_bytes(label)}"')
    if not vector.labels:
        return vector
    grouping = (*node.grouping, label) if node.without else node.grouping
    groups = aggregation.group_series(vector, grouping, without=node.without)
    return aggregation.count_values(vector, groups, label, evaluation.budget)


def escape_bytes(text: str) -> str:
    """Return a text with bytes that are no UTF-8 written as `\\xNN`."""
    return "".join(
        f"\\x{ord(one) - 0xDC00:02x}" if 0xDC80 <= ord(one) <= 0xDCFF else one for one in text
    )


def warn_of_quantiles(annotations: Annotations, wanted: Floats, node: Expression) -> None:
    """Warn of quantiles outside 0 to 1."""
    for value in dict.fromkeys(wanted[~((wanted >= 0) & (wanted <= 1))].tolist()):
        annotations.warn(f"quantile value should be between 0 and 1, got {_go_number(value)}", node)


def _ratios(annotations: Annotations, node: Expression, wanted: Floats) -> Floats:
    if np.isnan(wanted).any():
        raise QueryError("Ratio value is NaN")
    for value in dict.fromkeys(wanted[np.abs(wanted) > 1].tolist()):
        cap = math.copysign(1, value)
        annotations.warn(
            f"ratio value should be between -1 and 1, got {_go_number(value)}, "
            f"capping to {_go_number(cap)}",
            node,
        )
    return np.clip(wanted, -1, 1)


def _limits(wanted: Floats) -> Ints:
    if np.isnan(wanted).any():
        raise QueryError("Parameter value is NaN")
    if (wanted >= _LARGEST_LIMIT).any() or (wanted <= -_LARGEST_LIMIT).any():
        worst = wanted[np.abs(wanted) >= _LARGEST_LIMIT][0]
        raise QueryError(f"Scalar value {_go_number(worst)} overflows int64")
    return wanted.astype(np.int64)


def _go_number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return f"{value:.15g}"
