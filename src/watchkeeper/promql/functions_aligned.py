"""What dashboards ask most, for series that share their times.

What depends on the times alone is computed once for all of them; the results are those of the
general functions, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchkeeper.promql.grid import Floats
from watchkeeper.promql.windows import Aligned, Windows

EXTRAPOLATION_THRESHOLD = 1.1
"""A window whose first or last sample is nearer to its edge than this many average gaps is
taken to reach the edge (Prometheus, extrapolatedRate)."""


@dataclass(frozen=True, slots=True)
class Edges:
    """How far samples reach in their windows, in seconds; one a moment."""

    sampled: Floats
    to_start: Floats
    to_end: Floats

    @staticmethod
    def of(block: Aligned, windows: Windows) -> Edges:
        """Measure windows: from the left edge to the first sample, to the last, to the right."""
        ends = windows.ends.times_ms
        first_ms, last_ms = block.time_at(block.first), block.time_at(block.after - 1)
        sampled = (last_ms - first_ms) / 1000
        gap = sampled / np.maximum(block.after - block.first - 1, 1)
        threshold = gap * EXTRAPOLATION_THRESHOLD
        to_start = (first_ms - (ends - windows.range_ms)) / 1000
        to_end = (ends - last_ms) / 1000
        return Edges(
            sampled,
            np.where(to_start >= threshold, gap / 2, to_start),
            np.where(to_end >= threshold, gap / 2, to_end),
        )


def extrapolated_change(
    block: Aligned, windows: Windows, *, counter: bool, per_second: bool
) -> Floats:
    """Return the change from edge to edge of each window, as rate and delta extrapolate it."""
    edges = Edges.of(block, windows)
    begin = block.at(block.first)
    change = block.at(block.after - 1)
    change -= begin
    if counter:
        _add_resets(block, change)
    factor = np.broadcast_to(edges.to_start, change.shape)
    if counter:
        to_zero = begin / change
        to_zero *= edges.sampled
        to_zero[~((change > 0) & (begin >= 0))] = np.inf
        factor = np.fmin(to_zero, factor)
    factor = factor + edges.sampled
    factor += edges.to_end
    factor /= edges.sampled
    if per_second:
        factor /= windows.range_ms / 1000
    change *= factor
    return change


def _add_resets(block: Aligned, change: Floats) -> None:
    """Add to each window the values that its counter had before it fell, in their order."""
    fell = block.values[:, 1:] < block.values[:, :-1]
    rows = np.flatnonzero(fell.any(axis=1))
    if not len(rows):
        return
    fell = fell[rows]
    before = np.zeros((len(rows), len(block.times_ms) + 1), dtype=np.int64)
    np.cumsum(fell, axis=1, out=before[:, 2:])
    lost = block.values[rows, :-1][fell]
    known = np.cumsum(before[:, -1]) - before[:, -1]
    begins = before[:, np.minimum(block.first + 1, block.after)]
    counts = before[:, block.after] - begins
    begins += known[:, None]
    for rank in range(int(counts.max(initial=0))):
        which, moments = np.nonzero(counts > rank)
        change[rows[which], moments] += lost[begins[which, moments] + rank]


def extremes(block: Aligned, better: np.ufunc) -> Floats:
    """Return the extreme of each window from a sparse table: one level a power of two."""
    counts = block.after - block.first
    found = np.zeros((len(block.rows), len(counts)))
    level = np.frexp(np.maximum(counts, 1))[1] - 1
    table = block.values
    for power in range(int(level.max(initial=0)) + 1):
        here = np.flatnonzero((level == power) & (counts > 0))
        if len(here):
            left = table.take(block.first[here], axis=1)
            found[:, here] = better(
                left, table.take(block.after[here] - (1 << power), axis=1), out=left
            )
        if table.shape[1] <= 1 << power:
            break
        table = better(table[:, : -(1 << power)], table[:, 1 << power :])
    return found
