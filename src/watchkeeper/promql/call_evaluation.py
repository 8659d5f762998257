"""Function calls: which code answers which name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.model import METRIC_NAME, Labels, MatchOperator
from watchkeeper.promql import functions_native
from watchkeeper.promql import functions_over_time as over_time
from watchkeeper.promql import functions_rate as rates
from watchkeeper.promql.aggregate_evaluation import warn_of_quantiles
from watchkeeper.promql.functions_info import evaluate_info
from watchkeeper.promql.functions_label import label_join, label_replace, sort_by_label
from watchkeeper.promql.functions_math import ELEMENTWISE, clamp, round_to
from watchkeeper.promql.functions_time import CALENDAR, calendar
from watchkeeper.promql.grid import Grid
from watchkeeper.promql.histogram_evaluation import (
    PROPERTIES,
    evaluate_fraction,
    evaluate_property,
    evaluate_quantile,
    evaluate_quantiles,
)
from watchkeeper.promql.label_sets import value_of
from watchkeeper.promql.start_timestamps import overlapping
from watchkeeper.promql.syntax import (
    Call,
    Expression,
    MatrixSelector,
    Parens,
    VectorSelector,
)
from watchkeeper.promql.values import Scalars, Vectors, empty, vectors
from watchkeeper.promql.windows import Value, Windows

if TYPE_CHECKING:
    from watchkeeper.promql.evaluation import Evaluation

Handler = Callable[["Evaluation", Call, Grid], Value]

WINDOWED: dict[str, Callable[[Windows], Vectors]] = {
    "avg_over_time": over_time.avg_over_time,
    "changes": rates.changes,
    "count_over_time": over_time.count_over_time,
    "delta": rates.delta,
    "deriv": over_time.deriv,
    "first_over_time": over_time.first_over_time,
    "idelta": rates.idelta,
    "increase": rates.increase,
    "irate": rates.irate,
    "last_over_time": over_time.last_over_time,
    "mad_over_time": over_time.mad_over_time,
    "max_over_time": over_time.max_over_time,
    "min_over_time": over_time.min_over_time,
    "present_over_time": over_time.present_over_time,
    "rate": rates.rate,
    "resets": rates.resets,
    "stddev_over_time": over_time.stddev_over_time,
    "stdvar_over_time": over_time.stdvar_over_time,
    "sum_over_time": over_time.sum_over_time,
    "ts_of_first_over_time": over_time.ts_of_first_over_time,
    "ts_of_last_over_time": over_time.ts_of_last_over_time,
    "ts_of_max_over_time": over_time.ts_of_max_over_time,
    "ts_of_min_over_time": over_time.ts_of_min_over_time,
}
"""Functions of one range vector."""

_OF_COUNTERS = frozenset({"rate", "increase"})
_COUNTER_ENDINGS = ("_total", "_sum", "_count", "_bucket")


def evaluate_call(evaluation: Evaluation, node: Call, grid: Grid) -> Value:
    """Return a function's value at every moment of the grid."""
    if node.name in WINDOWED:
        windows = evaluation.mixed_windows(node.arguments[0], grid)
        if node.name in _OF_COUNTERS:
            _inform_of_non_counters(evaluation, node, windows.only(histograms=False))
            _warn_of_overlaps(evaluation, node, windows)
        if windows.histograms is None:
            return WINDOWED[node.name](windows)
        return functions_native.evaluate(
            node.name, windows, WINDOWED[node.name], node.arguments[0], evaluation.annotations
        )
    if node.name in ELEMENTWISE:
        vector = evaluation.vector(node.arguments[0], grid)
        return vector.without_name(ELEMENTWISE[node.name](vector.values))
    if node.name in PROPERTIES:
        return evaluate_property(evaluation, node, grid)
    if node.name in CALENDAR:
        return _calendar(evaluation, node, grid)
    handler = _HANDLERS.get(node.name)
    if handler is None:
        raise QueryError(f"function {node.name}() is not built yet")
    return handler(evaluation, node, grid)


def _inform_of_non_counters(evaluation: Evaluation, node: Call, windows: Windows) -> None:
    """Say which metrics do not look like counters though their rate is asked for."""
    used = np.flatnonzero(windows.counts.any(axis=1)).tolist()
    kinds = {_name_and_type(windows.labels[row]) for row in used}
    for name, kind in sorted(kinds):
        if kind and kind not in ("counter", "histogram"):
            evaluation.annotations.inform(
                'metric might not be a counter, __type__ label is not set to "counter" or '
                f'"histogram", got "{kind}": "{name}"',
                node.arguments[0],
            )
        elif name and not kind and not name.endswith(_COUNTER_ENDINGS):
            evaluation.annotations.inform(
                "metric might not be a counter, name does not end in "
                f'_total/_sum/_count/_bucket: "{name}"',
                node.arguments[0],
            )


def _warn_of_overlaps(evaluation: Evaluation, node: Call, windows: Windows) -> None:
    """Say which metrics have counters that began before their predecessors' last samples."""
    marks = overlapping(windows)
    if marks is None:
        return
    rows = np.flatnonzero(rates.count_inside(windows, marks).any(axis=1)).tolist()
    for name in sorted({value_of(windows.labels[row], METRIC_NAME) for row in rows}):
        evaluation.annotations.warn(
            "sample has start time that overlaps with previous sample timestamp for metric "
            f'"{name}"',
            node.arguments[0],
        )


def _name_and_type(labels: Labels) -> tuple[str, str]:
    """Return a series' metric name and `__type__`; most have the name first and no type."""
    usual = len(labels) > 1 and labels[0][0] == METRIC_NAME and labels[1][0][0] != "_"
    if usual:
        return labels[0][1], ""
    return value_of(labels, METRIC_NAME), value_of(labels, "__type__")


def _calendar(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    if node.arguments:
        vector = evaluation.vector(node.arguments[0], grid)
        return vector.without_name(calendar(node.name, vector.values))
    return _vector(calendar(node.name, grid.times_ms / 1000))


def _vector(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vectors:
    return vectors([()], values[None, :], np.ones((1, len(values)), dtype=np.bool_))


def _clamp(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    vector = evaluation.vector(node.arguments[0], grid)
    bounds = [evaluation.scalar(argument, grid) for argument in node.arguments[1:]]
    endless = np.full(grid.count, np.inf)
    low = -endless if node.name == "clamp_max" else bounds[0]
    high = endless if node.name == "clamp_min" else bounds[-1]
    present = vector.present & ~(low > high)
    return vector.without_name(clamp(vector.values, low, high), present)


def _round(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    vector = evaluation.vector(node.arguments[0], grid)
    nearest = evaluation.scalar(node.arguments[1], grid) if len(node.arguments) > 1 else np.ones(1)
    return vector.without_name(round_to(vector.values, nearest))


def _time(_evaluation: Evaluation, _node: Call, grid: Grid) -> Scalars:
    return Scalars(grid.times_ms / 1000)


def _of_the_query(evaluation: Evaluation, node: Call, grid: Grid) -> Scalars:
    whole = evaluation.query_grid
    milliseconds = {
        "start": whole.start_ms,
        "end": whole.end_ms,
        "step": whole.step_ms,
        "range": whole.end_ms - whole.start_ms,
    }[node.name]
    return Scalars(np.full(grid.count, milliseconds / 1000))


def _pi(_evaluation: Evaluation, _node: Call, grid: Grid) -> Scalars:
    return Scalars(np.full(grid.count, math.pi))


def _extreme_of(evaluation: Evaluation, node: Call, grid: Grid) -> Scalars:
    left, right = (evaluation.scalar(argument, grid) for argument in node.arguments)
    return Scalars(np.minimum(left, right) if node.name == "min_of" else np.maximum(left, right))


def _scalar(evaluation: Evaluation, node: Call, grid: Grid) -> Scalars:
    vector = evaluation.vector(node.arguments[0], grid)
    alone = vector.present.sum(axis=0) == 1
    values = np.where(vector.present, vector.values, 0.0)
    chosen = np.where(vector.present, values, -np.inf).max(axis=0, initial=-np.inf)
    has_nan = (vector.present & np.isnan(vector.values)).any(axis=0)
    return Scalars(np.where(alone & ~has_nan, chosen, np.nan))


def _to_vector(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    return _vector(evaluation.scalar(node.arguments[0], grid))


def _timestamp(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    argument = _unwrapped(node.arguments[0])
    if isinstance(argument, VectorSelector):
        looked = evaluation.moments_of(argument.at, argument.offset, grid)
        vector, times = evaluation.selection.instant_with_times(
            argument, looked, evaluation.lookback_ms
        )
        return vector.without_name(times / 1000)
    vector = evaluation.mixed(argument, grid)
    now = np.broadcast_to(grid.times_ms / 1000, vector.values.shape)
    return vector.without_name(now)


def _start_timestamp(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    argument = _unwrapped(node.arguments[0])
    if not isinstance(argument, VectorSelector):
        evaluation.mixed(argument, grid)
        return empty(grid.count)
    looked = evaluation.moments_of(argument.at, argument.offset, grid)
    vector, starts = evaluation.selection.start_timestamps(argument, looked, evaluation.lookback_ms)
    return vector.without_name(starts / 1000)


def _unwrapped(node: Expression) -> Expression:
    return _unwrapped(node.expression) if isinstance(node, Parens) else node


def _absent(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    vector = evaluation.mixed(node.arguments[0], grid)
    present = vector.present.sum(axis=0, keepdims=True) == 0
    labels = _labels_of_absence(node.arguments[0])
    return vectors([labels], np.ones((1, grid.count)), present)


def _absent_over_time(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    windows = evaluation.mixed_windows(node.arguments[0], grid)
    present = windows.counts.sum(axis=0, keepdims=True) == 0
    labels = _labels_of_absence(node.arguments[0])
    return vectors([labels], np.ones((1, grid.count)), present)


def _labels_of_absence(node: Expression) -> Labels:
    """Return the labels that the missing series would have, where its selector says so."""
    node = _unwrapped(node)
    if isinstance(node, MatrixSelector):
        node = node.vector
    if not isinstance(node, VectorSelector):
        return ()
    values: dict[str, str] = {}
    unclear: set[str] = set()
    for matcher in node.matchers:
        if matcher.name == METRIC_NAME:
            continue
        if matcher.operator is MatchOperator.EQUAL and matcher.name not in values:
            values[matcher.name] = matcher.value
        else:
            unclear.add(matcher.name)
    return tuple(
        sorted((name, value) for name, value in values.items() if value and name not in unclear)
    )


def _floats_of(evaluation: Evaluation, node: Expression, grid: Grid) -> Windows:
    windows = evaluation.mixed_windows(node, grid)
    functions_native.inform_of_ignored(windows, node, evaluation.annotations)
    return windows.only(histograms=False)


def _quantile_over_time(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    wanted = evaluation.scalar(node.arguments[0], grid)
    windows = _floats_of(evaluation, node.arguments[1], grid)
    if windows.counts.any():
        warn_of_quantiles(evaluation.annotations, wanted, node.arguments[0])
    return over_time.quantile_over_time(windows, wanted)


def _predict_linear(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    windows = _floats_of(evaluation, node.arguments[0], grid)
    seconds = evaluation.scalar(node.arguments[1], grid)
    return over_time.predict_linear(windows, seconds, grid.times_ms)


def _smoothing(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    windows = _floats_of(evaluation, node.arguments[0], grid)
    factors = [evaluation.scalar(argument, grid) for argument in node.arguments[1:]]
    for what, factor in zip(("smoothing", "trend"), factors, strict=True):
        wrong = factor[~((factor >= 0) & (factor <= 1))]
        if len(wrong):
            raise QueryError(
                f"invalid {what} factor. Expected: 0 <= {what[0]}f <= 1, got: {wrong[0]:f}"
            )
    return over_time.double_exponential_smoothing(windows, factors[0], factors[1])


def _label_replace(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    vector = evaluation.mixed(node.arguments[0], grid)
    texts = [evaluation.text(argument) for argument in node.arguments[1:]]
    return label_replace(vector, texts[0], texts[1], texts[2], texts[3], evaluation.budget)


def _label_join(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    vector = evaluation.mixed(node.arguments[0], grid)
    texts = [evaluation.text(argument) for argument in node.arguments[1:]]
    return label_join(vector, texts[0], texts[1], texts[2:], evaluation.budget)


def _sort(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    vector = evaluation.vector(node.arguments[0], grid)
    if _unsortable(evaluation, node):
        return vector
    if grid.count != 1 or not vector.labels:
        return vector
    values = vector.values[:, 0]
    key = -values if node.name == "sort_desc" else values
    return replace(vector.take(np.argsort(key, kind="stable")), ordered=True)


def _sort_by_label(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    vector = evaluation.mixed(node.arguments[0], grid)
    names = [evaluation.text(argument) for argument in node.arguments[1:]]
    if _unsortable(evaluation, node) or not vector.labels:
        return vector
    return sort_by_label(vector, names, descending=node.name.endswith("desc"))


def _unsortable(evaluation: Evaluation, node: Call) -> bool:
    if evaluation.is_range:
        evaluation.annotations.warn(
            "sort is ineffective for range queries since results are always ordered by labels",
            node,
        )
    return evaluation.is_range


_HANDLERS: dict[str, Handler] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "clamp_max": _clamp,
    "clamp_min": _clamp,
    "double_exponential_smoothing": _smoothing,
    "end": _of_the_query,
    "histogram_fraction": evaluate_fraction,
    "histogram_quantile": evaluate_quantile,
    "histogram_quantiles": evaluate_quantiles,
    "info": evaluate_info,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "max_of": _extreme_of,
    "min_of": _extreme_of,
    "pi": _pi,
    "predict_linear": _predict_linear,
    "quantile_over_time": _quantile_over_time,
    "range": _of_the_query,
    "round": _round,
    "scalar": _scalar,
    "sort": _sort,
    "sort_by_label": _sort_by_label,
    "sort_by_label_desc": _sort_by_label,
    "sort_desc": _sort,
    "start": _of_the_query,
    "start_timestamp": _start_timestamp,
    "step": _of_the_query,
    "time": _time,
    "timestamp": _timestamp,
    "vector": _to_vector,
}
