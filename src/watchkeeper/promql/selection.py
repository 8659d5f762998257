"""Selectors: from the store's series to vectors and windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from watchkeeper.model import STALE_BITS, Labels
from watchkeeper.ports import SeriesSource
from watchkeeper.promql.columns import Columns, Positions, grouped
from watchkeeper.promql.grid import Bools, Floats, Grid, Ints, Objects
from watchkeeper.promql.limits import Budget
from watchkeeper.promql.native_histogram import without_reset
from watchkeeper.promql.printer import format as format_expression
from watchkeeper.promql.reset_detection import ResetDetection
from watchkeeper.promql.syntax import VectorSelector
from watchkeeper.promql.values import Vectors, empty, vectors, where_present
from watchkeeper.promql.windows import Windows, go_on


def is_stale(values: Floats) -> Bools:
    """Tell which values are stale markers; other NaNs are not."""
    stale: Bools = np.ascontiguousarray(values).view(np.int64) == STALE_BITS
    return stale


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples that a selector brought, end to end."""

    labels: list[Labels]
    columns: Columns
    values: Floats
    histograms: Objects | None = None
    starts_ms: Ints | None = None


class Selection:
    """Reads what selectors ask for, each stretch once."""

    def __init__(self, source: SeriesSource, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._read: dict[tuple[object, int, int], Samples] = {}

    def with_resets(self) -> Selection:
        """Return a selection whose histograms say where they began again."""
        return Selection(ResetDetection(self._source), self._budget)

    def samples(self, selector: VectorSelector, start_ms: int, end_ms: int) -> Samples:
        """Return the samples from `start_ms` to `end_ms`, both inclusive."""
        key = (selector.all_matchers, start_ms, end_ms)
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = self._fetch(selector, start_ms, end_ms)
        return found

    def _fetch(self, selector: VectorSelector, start_ms: int, end_ms: int) -> Samples:
        self._budget.check_time()
        found = self._source.select(selector.all_matchers, start_ms, end_ms)
        self._budget.check_series(len(found), format_expression(selector))
        self._budget.spend_samples(len(found.values))
        flat = grouped(found.timestamps_ms, found.bounds, found.time_groups)
        return Samples(found.labels, flat, found.values, found.histograms, found.starts_ms)

    def instant(self, selector: VectorSelector, grid: Grid, lookback_ms: int) -> Vectors:
        """Return, for each moment, the newest sample of the `lookback_ms` before it."""
        return self.instant_with_times(selector, grid, lookback_ms)[0]

    def instant_with_times(
        self, selector: VectorSelector, grid: Grid, lookback_ms: int
    ) -> tuple[Vectors, Ints]:
        """Return the same and, in milliseconds, when each sample was taken."""
        found, newest, samples = self._newest(selector, grid, lookback_ms)
        return found, samples.columns.times_ms[newest]

    def start_timestamps(
        self, selector: VectorSelector, grid: Grid, lookback_ms: int
    ) -> tuple[Vectors, Ints]:
        """Return the same and, in milliseconds, when each sample's counter began; 0 if unknown."""
        found, newest, samples = self._newest(selector, grid, lookback_ms)
        return found, np.zeros_like(newest) if samples.starts_ms is None else samples.starts_ms[
            newest
        ]

    def _newest(
        self, selector: VectorSelector, grid: Grid, lookback_ms: int
    ) -> tuple[Vectors, Ints, Samples]:
        """Return each series' newest samples and their positions in what was read."""
        samples = self.samples(selector, grid.start_ms - lookback_ms + 1, grid.end_ms)
        if not samples.labels:
            return empty(grid.count), np.zeros((0, grid.count), dtype=np.int64), samples
        self._budget.spend_samples(len(samples.labels) * grid.count)
        before = samples.columns.position_after(grid)
        newest = np.maximum(before.flat - 1, 0)
        values = samples.values[newest]
        present = _is_recent(samples.columns, before, grid, lookback_ms)
        stale = is_stale(values)
        if stale.any():
            present = present & ~stale
        found = vectors(samples.labels, values, present)
        if samples.histograms is not None:
            found = replace(found, histograms=where_present(present, samples.histograms[newest]))
        return found, newest, samples

    def windows(self, selector: VectorSelector, grid: Grid, range_ms: int) -> Windows:
        """Return, for each moment, the samples of the `range_ms` before it, open on the left."""
        start_ms = grid.start_ms - range_ms + 1
        return self.cut(
            without_stale(self.samples(selector, start_ms, grid.end_ms)), grid, range_ms
        )

    def cut(self, samples: Samples, grid: Grid, range_ms: int) -> Windows:
        """Cut samples into one window a series and moment."""
        self._budget.spend_samples(len(samples.labels) * grid.count)
        return windows_of(samples, grid, range_ms, self._budget.check_time)


def _is_recent(columns: Columns, before: Positions, grid: Grid, lookback_ms: int) -> Bools:
    """Tell at which moments a series has a sample within the lookback."""
    starts = columns.bounds[:-1] if columns.models is None else columns.bounds[columns.models]
    newest = starts[:, None] + np.maximum(before.inside - 1, 0)
    times = columns.times_ms[np.minimum(newest, len(columns.times_ms) - 1)]
    recent = (before.inside > 0) & (times > grid.times_ms - lookback_ms)
    return before.by_series(recent)


def windows_of(
    samples: Samples, grid: Grid, range_ms: int, tick: Callable[[], None] = go_on
) -> Windows:
    """Cut samples into one window a series and moment; `tick` as in Windows."""
    return Windows(
        samples.labels,
        samples.columns.times_ms,
        samples.values,
        samples.columns.position_after(grid.moved(range_ms)),
        samples.columns.position_after(grid),
        grid,
        range_ms,
        np.zeros(len(samples.labels), dtype=np.bool_),
        histograms=samples.histograms,
        starts_ms=samples.starts_ms,
        tick=tick,
    )


def without_stale(samples: Samples) -> Samples:
    """Return the samples without stale markers."""
    stale = is_stale(samples.values)
    if not stale.any():
        return samples
    kept = ~stale
    before = np.concatenate(([0], np.cumsum(kept)))
    flat = Columns(samples.columns.times_ms[kept], before[samples.columns.bounds])
    histograms = None if samples.histograms is None else samples.histograms[kept]
    starts = None if samples.starts_ms is None else samples.starts_ms[kept]
    return Samples(samples.labels, flat, samples.values[kept], histograms, starts)


def samples_of(vector: Vectors, grid: Grid) -> Samples:
    """Return what is present in a vector as samples, for a subquery's windows."""
    counts = vector.present.sum(axis=1)
    bounds = np.concatenate(([0], np.cumsum(counts)))
    times = np.broadcast_to(grid.times_ms, vector.present.shape)[vector.present]
    histograms = None
    if vector.histograms is not None:
        histograms = vector.histograms[vector.present]
        for place, one in enumerate(histograms):
            histograms[place] = one if one is None else without_reset(one)
    whole = bool(vector.present.all())
    flat = grouped(times, bounds, np.zeros_like(counts)) if whole else Columns(times, bounds)
    return Samples(vector.labels, flat, vector.values[vector.present], histograms)
