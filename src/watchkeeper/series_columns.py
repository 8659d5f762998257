"""Many series as flat columns: what a store gives to whoever asks for samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model import Labels, NativeHistogram, Series

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class SeriesColumns(Sequence[Series]):
    """Series end to end: series `i` owns `bounds[i]` to `bounds[i + 1]`, at least one sample.

    Columns are as in Series, times ascending within a series. Series whose `time_groups` are
    equal have the very same times; others MAY have them too. As a sequence, it gives one
    Series after the other.
    """

    labels: list[Labels]
    bounds: Ints
    timestamps_ms: Ints
    values: Floats
    time_groups: Ints
    histograms: Objects | None = None
    starts_ms: Ints | None = None

    @classmethod
    def of(cls, series: Sequence[Series]) -> SeriesColumns:
        """Put series end to end; those whose times are equal share a time group."""
        bounds = np.zeros(len(series) + 1, np.int64)
        np.cumsum([len(one.values) for one in series], out=bounds[1:])
        groups: dict[bytes, int] = {}
        numbered = [groups.setdefault(one.timestamps_ms.tobytes(), len(groups)) for one in series]
        return cls(
            [one.labels for one in series],
            bounds,
            np.concatenate([np.zeros(0, np.int64), *(one.timestamps_ms for one in series)]),
            np.concatenate([np.zeros(0), *(one.values for one in series)]),
            np.array(numbered, np.int64),
            _histograms(series),
            _starts(series),
        )

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, place: int) -> Series: ...

    @overload
    def __getitem__(self, place: slice) -> list[Series]: ...

    def __getitem__(self, place: int | slice) -> Series | list[Series]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        own = slice(int(self.bounds[place]), int(self.bounds[place + 1]))
        return Series(
            self.labels[place],
            self.timestamps_ms[own],
            self.values[own],
            None if self.histograms is None else self.histograms[own].tolist(),
            None if self.starts_ms is None else self.starts_ms[own],
        )

    def __iter__(self) -> Iterator[Series]:
        return (self[place] for place in range(len(self)))


def _histograms(series: Sequence[Series]) -> Objects | None:
    if all(one.histograms is None for one in series):
        return None
    every: list[NativeHistogram | None] = []
    for one in series:
        every += [None] * len(one.values) if one.histograms is None else one.histograms
    flat = np.empty(len(every), dtype=np.object_)
    flat[:] = every
    return flat


def _starts(series: Sequence[Series]) -> Ints | None:
    if all(one.starts_ms is None for one in series):
        return None
    return np.concatenate(
        [
            np.zeros(len(one.values), np.int64) if one.starts_ms is None else one.starts_ms
            for one in series
        ]
    )
