"""What expressions evaluate to: arrays over all series and moments at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.promql.grid import Bools, Floats, Grid, Ints
from watchkeeper.promql.syntax import Window

_BLOCK = 1 << 15
"""How many windows are computed at once: their columns fit the processor's cache."""


@dataclass(frozen=True, slots=True)
class Scalars:
    """One float a moment: shape (moments,)."""

    values: Floats


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class Vectors:
    """An instant vector at every moment.

    `values` and `present` have shape (series, moments); a value counts only where it is
    present, and NaN is a value like any other. `drops_name[i]` marks a series whose metric name
    goes once the query is done, so that functions in between still see it. `ordered` says that
    the order of the series means something.
    """

    labels: list[Labels]
    values: Floats
    present: Bools
    drops_name: Bools
    ordered: bool = False

    def without_name(self, values: Floats, present: Bools | None = None) -> Vectors:
        """The same series with other values, their metric names to be dropped."""
        return Vectors(
            self.labels,
            values,
            self.present if present is None else present,
            np.ones(len(self.labels), dtype=np.bool_),
        )

    def masked(self, keep: Bools) -> Vectors:
        """The same vector, present only where `keep` is true as well."""
        return replace(self, present=self.present & keep)

    def take(self, rows: Ints) -> Vectors:
        """Some of the series, in the order given."""
        return Vectors(
            [self.labels[row] for row in rows.tolist()],
            self.values[rows],
            self.present[rows],
            self.drops_name[rows],
        )

    def compact(self) -> Vectors:
        """The same without series that are never present."""
        if not self.labels:
            return self
        used = self.present.any(axis=1)
        return (
            self if used.all() else replace(self.take(np.flatnonzero(used)), ordered=self.ordered)
        )


def empty(moments: int) -> Vectors:
    """Return a vector without series."""
    return vectors([], np.zeros((0, moments)), np.zeros((0, moments), dtype=np.bool_))


def vectors(labels: list[Labels], values: Floats, present: Bools) -> Vectors:
    """Return a vector that keeps its metric names."""
    return Vectors(labels, values, present, np.zeros(len(labels), dtype=np.bool_))


@dataclass(frozen=True)
class Windows:
    """A range vector at every moment: slices of the series' samples end to end.

    Window (i, j) of series i at moment j holds `times_ms[first[i, j]:after[i, j]]` and the
    values beside them; it covers the `range_ms` before `ends.times_ms[j]`, open on the left.
    An anchored window begins with the sample at or before its left edge; a smoothed one reaches
    to the samples beyond both edges, for its function to interpolate.
    """

    labels: list[Labels]
    times_ms: Ints
    values: Floats
    first: Ints
    after: Ints
    ends: Grid
    range_ms: int
    drops_name: Bools
    kind: Window = Window.PLAIN

    @cached_property
    def counts(self) -> Ints:
        """How many samples each window holds."""
        return self.after - self.first

    def at(self, positions: Ints) -> Floats:
        """Return the values at flat positions, whatever for those outside."""
        if len(self.values) == 0:
            return np.zeros(positions.shape)
        return self.values[np.clip(positions, 0, len(self.values) - 1)]

    def time_at(self, positions: Ints) -> Ints:
        """Return the times at flat positions, whatever for those outside."""
        if len(self.times_ms) == 0:
            return np.zeros(positions.shape, dtype=np.int64)
        return self.times_ms[np.clip(positions, 0, len(self.times_ms) - 1)]

    def blocks(self) -> Iterator[tuple[slice, Windows]]:
        """Give the windows of a few series at a time, few enough to stay in the cache."""
        series, moments = self.counts.shape
        size = max(1, _BLOCK // max(moments, 1))
        for begin in range(0, series, size):
            rows = slice(begin, begin + size)
            first, after = self.first[rows], self.after[rows]
            low, high = int(first.min(initial=len(self.values))), int(after.max(initial=0))
            inside = slice(min(low, high), high)
            yield (
                rows,
                replace(
                    self,
                    labels=self.labels[rows],
                    times_ms=self.times_ms[inside],
                    values=self.values[inside],
                    first=first - inside.start,
                    after=after - inside.start,
                    drops_name=self.drops_name[rows],
                ),
            )

    def result(self, values: Floats, present: Bools | None = None) -> Vectors:
        """Return a vector of one value a window, present where the window is not empty."""
        shown = self.counts > 0 if present is None else present
        return Vectors(self.labels, values, shown, np.ones(len(self.labels), dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class Ranks:
    """Windows in descending order of length, to be walked sample by sample all at once.

    The first sample of all windows, then the second of those that have two, and so on: the
    windows still active are always a prefix.
    """

    windows: Windows
    order: Ints
    first: Ints
    counts: Ints

    @staticmethod
    def of(windows: Windows) -> Ranks:
        """Sort the windows that are not empty."""
        counts = windows.counts.ravel()
        order = np.argsort(-counts, kind="stable")
        order = order[: np.count_nonzero(counts)]
        return Ranks(windows, order, windows.first.ravel()[order], counts[order])

    def __iter__(self) -> Iterator[tuple[int, Ints]]:
        """Give (how many windows are active, the flat positions of their next samples)."""
        if len(self.counts) == 0:
            return
        longest = int(self.counts[0])
        active_by_rank = np.searchsorted(-self.counts, -np.arange(longest), side="left")
        for rank, active in enumerate(active_by_rank.tolist()):
            yield active, self.first[:active] + rank

    def spread(self, values: Floats) -> Floats:
        """Put one value a ranked window back in the shape (series, moments)."""
        shape = self.windows.counts.shape
        flat = np.zeros(shape[0] * shape[1])
        flat[self.order] = values
        return flat.reshape(shape)


Value = Scalars | Text | Vectors | Windows
