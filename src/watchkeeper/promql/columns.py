"""The times of many series end to end, and which of them lie before each moment of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from watchkeeper.promql.grid import Grid, Ints

Cell = TypeVar("Cell", bound=np.generic)

_LEAST_TOGETHER = 4
"""Series a time group must have on average for the groups to be worth going through."""


@dataclass(frozen=True)
class Positions:
    """A position in flat columns for each series and moment.

    Series `i` begins at `starts[i]`; row `groups[i]` of `inside`, or row `i` where `groups` is
    None, says how many of its samples come before the position. Series of one group have the
    very same times.
    """

    starts: Ints
    inside: Ints
    groups: Ints | None = None

    @cached_property
    def flat(self) -> Ints:
        """The positions: shape (series, moments)."""
        return self.starts[:, None] + self.by_series(self.inside)

    def by_series(self, rows: NDArray[Cell]) -> NDArray[Cell]:
        """Give each series its row, where there is one row a group; not to be changed in place."""
        if self.groups is None:
            return rows
        if len(rows) == 1 and rows.shape[1] > 1:
            return np.broadcast_to(rows, (len(self.groups), rows.shape[1]))
        return rows[self.groups]


@dataclass(frozen=True, slots=True)
class Columns:
    """The times of many series end to end: series `i` owns `bounds[i]` to `bounds[i + 1]`.

    `groups` numbers the series from zero so that those of one number have the very same times,
    and `models` names a series of each; both are None where there are too many groups to matter.
    """

    times_ms: Ints
    bounds: Ints
    groups: Ints | None = None
    models: Ints | None = None

    @property
    def series(self) -> int:
        """How many series there are."""
        return len(self.bounds) - 1

    def position_after(self, grid: Grid) -> Positions:
        """Return, by series and moment, the position after the last time at or before it."""
        starts = self.bounds[:-1]
        if self.series == 0:
            return Positions(starts, np.zeros((0, grid.count), dtype=np.int64))
        if self.groups is not None and self.models is not None:
            inside = np.empty((len(self.models), grid.count), dtype=np.int64)
            for row, model in enumerate(self.models.tolist()):
                inside[row] = self.own_times(model).searchsorted(grid.times_ms, side="right")
            return Positions(starts, inside, self.groups)
        if grid.count == 1 or grid.step_ms == 0:
            before = np.concatenate(([0], np.cumsum(self.times_ms <= grid.start_ms)))
            counts = before[self.bounds[1:]] - before[starts]
            return Positions(starts, np.broadcast_to(counts[:, None], (self.series, grid.count)))
        return Positions(starts, self._count_by_step(grid))

    def own_times(self, series: int) -> Ints:
        """Return the times of one series."""
        return self.times_ms[self.bounds[series] : self.bounds[series + 1]]

    def _count_by_step(self, grid: Grid) -> Ints:
        step = -((grid.start_ms - self.times_ms) // grid.step_ms)
        np.clip(step, 0, grid.count, out=step)
        width = grid.count + 1
        owner = np.repeat(np.arange(self.series, dtype=np.int64), np.diff(self.bounds))
        counts = np.bincount(owner * width + step, minlength=self.series * width)
        table: Ints = counts.reshape(self.series, width)[:, :-1].cumsum(axis=1)
        return table


def grouped(times_ms: Ints, bounds: Ints, groups: Ints) -> Columns:
    """Return columns whose series of equal `groups` have the very same times."""
    series = len(bounds) - 1
    if series == 0:
        return Columns(times_ms, bounds)
    if (groups == groups[0]).all():
        zeros = np.zeros(series, dtype=np.int64)
        return Columns(times_ms, bounds, zeros, zeros[:1])
    _, models, numbers = np.unique(groups, return_index=True, return_inverse=True)
    if len(models) * _LEAST_TOGETHER > series:
        return Columns(times_ms, bounds)
    return Columns(times_ms, bounds, numbers.astype(np.int64), models.astype(np.int64))
