"""What expressions evaluate to: arrays over all series and moments at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.promql.grid import Bools, Floats, Ints, Objects


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
