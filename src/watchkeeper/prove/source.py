"""Series in memory, all sampled at the same moments, as the engine reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from watchkeeper.matching import matches
from watchkeeper.model import STALE_BITS, Labels, Matcher, SampleBatch, Series
from watchkeeper.prove.motion import Phase, Sampling, written_out
from watchkeeper.series_columns import SeriesColumns


class SynthesisedSeries:
    """What phases come to, and what rules recorded from it (ports.SeriesSource)."""

    def __init__(self, phases: Sequence[Phase], sampling: Sampling) -> None:
        count = sum(phase.samples for phase in phases)
        times = sampling.times_ms(count)
        self.written = written_out(phases, sampling)
        self._series: dict[Labels, Series] = {}
        for one in self.written:
            kept = ~np.isnan(one.values) | (one.values.view(np.int64) == STALE_BITS)
            whole = bool(kept.all())
            self._series[one.labels] = Series(
                one.labels,
                times if whole else times[kept],
                one.values if whole else one.values[kept],
            )
        self._found: dict[tuple[Matcher, ...], list[Series]] = {}

    def add(self, labels: Labels, times_ms: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Keep what a rule recorded. The first to record a series wins."""
        self._series.setdefault(labels, Series(labels, times_ms, values))
        self._found.clear()

    def append(self, batch: SampleBatch) -> int:
        """Take what the evaluator writes of alerts; nobody here reads it."""
        return 0

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        """Return matching series, sorted by label set."""
        key = tuple(matchers)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = [
                self._series[labels] for labels in sorted(self._series) if _matches(labels, key)
            ]
        cut = [_between(one, start_ms, end_ms) for one in found]
        return SeriesColumns.of([one for one in cut if len(one.timestamps_ms)])


def _between(series: Series, start_ms: int, end_ms: int) -> Series:
    first, last = np.searchsorted(series.timestamps_ms, (start_ms, end_ms + 1)).tolist()
    return Series(series.labels, series.timestamps_ms[first:last], series.values[first:last])


@lru_cache(maxsize=65_536)
def _matches(labels: Labels, matchers: tuple[Matcher, ...]) -> bool:
    return matches(labels, matchers)
