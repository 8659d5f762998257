"""What expressions evaluate to: arrays over all series and moments at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.promql.grid import Bools, Floats, Grid, Ints, Objects
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
    the order of the series means something. `histograms`, of the same shape, holds a
    NativeHistogram where a sample is one and None elsewhere; it is None when there are none.
    """

    labels: list[Labels]
    values: Floats
    present: Bools
    drops_name: Bools
    ordered: bool = False
    histograms: Objects | None = None

    @property
    def is_histogram(self) -> Bools:
        """Where the samples are native histograms."""
        return histogram_mask(self.histograms, self.values.shape)

    def floats(self) -> Vectors:
        """The same vector, present only where its samples are floats."""
        if self.histograms is None:
            return self
        return replace(self, present=self.present & ~self.is_histogram, histograms=None)

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
            histograms=None if self.histograms is None else self.histograms[rows],
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


def histogram_mask(histograms: Objects | None, shape: tuple[int, ...]) -> Bools:
    """Tell where there is a histogram."""
    if histograms is None:
        return np.zeros(shape, dtype=np.bool_)
    flat = np.fromiter((one is not None for one in histograms.ravel()), np.bool_)
    return flat.reshape(shape)


def where_present(present: Bools, histograms: Objects) -> Objects:
    """Return the histograms that count, None elsewhere."""
    kept = np.full(present.shape, None)
    kept[present] = histograms[present]
    return kept


def stack(pieces: Sequence[Vectors]) -> Vectors:
    """Return the series of several vectors as one vector; at least one piece."""
    histograms = None
    if any(piece.histograms is not None for piece in pieces):
        histograms = np.concatenate(
            [
                np.full(piece.values.shape, None) if piece.histograms is None else piece.histograms
                for piece in pieces
            ]
        )
    return Vectors(
        [labels for piece in pieces for labels in piece.labels],
        np.concatenate([piece.values for piece in pieces]),
        np.concatenate([piece.present for piece in pieces]),
        np.concatenate([piece.drops_name for piece in pieces]),
        histograms=histograms,
    )


@dataclass(frozen=True)
class Windows:
    """A range vector at every moment: slices of the series' samples end to end.

    Window (i, j) of series i at moment j holds `times_ms[first[i, j]:after[i, j]]` and the
    values beside them; it covers the `range_ms` before `ends.times_ms[j]`, open on the left.
    An anchored window begins with the sample at or before its left edge; a smoothed one reaches
    to the samples beyond both edges, for its function to interpolate. `starts_ms` holds when
    each sample's counter began, 0 where it is not known, and is None when none is.
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
    histograms: Objects | None = None
    starts_ms: Ints | None = None

    def only(self, histograms: bool) -> Windows:
        """The same windows with only their histograms, or only their floats."""
        if self.histograms is None and not histograms:
            return self
        kept = histogram_mask(self.histograms, self.values.shape) == histograms
        before = np.concatenate(([0], np.cumsum(kept)))
        return replace(
            self,
            times_ms=self.times_ms[kept],
            values=self.values[kept],
            first=before[self.first],
            after=before[self.after],
            histograms=self.histograms[kept]
            if histograms and self.histograms is not None
            else None,
            starts_ms=None if self.starts_ms is None else self.starts_ms[kept],
        )

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
                    histograms=None if self.histograms is None else self.histograms[inside],
                    starts_ms=None if self.starts_ms is None else self.starts_ms[inside],
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
