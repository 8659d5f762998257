"""The moments a query is evaluated at, and which samples lie before each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]


@dataclass(frozen=True)
class Grid:
    """`count` moments from `start_ms` on, `step_ms` apart (0: all the same moment)."""

    start_ms: int
    step_ms: int
    count: int

    @cached_property
    def times_ms(self) -> Ints:
        """The moments as an array of `count` milliseconds."""
        return self.start_ms + self.step_ms * np.arange(self.count, dtype=np.int64)

    @property
    def end_ms(self) -> int:
        """The last moment."""
        return self.start_ms + self.step_ms * (self.count - 1)

    @property
    def first(self) -> Grid:
        """The first moment alone."""
        return Grid(self.start_ms, self.step_ms, 1)

    def moved(self, milliseconds: int) -> Grid:
        """The same grid earlier by `milliseconds`."""
        return Grid(self.start_ms - milliseconds, self.step_ms, self.count)

    def fixed(self, moment_ms: int) -> Grid:
        """As many moments, all at `moment_ms`."""
        return Grid(moment_ms, 0, self.count)


@dataclass(frozen=True, slots=True)
class Columns:
    """The times of many series end to end: series `i` owns `bounds[i]` to `bounds[i + 1]`.

    `shared` says that all series have the same times.
    """

    times_ms: Ints
    bounds: Ints
    shared: bool

    @property
    def series(self) -> int:
        """How many series there are."""
        return len(self.bounds) - 1

    def position_after(self, grid: Grid) -> Ints:
        """Return, by series and moment, the position after the last time at or before it.

        Shape (series, grid.count); positions are into the flat columns.
        """
        starts = self.bounds[:-1, None]
        if self.series == 0:
            return np.zeros((0, grid.count), dtype=np.int64)
        if self.shared:
            row = self.times_ms[: self.bounds[1]]
            inside: Ints = np.searchsorted(row, grid.times_ms, side="right").astype(np.int64)
            return starts + inside[None, :]
        if grid.count == 1 or grid.step_ms == 0:
            before = np.concatenate(([0], np.cumsum(self.times_ms <= grid.start_ms)))
            counts = before[self.bounds[1:]] - before[self.bounds[:-1]]
            same: Ints = np.broadcast_to(counts[:, None], (self.series, grid.count))
            return starts + same
        return starts + self._count_by_step(grid)

    def _count_by_step(self, grid: Grid) -> Ints:
        step = -((grid.start_ms - self.times_ms) // grid.step_ms)
        np.clip(step, 0, grid.count, out=step)
        width = grid.count + 1
        owner = np.repeat(np.arange(self.series, dtype=np.int64), np.diff(self.bounds))
        counts = np.bincount(owner * width + step, minlength=self.series * width)
        table: Ints = counts.reshape(self.series, width)[:, :-1].cumsum(axis=1)
        return table


def columns(times: list[Ints]) -> Columns:
    """Put the times of many series end to end."""
    lengths = np.fromiter((len(one) for one in times), dtype=np.int64, count=len(times))
    bounds = np.zeros(len(times) + 1, dtype=np.int64)
    np.cumsum(lengths, out=bounds[1:])
    flat = np.concatenate(times) if times else np.zeros(0, dtype=np.int64)
    return Columns(flat, bounds, _all_shared(times, flat, lengths))


def _all_shared(times: list[Ints], flat: Ints, lengths: Ints) -> bool:
    if not times or len(times[0]) == 0 or (lengths != lengths[0]).any():
        return False
    if all(one is times[0] for one in times):
        return True
    return bool((flat.reshape(len(times), -1) == times[0]).all())
