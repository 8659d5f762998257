"""Range vectors: for each series and moment the samples of a stretch of time before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.promql.columns import Positions
from watchkeeper.promql.grid import Bools, Floats, Grid, Ints, Objects
from watchkeeper.promql.syntax import Window
from watchkeeper.promql.values import Scalars, Text, Vectors, histogram_mask

_BLOCK = 1 << 15
"""How many windows are computed at once: their columns fit the processor's cache."""

_TICK_RANKS = 64
"""After how many samples of every window it is asked whether to go on."""


def go_on() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Windows:
    """A range vector at every moment: slices of the series' samples end to end.

    Window (i, j) of series i at moment j holds `times_ms[first[i, j]:after[i, j]]` and the
    values beside them; it covers the `range_ms` before `ends.times_ms[j]`, open on the left.
    An anchored window begins with the sample at or before its left edge; a smoothed one reaches
    to the samples beyond both edges, for its function to interpolate. `starts_ms` holds when
    each sample's counter began, 0 where it is not known, and is None when none is. `tick` is
    called now and then by those who walk through windows: it raises to stop them.
    """

    labels: list[Labels]
    times_ms: Ints
    values: Floats
    begins: Positions
    stops: Positions
    ends: Grid
    range_ms: int
    drops_name: Bools
    kind: Window = Window.PLAIN
    histograms: Objects | None = None
    starts_ms: Ints | None = None
    tick: Callable[[], None] = go_on
    known: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What was found out about all of these windows, for those who ask at each of them."""

    @property
    def first(self) -> Ints:
        """Where each window begins: shape (series, moments)."""
        return self.begins.flat

    @property
    def after(self) -> Ints:
        """Where each window ends, exclusive."""
        return self.stops.flat

    @cached_property
    def counts(self) -> Ints:
        """How many samples each window holds."""
        if self.begins.groups is not None and self.begins.groups is self.stops.groups:
            return self.stops.by_series(self.stops.inside - self.begins.inside)
        return self.after - self.first

    def spanning(self, first: Ints, after: Ints, kind: Window | None = None) -> Windows:
        """The same samples cut into other windows."""
        nothing = np.zeros(len(self.labels), dtype=np.int64)
        return replace(
            self,
            begins=Positions(nothing, first),
            stops=Positions(nothing, after),
            kind=self.kind if kind is None else kind,
        )

    def only(self, histograms: bool) -> Windows:
        """The same windows with only their histograms, or only their floats."""
        if self.histograms is None and not histograms:
            return self
        kept = histogram_mask(self.histograms, self.values.shape) == histograms
        before = np.concatenate(([0], np.cumsum(kept)))
        return replace(
            self.spanning(before[self.first], before[self.after]),
            times_ms=self.times_ms[kept],
            values=self.values[kept],
            histograms=self.histograms[kept]
            if histograms and self.histograms is not None
            else None,
            starts_ms=None if self.starts_ms is None else self.starts_ms[kept],
        )

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
            part = replace(
                self,
                labels=self.labels[rows],
                times_ms=self.times_ms[inside],
                values=self.values[inside],
                histograms=None if self.histograms is None else self.histograms[inside],
                starts_ms=None if self.starts_ms is None else self.starts_ms[inside],
                drops_name=self.drops_name[rows],
            )
            self.tick()
            yield rows, part.spanning(first - inside.start, after - inside.start)

    @property
    def is_aligned(self) -> bool:
        """Whether series share their times, so that `aligned` gives all there is to know."""
        plain = self.kind is Window.PLAIN and self.histograms is None and self.starts_ms is None
        return plain and self.begins.groups is not None and len(self.values) > 0

    def aligned(self) -> Iterator[Aligned]:
        """Give series that have the very same times together, a few at a time.

        Only where `is_aligned`.
        """
        groups = self.begins.groups
        if groups is None:
            return
        order = np.argsort(groups, kind="stable")
        bounds = np.searchsorted(groups[order], np.arange(len(self.begins.inside) + 1))
        for group, (begin, end) in enumerate(pairwise(bounds.tolist())):
            members = order[begin:end]
            starts = self.begins.starts[members]
            width = self._width(int(members[0]))
            first, after = self.begins.inside[group], self.stops.inside[group]
            times = self.times_ms[starts[0] : starts[0] + width]
            size = max(1, _BLOCK // max(width, self.ends.count))
            for low in range(0, len(members), size):
                self.tick()
                values = self._rows(starts[low : low + size], width)
                yield Aligned(members[low : low + size], times, values, first, after)

    def _width(self, series: int) -> int:
        """Return how many samples a series has."""
        starts = self.begins.starts
        last = series + 1 == len(starts)
        return int((len(self.values) if last else starts[series + 1]) - starts[series])

    def _rows(self, starts: Ints, width: int) -> Floats:
        begin, end = int(starts[0]), int(starts[-1]) + width
        if end - begin == len(starts) * width:
            return self.values[begin:end].reshape(len(starts), width)
        gathered: Floats = self.values[starts[:, None] + np.arange(width)]
        return gathered

    def result(self, values: Floats, present: Bools | None = None) -> Vectors:
        """Return a vector of one value a window, present where the window is not empty."""
        shown = self.counts > 0 if present is None else present
        return Vectors(self.labels, values, shown, np.ones(len(self.labels), dtype=np.bool_))


@dataclass(frozen=True, slots=True)
class Aligned:
    """Windows of a few series that have the very same times.

    `rows` numbers the series; `times_ms` has shape (samples,), `values` (rows, samples). Window
    j of each holds the samples `first[j]` to `after[j]`.
    """

    rows: Ints
    times_ms: Ints
    values: Floats
    first: Ints
    after: Ints

    def at(self, positions: Ints) -> Floats:
        """Return the values at one position a moment, whatever for those outside."""
        return self.values.take(np.clip(positions, 0, len(self.times_ms) - 1), axis=1)

    def time_at(self, positions: Ints) -> Ints:
        """Return the times at one position a moment, whatever for those outside."""
        return self.times_ms.take(np.clip(positions, 0, len(self.times_ms) - 1))


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
            if rank % _TICK_RANKS == 0:
                self.windows.tick()
            yield active, self.first[:active] + rank

    def spread(self, values: Floats) -> Floats:
        """Put one value a ranked window back in the shape (series, moments)."""
        shape = self.windows.counts.shape
        flat = np.zeros(shape[0] * shape[1])
        flat[self.order] = values
        return flat.reshape(shape)


Value = Scalars | Text | Vectors | Windows
"""What an expression evaluates to."""
