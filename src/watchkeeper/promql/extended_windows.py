"""Anchored and smoothed selectors: ranges whose edges have values of their own.

An anchored range takes in the last sample at or before its left edge. A smoothed one takes in a
sample beyond each edge, so that the value at the edge can be interpolated. Neither looks further
than the lookback.
"""

from __future__ import annotations

import numpy as np

from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.functions_rate import edge_value
from watchkeeper.promql.grid import Grid, Ints
from watchkeeper.promql.native_edges import smooth_histograms
from watchkeeper.promql.selection import Samples, Selection, without_stale
from watchkeeper.promql.syntax import VectorSelector, Window
from watchkeeper.promql.values import Vectors, vectors
from watchkeeper.promql.windows import Windows


def anchored_windows(
    selection: Selection, node: VectorSelector, grid: Grid, range_ms: int, lookback_ms: int
) -> Windows:
    """Return windows that begin with the sample at or before their left edge."""
    samples = _read(selection, node, grid, range_ms + lookback_ms, 0)
    plain = selection.cut(samples, grid, range_ms)
    first = _one_before(plain, samples, grid, range_ms, lookback_ms)
    return plain.spanning(
        np.where(plain.counts > 0, first, plain.after), plain.after, Window.ANCHORED
    )


def smoothed_windows(
    selection: Selection, node: VectorSelector, grid: Grid, range_ms: int, lookback_ms: int
) -> Windows:
    """Return windows that reach to a sample at or beyond each of their edges."""
    samples = _read(selection, node, grid, range_ms + lookback_ms, lookback_ms)
    plain = selection.cut(samples, grid, range_ms)
    first = _one_before(plain, samples, grid, range_ms, lookback_ms)
    after = _one_after(plain, samples, grid, lookback_ms)
    usable = (after > first) & (plain.time_at(after - 1) > grid.times_ms - range_ms)
    usable &= plain.time_at(first) <= grid.times_ms
    return plain.spanning(np.where(usable, first, after), after, Window.SMOOTHED)


def smoothed_instant(
    selection: Selection,
    node: VectorSelector,
    grid: Grid,
    lookback_ms: int,
    annotations: Annotations,
) -> Vectors:
    """Return each series at each moment, on the line between the samples around it."""
    samples = _read(selection, node, grid, lookback_ms, lookback_ms)
    known = selection.cut(samples, grid, lookback_ms)
    newest = known.after - 1
    reached = samples.columns.position_after(grid.moved(-lookback_ms)).flat
    between = (reached > known.after) & (known.time_at(newest) < grid.times_ms)
    line = edge_value(known, newest, grid.times_ms, counter=False)
    values = np.where(between, line, known.at(newest))
    result = vectors(samples.labels, values, known.counts > 0)
    return smooth_histograms(result, known, between, node, annotations)


def _read(
    selection: Selection, node: VectorSelector, grid: Grid, before_ms: int, after_ms: int
) -> Samples:
    start, end = grid.start_ms - before_ms + 1, grid.end_ms + after_ms
    return without_stale(selection.samples(node, start, end))


def _one_before(
    plain: Windows, samples: Samples, grid: Grid, range_ms: int, lookback_ms: int
) -> Ints:
    oldest = samples.columns.position_after(grid.moved(range_ms + lookback_ms)).flat
    return np.maximum(plain.first - 1, oldest)


def _one_after(plain: Windows, samples: Samples, grid: Grid, lookback_ms: int) -> Ints:
    reached = samples.columns.position_after(grid.moved(-lookback_ms)).flat
    exact = (plain.counts > 0) & (plain.time_at(plain.after - 1) == grid.times_ms)
    return np.where(exact, plain.after, np.minimum(plain.after + 1, reached))
