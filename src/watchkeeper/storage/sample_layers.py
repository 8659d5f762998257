"""Samples from several places, put together by series without being sorted again.

A layer is what one place (a stretch of memory, two hours of a file) has of the wanted series.
Its rows are slices of flat columns, which the assembly copies to where they belong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
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
    pieces = [rows for layer in layers for rows in layer]
    counts = np.zeros(len(labels), np.int64)
    for rows in pieces:
        counts[rows.series] += rows.counts
    groups = _joint_groups(len(labels), layers)
    bounds = row_starts(counts)
    target = _Target(int(bounds[-1]), pieces)
    place = bounds[:-1].copy()
    for rows in pieces:
        target.take(rows, place[rows.series])
        place[rows.series] += rows.counts
    some = counts > 0
    if not some.all():
        labels = [labels[one] for one in np.flatnonzero(some).tolist()]
        bounds = np.append(bounds[:-1][some], bounds[-1])
        groups = groups[some]
    return SeriesColumns(
        labels, bounds, target.times, target.values, groups, target.histograms, target.starts_ms
    )


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

    def take(self, rows: Rows, place: Ints) -> None:
        """Copy rows to their places."""
        if not len(place):
            return
        count, step = int(rows.counts[0]), _step(place)
        if step and count and (rows.counts == count).all():
            into = slice(int(place[0]), None)
            self._take_even(
                rows,
                count,
                _table(self.values[into], len(place), count, step),
                _table(self.times[into], len(place), count, step),
            )
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

    def _take_even(self, rows: Rows, count: int, values: Values, times: Times) -> None:
        """Copy rows of one length to places at one distance: whole tables at once."""
        step = _step(rows.first)
        begin = int(rows.first[0])
        if step:
            values[:] = _table(rows.values[begin:], len(rows.first), count, step)
        else:
            values[:] = rows.values[rows.first[:, None] + np.arange(count)]
        begin = int(rows.time_first[0])
        if (rows.time_first == begin).all():
            times[:] = rows.times[begin : begin + count]
        else:
            times[:] = rows.times[rows.time_first[:, None] + np.arange(count)]


def _step(places: Ints) -> int:
    """Return the distance between neighbours if it is always the same and forwards, else 0."""
    if len(places) == 1:
        return 1
    steps = np.diff(places)
    return int(steps[0]) if steps[0] > 0 and (steps == steps[0]).all() else 0


def _table(flat: NDArray[Any], rows: int, count: int, step: int) -> NDArray[Any]:
    """Return `rows` slices of `count` numbers, `step` apart, as a table over the same memory."""
    return as_strided(flat, (rows, count), (step * 8, 8))


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
