"""Samples in memory, one list a series."""

from __future__ import annotations

import struct
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from watchkeeper.matching import fulfils, predicates
from watchkeeper.model import (
    Exemplar,
    Labels,
    Matcher,
    MetricMetadata,
    NativeHistogram,
    SampleBatch,
    Series,
)
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import exemplars
from watchkeeper.storage.exemplars import NewestExemplars, SeriesExemplar


class _Sample(NamedTuple):
    time_ms: int
    value: float
    histogram: NativeHistogram | None
    start_ms: int | None


class MemoryMetricStore:
    """The metric store of the memory (ports.MetricStore)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: dict[Labels, list[_Sample]] = {}
        self._exemplars: list[SeriesExemplar] = []
        self._newest_exemplars = NewestExemplars()
        self._metadata: dict[str, MetricMetadata] = {}

    def append(self, batch: SampleBatch) -> int:
        with self._lock:
            nothing = [None] * len(batch.labels)
            starts = nothing if batch.starts_ms is None else batch.starts_ms.tolist()
            times, values = batch.timestamps_ms.tolist(), batch.values.tolist()
            samples = map(_Sample, times, values, batch.histograms or nothing, starts)
            columns = zip(batch.labels, samples, strict=True)
            refused = sum(not self._keep(labels, sample) for labels, sample in columns)
            news = self._newest_exemplars.news(batch.exemplars)
            self._exemplars += news
            self._newest_exemplars.remember(news)
            self._metadata.update((one.name, one) for one in batch.metadata)
            return refused

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        with self._lock:
            found = []
            for labels in self._matching(matchers):
                inside = [one for one in self._samples[labels] if start_ms <= one.time_ms <= end_ms]
                if inside:
                    found.append(_series(labels, inside))
            return SeriesColumns.of(found)

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        return [one.labels for one in self.select(matchers, start_ms, end_ms)]

    def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        found = self.series(matchers, start_ms, end_ms)
        return sorted({name for labels in found for name, _ in labels})

    def label_values(
        self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[str]:
        found = self.series(matchers, start_ms, end_ms)
        return sorted({value for labels in found for known, value in labels if known == name})

    def metadata(self) -> list[MetricMetadata]:
        with self._lock:
            return [self._metadata[name] for name in sorted(self._metadata)]

    def exemplars(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        with self._lock:
            chosen = exemplars.choose(self._exemplars, matchers, start_ms, end_ms)
        return exemplars.group(chosen)

    def _keep(self, labels: Labels, sample: _Sample) -> bool:
        """Take one sample; False means that it was refused."""
        known = self._samples.setdefault(labels, [])
        if not known or sample.time_ms > known[-1].time_ms:
            known.append(sample)
            return True
        same_time = sample.time_ms == known[-1].time_ms
        return same_time and _bits(sample.value) == _bits(known[-1].value)

    def _matching(self, matchers: Sequence[Matcher]) -> list[Labels]:
        tests = predicates(matchers)
        return sorted(labels for labels in self._samples if fulfils(labels, tests))


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


def _series(labels: Labels, samples: list[_Sample]) -> Series:
    native = [one.histogram for one in samples]
    starts = [one.start_ms for one in samples]
    return Series(
        labels,
        np.array([one.time_ms for one in samples], np.int64),
        np.array([one.value for one in samples], np.float64),
        native if any(native) else None,
        np.array([one or 0 for one in starts], np.int64)
        if any(one is not None for one in starts)
        else None,
    )
