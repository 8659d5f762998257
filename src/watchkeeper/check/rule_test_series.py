"""The series of one rule test: what was put in, and what the rules recorded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from watchkeeper.matching import matches
from watchkeeper.model import FiringAlert, Labels, Matcher, NativeHistogram, SampleBatch, Series
from watchkeeper.promql.series_notation import parse_series
from watchkeeper.series_columns import SeriesColumns

Sample = float | NativeHistogram


class TestSeries:
    """A source and a sink of samples that shows nothing later than `until_ms`."""

    __test__ = False

    def __init__(self) -> None:
        self._samples: dict[Labels, dict[int, Sample]] = {}
        self.until_ms = 0

    def put(self, notation: str, gap_ms: int) -> None:
        """Add one series as test files write it, from the epoch on. Raises QueryError."""
        described = parse_series(notation)
        samples = self._samples.setdefault(described.labels, {})
        for number, value in enumerate(described.values):
            if value is not None:
                samples[number * gap_ms] = value

    def append(self, batch: SampleBatch) -> int:
        """Keep what a rule recorded; of two samples at one moment, the first."""
        native = batch.histograms or [None] * len(batch.labels)
        columns = zip(
            batch.labels, batch.timestamps_ms.tolist(), batch.values.tolist(), native, strict=True
        )
        for metric, moment_ms, value, histogram in columns:
            sample = value if histogram is None else histogram
            self._samples.setdefault(metric, {}).setdefault(moment_ms, sample)
        return 0

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        """Return matching series up to `until_ms`."""
        end_ms = min(end_ms, self.until_ms)
        found = []
        for metric in sorted(self._samples):
            if matches(metric, tuple(matchers)):
                samples = self._samples[metric]
                times = [moment for moment in sorted(samples) if start_ms <= moment <= end_ms]
                if times:
                    found.append(_series(metric, times, [samples[moment] for moment in times]))
        return SeriesColumns.of(found)


def _series(metric: Labels, times: list[int], samples: list[Sample]) -> Series:
    native = [one if isinstance(one, NativeHistogram) else None for one in samples]
    values = [math.nan if isinstance(one, NativeHistogram) else one for one in samples]
    return Series(
        metric,
        np.array(times, dtype=np.int64),
        np.array(values, dtype=np.float64),
        native if any(one is not None for one in native) else None,
    )


class Nobody:
    """Takes alerts and tells nobody: a test asks the rules themselves."""

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        """Take alerts."""
