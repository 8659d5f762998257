"""Samples from several places, put together by series without being sorted again.

A layer is what one place (a stretch of memory, two hours of a file) has of the wanted series.
Its rows are slices of flat columns, which the assembly copies to where they belong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model import Labels
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage.column_codec import Ints, row_starts
from watchkeeper.storage.sample_columns import Objects, Times, Values

_FEW_TIMES = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one piece of a layer, none twice.

    Row `i` belongs to series `series[i]` of the result and has `counts[i]` samples: values from
    `first[i]` on, times from `time_first[i]` on. Rows of one layer with the same `groups` have
    the same times.
    """

    series: Ints
    counts: Ints
    groups: Ints
    values: Values
    first: Ints
    times: Times
    time_first: Ints
    starts_ms: Times | None = None
    histograms: Objects | None = None


Layer = Sequence[Rows]


def assemble(labels: list[Labels], layers: Sequence[Layer]) -> SeriesColumns:
    """Return the series that have samples. Layers go from old to new; labels are in order."""
    there, columns = assemble_rows(len(labels), layers)
    if len(there) < len(labels):
        labels = [labels[one] for one in there.tolist()]
    return replace(columns, labels=labels)


def assemble_rows(series: int, layers: Sequence[Layer]) -> tuple[Ints, SeriesColumns]:
    """Return which of so many series have samples, and these series without their labels."""
    pieces = [rows for layer in layers for rows in layer]
    if len(pieces) == 1 and len(pieces[0].series) == series:
        return _only(pieces[0])
    counts = np.zeros(series, np.int64)
    for rows in pieces:
        counts[rows.series] += rows.counts
    groups = _joint_groups(series, layers)
    bounds = row_starts(counts)
    target = _Target(int(bounds[-1]), pieces)
    place = bounds[:-1].copy()
    for rows in pieces:
        target.take(rows, place[rows.series])
        place[rows.series] += rows.counts
    return target.columns(bounds, groups)


def _only(rows: Rows) -> tuple[Ints, SeriesColumns]:
    """Return the rows of one piece that has a row for every series."""
    if len(rows.series) > 1 and (rows.series[1:] < rows.series[:-1]).any():
        order = np.argsort(rows.series)
        rows = replace(
            rows,
            series=rows.series[order],
            counts=rows.counts[order],
            groups=rows.groups[order],
            first=rows.first[order],
            time_first=rows.time_first[order],
        )
    bounds = row_starts(rows.counts)
    target = _Target(int(bounds[-1]), [rows])
    target.take(rows, bounds[:-1])
    return target.columns(bounds, rows.groups)


class _Target:
    """The columns that rows are copied into."""

    def __init__(self, size: int, pieces: Sequence[Rows]) -> None:
        self.times = np.empty(size, np.int64)
        self.values = np.empty(size, np.float64)
        self.starts_ms: Times | None = None
        self.histograms: Objects | None = None
        if any(rows.starts_ms is not None for rows in pieces):
            self.starts_ms = np.zeros(size, np.int64)
        if any(rows.histograms is not None for rows in pieces):
            self.histograms = np.full(size, None)

    def columns(self, bounds: Ints, groups: Ints) -> tuple[Ints, SeriesColumns]:
        """Return which series have samples, and their columns."""
        there = np.flatnonzero(bounds[1:] > bounds[:-1])
        if len(there) < len(bounds) - 1:
            bounds = np.append(bounds[there], bounds[-1])
            groups = groups[there]
        return there, SeriesColumns(
            [], bounds, self.times, self.values, groups, self.histograms, self.starts_ms
        )

    def take(self, rows: Rows, place: Ints) -> None:
        """Copy rows to their places."""
        if not len(place):
            return
        count, step = int(rows.counts[0]), _step(place)
        if step and (rows.counts == count).all():
            self._take_even(rows, int(place[0]), step, count)
            if rows.starts_ms is None and rows.histograms is None:
                return
        ramp = np.arange(int(rows.counts.sum()))
        offsets = row_starts(rows.counts)[:-1]
        at = np.repeat(place - offsets, rows.counts) + ramp
        source = np.repeat(rows.first - offsets, rows.counts) + ramp
        self.values[at] = rows.values[source]
        self.times[at] = rows.times[np.repeat(rows.time_first - offsets, rows.counts) + ramp]
        if self.starts_ms is not None and rows.starts_ms is not None:
            self.starts_ms[at] = rows.starts_ms[source]
        if self.histograms is not None and rows.histograms is not None:
            self.histograms[at] = rows.histograms[source]

    def _take_even(self, rows: Rows, place: int, step: int, count: int) -> None:
        """Copy rows of one length to places at one distance: whole tables at once."""
        shape = len(rows.first), count
        values = _table(self.values, place, shape, step)
        times = _table(self.times, place, shape, step)
        apart, begin = _step(rows.first), int(rows.time_first[0])
        if apart:
            values[:] = _table(rows.values, int(rows.first[0]), shape, apart)
        else:
            values[:] = rows.values[rows.first[:, None] + np.arange(count)]
        if (rows.time_first == begin).all():
            times[:] = rows.times[begin : begin + count]
        else:
            times[:] = rows.times[rows.time_first[:, None] + np.arange(count)]


def _step(places: Ints) -> int:
    """Return the distance between neighbours if it is always the same and forwards, else 0."""
    if len(places) == 1:
        return 1
    step = int(places[1] - places[0])
    return step if step > 0 and (places[1:] - places[:-1] == step).all() else 0


def _table(flat: NDArray[Any], begin: int, shape: tuple[int, int], step: int) -> NDArray[Any]:
    """Return slices of flat numbers, `step` apart, as a table over the same memory."""
    # NumPy's as_strided does the same, ten times slower; both trust the caller to stay inside.
    return np.ndarray(shape, flat.dtype, flat, 8 * begin, (8 * step, 8))


def _joint_groups(series: int, layers: Sequence[Layer]) -> Ints:
    """Return which series have the same times in every layer."""
    joint = np.zeros(series, np.int64)
    most = 1
    for layer in layers:
        own = np.zeros(series, np.int64)
        for rows in layer:
            own[rows.series] = np.where(rows.counts > 0, rows.groups + 1, 0)
        kinds = int(own.max(initial=0)) + 1
        if most > (1 << 62) // kinds:
            numbers = np.unique(joint, return_inverse=True)[1]
            joint, most = numbers.astype(np.int64), series
        joint = joint * kinds + own
        most *= kinds
    return joint


def within(
    times: Times, first: Ints, counts: Ints, groups: Ints, start_ms: int, end_ms: int
) -> tuple[Ints, Ints]:
    """Return the first place and the count of each row's times that lie in a range.

    Rows of one group have the same times, so one of them is looked at.
    """
    if (groups == groups[0]).all():
        begin = int(first[0])
        own = times[begin : begin + int(counts[0])]
        low, high = own.searchsorted((start_ms, end_ms + 1)).tolist()
        return first + low, np.full(len(first), high - low)
    _, model, numbers = np.unique(groups, return_index=True, return_inverse=True)
    begins, lengths = first[model], counts[model]
    if len(model) <= _FEW_TIMES:
        before = np.empty(len(model), np.int64)
        until = np.empty(len(model), np.int64)
        for one, (begin, length) in enumerate(zip(begins.tolist(), lengths.tolist(), strict=True)):
            own = times[begin : begin + length]
            before[one], until[one] = np.searchsorted(own, (start_ms, end_ms + 1))
    else:
        offsets = row_starts(lengths)
        ramp = np.arange(int(offsets[-1]))
        own = times[np.repeat(begins - offsets[:-1], lengths) + ramp]
        before = _counted(own < start_ms, offsets)
        until = _counted(own <= end_ms, offsets)
    return first + before[numbers], (until - before)[numbers]


def _counted(marks: NDArray[np.bool_], offsets: Ints) -> Ints:
    sums = np.concatenate(([0], np.cumsum(marks)))
    return sums[offsets[1:]] - sums[offsets[:-1]]
