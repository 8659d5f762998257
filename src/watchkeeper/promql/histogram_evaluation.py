"""Functions of histograms, classic and native alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watchkeeper.model import METRIC_NAME, NativeHistogram
from watchkeeper.promql import native_measures as native
from watchkeeper.promql.aggregate_evaluation import warn_of_quantiles
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.functions_histogram import (
    Measure,
    Notices,
    fraction,
    measure_classic,
    quantile,
)
from watchkeeper.promql.grid import Floats, Grid
from watchkeeper.promql.label_sets import bare, replaced, value_of
from watchkeeper.promql.literals import format_openmetrics_number
from watchkeeper.promql.merging import merge_same
from watchkeeper.promql.syntax import Call, Expression
from watchkeeper.promql.values import Vectors, empty, stack

if TYPE_CHECKING:
    from watchkeeper.promql.evaluation import Evaluation

NativeMeasure = Callable[[NativeHistogram, int, str], float]
"""From a histogram, the number of its moment and its metric's name to a number."""


def _average(histogram: NativeHistogram) -> float:
    return histogram.sum / histogram.count if histogram.count else math.nan


def _deviation(histogram: NativeHistogram) -> float:
    return math.sqrt(native.variance(histogram))


PROPERTIES: dict[str, Callable[[NativeHistogram], float]] = {
    "histogram_avg": _average,
    "histogram_count": lambda histogram: histogram.count,
    "histogram_stddev": _deviation,
    "histogram_stdvar": native.variance,
    "histogram_sum": lambda histogram: histogram.sum,
}
"""Functions that ask a native histogram for one number; floats have no answer."""


_WITHOUT_BUCKETS = frozenset({"histogram_avg", "histogram_count", "histogram_sum"})


def evaluate_property(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    """Return a number of each native histogram."""
    reader = evaluation.with_resets() if node.name in _WITHOUT_BUCKETS else evaluation
    vector = reader.mixed(node.arguments[0], grid)
    ask = PROPERTIES[node.name]
    return _measure_native(vector, lambda histogram, _moment, _name: ask(histogram))


def _measure_native(vector: Vectors, measure: NativeMeasure) -> Vectors:
    kinds = vector.is_histogram & vector.present
    values = np.zeros(vector.values.shape)
    if vector.histograms is not None:
        for row, column in zip(*np.nonzero(kinds), strict=True):
            name = value_of(vector.labels[row], METRIC_NAME)
            values[row, column] = measure(vector.histograms[row, column], int(column), name)
    return replace(vector.without_name(values, kinds), histograms=None).compact()


def evaluate_quantile(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    """Return a quantile of each histogram."""
    wanted = evaluation.scalar(node.arguments[0], grid)
    vector = evaluation.mixed(node.arguments[1], grid)
    warn_of_quantiles(evaluation.annotations, wanted, node.arguments[0])
    return _quantile(evaluation.annotations, node.arguments[1], vector, wanted)


def evaluate_quantiles(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    """Return several quantiles of each histogram, told apart by a label."""
    vector = evaluation.mixed(node.arguments[0], grid)
    label = evaluation.text(node.arguments[1])
    pieces: list[Vectors] = []
    for argument in node.arguments[2:]:
        wanted = evaluation.scalar(argument, grid)
        warn_of_quantiles(evaluation.annotations, wanted, argument)
        found = _quantile(evaluation.annotations, node.arguments[0], vector, wanted)
        value = format_openmetrics_number(float(wanted[0]))
        pieces.append(replace(found, labels=[replaced(one, label, value) for one in found.labels]))
    return merge_same(stack(pieces)) if pieces else empty(grid.count)


def _quantile(
    annotations: Annotations, node: Expression, vector: Vectors, wanted: Floats
) -> Vectors:
    def of_native(histogram: NativeHistogram, moment: int, name: str) -> float:
        found = native.quantile(float(wanted[moment]), histogram)
        if math.isnan(histogram.sum):
            effect = "result is NaN" if math.isnan(found) else "result is skewed higher"
            annotations.inform(
                f"input to histogram_quantile has NaN observations, {effect}{_of_metric(name)}",
                node,
            )
        return found

    return _measured(annotations, node, vector, quantile(wanted), of_native)


def evaluate_fraction(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    """Return the share of each histogram's observations between two values."""
    lower, upper = (evaluation.scalar(argument, grid) for argument in node.arguments[:2])
    vector = evaluation.mixed(node.arguments[2], grid)
    annotations = evaluation.annotations

    def of_native(histogram: NativeHistogram, moment: int, name: str) -> float:
        if math.isnan(histogram.sum):
            annotations.inform(
                "input to histogram_fraction has NaN observations, which are excluded from all "
                f"fractions{_of_metric(name)}",
                node.arguments[2],
            )
        return native.fraction(float(lower[moment]), float(upper[moment]), histogram)

    return _measured(annotations, node.arguments[2], vector, fraction(lower, upper), of_native)


def _measured(
    annotations: Annotations,
    node: Expression,
    vector: Vectors,
    measure: Measure,
    of_native: NativeMeasure,
) -> Vectors:
    notices = Notices([], [])
    classic = measure_classic(vector.floats().compact(), measure, notices)
    _tell(annotations, node, notices)
    if vector.histograms is None:
        return merge_same(classic)
    found = _measure_native(vector, of_native)
    classic, found = _without_both(annotations, node, classic, found)
    return merge_same(stack([classic, found]))


def _without_both(
    annotations: Annotations, node: Expression, classic: Vectors, found: Vectors
) -> tuple[Vectors, Vectors]:
    """Drop what is both a classic and a native histogram at one moment, and warn."""
    rows = {bare(labels): row for row, labels in enumerate(found.labels)}
    keep_classic, keep_native = classic.present.copy(), found.present.copy()
    for row, labels in enumerate(classic.labels):
        other = rows.get(bare(labels))
        if other is None:
            continue
        both = classic.present[row] & found.present[other]
        if both.any():
            name = value_of(found.labels[other], METRIC_NAME)
            annotations.warn(
                f"vector contains a mix of classic and native histograms{_of_metric(name)}", node
            )
        keep_classic[row] &= ~both
        keep_native[other] &= ~both
    return classic.masked(keep_classic), found.masked(keep_native)


def _tell(annotations: Annotations, node: Expression, notices: Notices) -> None:
    for name, text in notices.bad_labels:
        annotations.warn(
            f'bucket label "le" is missing or has a malformed value of "{text}"{_of_metric(name)}',
            node,
        )
    for name in notices.mended:
        annotations.inform(
            "input to histogram_quantile needed to be fixed for monotonicity (see "
            "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
            f"{_of_metric(name)}",
            node,
        )


def _of_metric(name: str) -> str:
    return f' for metric name "{name}"' if name else ""
