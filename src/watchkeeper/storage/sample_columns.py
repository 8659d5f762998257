"""Samples as columns: one row a sample, its series by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model import NativeHistogram

Ids = NDArray[np.int32]
Times = NDArray[np.int64]
Values = NDArray[np.float64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """Columns of equal length; those that no sample has anything for are None.

    `histograms` holds a NativeHistogram for each sample that is one and None elsewhere;
    `starts_ms` since when each sample's counter has counted, 0 where that is not known.
    """

    ids: Ids
    times_ms: Times
    values: Values
    starts_ms: Times | None = None
    histograms: Objects | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> SampleColumns:
        """Return some of the samples."""
        return SampleColumns(
            self.ids[chosen],
            self.times_ms[chosen],
            self.values[chosen],
            None if self.starts_ms is None else self.starts_ms[chosen],
            None if self.histograms is None else self.histograms[chosen],
        )

    def renumbered(self, ids: Ids) -> SampleColumns:
        """Return the same samples with other numbers for their series."""
        return SampleColumns(ids, self.times_ms, self.values, self.starts_ms, self.histograms)


def joined(parts: Sequence[SampleColumns]) -> SampleColumns:
    """Return the samples of several parts, at least one, in their order."""
    if len(parts) == 1:
        return parts[0]
    return SampleColumns(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.times_ms for part in parts]),
        np.concatenate([part.values for part in parts]),
        joined_starts([(part.starts_ms, len(part)) for part in parts]),
        joined_histograms([(part.histograms, len(part)) for part in parts]),
    )


def joined_starts(parts: Sequence[tuple[Times | None, int]]) -> Times | None:
    """Return columns of starts, each with its length, as one; None if there are none."""
    if all(starts is None for starts, _ in parts):
        return None
    return np.concatenate(
        [np.zeros(count, np.int64) if starts is None else starts for starts, count in parts]
    )


def joined_histograms(parts: Sequence[tuple[Objects | None, int]]) -> Objects | None:
    """Return columns of histograms, each with its length, as one; None if there are none."""
    if all(histograms is None for histograms, _ in parts):
        return None
    return np.concatenate(
        [np.full(count, None) if native is None else native for native, count in parts]
    )


def histogram_column(histograms: Sequence[NativeHistogram | None] | None) -> Objects | None:
    """Return histograms as a column, None if no sample is one."""
    if histograms is None or all(one is None for one in histograms):
        return None
    column = np.empty(len(histograms), dtype=np.object_)
    column[:] = histograms
    return column
