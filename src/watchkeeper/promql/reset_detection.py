"""Counter resets of native histograms, found while they are read.

Functions that want only a histogram's count or sum are told by Prometheus' reader which samples
began again and which went on, beyond what the store noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from watchkeeper.model import CounterReset, Matcher, NativeHistogram
from watchkeeper.ports import SeriesSource
from watchkeeper.promql.native_histogram import was_reset
from watchkeeper.series_columns import SeriesColumns


@dataclass(frozen=True, slots=True)
class ResetDetection:
    """A source whose histograms all say whether they began again, but for each series' first."""

    source: SeriesSource

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        """Return what the source returns, its unknown resets made known."""
        found = self.source.select(matchers, start_ms, end_ms)
        if found.histograms is None:
            return found
        known = np.empty(len(found.histograms), dtype=np.object_)
        for begin, end in pairwise(found.bounds.tolist()):
            known[begin:end] = _detected(found.histograms[begin:end].tolist())
        return replace(found, histograms=known)


def _detected(
    histograms: Sequence[NativeHistogram | None],
) -> list[NativeHistogram | None]:
    found: list[NativeHistogram | None] = []
    before: NativeHistogram | None = None
    for one in histograms:
        known = one
        if one is not None and before is not None and one.reset is CounterReset.UNKNOWN:
            fell = was_reset(one, before)
            known = replace(one, reset=CounterReset.RESET if fell else CounterReset.NOT_RESET)
        found.append(known)
        before = one
    return found
