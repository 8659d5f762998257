"""Samples in memory, one list a series."""

from __future__ import annotations

import struct
import threading
from collections.abc import Sequence

import numpy as np

from watchkeeper.model import Exemplar, Labels, Matcher, MetricMetadata, SampleBatch, Series
from watchkeeper.storage import exemplars, matching
from watchkeeper.storage.exemplars import NewestExemplars, SeriesExemplar


class MemoryMetricStore:
    """The metric store of the memory (ports.MetricStore)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: dict[Labels, list[tuple[int, float]]] = {}
        self._exemplars: list[SeriesExemplar] = []
        self._newest_exemplars = NewestExemplars()
        self._metadata: dict[str, MetricMetadata] = {}

    def append(self, batch: SampleBatch) -> int:
        with self._lock:
            columns = zip(
                batch.labels, batch.timestamps_ms.tolist(), batch.values.tolist(), strict=True
            )
            refused = sum(not self._keep(*sample) for sample in columns)
            news = self._newest_exemplars.news(batch.exemplars)
            self._exemplars += news
            self._newest_exemplars.remember(news)
            self._metadata.update((one.name, one) for one in batch.metadata)
            return refused

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        with self._lock:
            found = []
            for labels in self._matching(matchers):
                inside = [one for one in self._samples[labels] if start_ms <= one[0] <= end_ms]
                if inside:
                    times, values = zip(*inside, strict=True)
                    found.append(
                        Series(labels, np.array(times, np.int64), np.array(values, np.float64))
                    )
            return found

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

    def _keep(self, labels: Labels, time_ms: int, value: float) -> bool:
        """Take one sample; False means that it was refused."""
        known = self._samples.setdefault(labels, [])
        if not known or time_ms > known[-1][0]:
            known.append((time_ms, value))
            return True
        return time_ms == known[-1][0] and _bits(value) == _bits(known[-1][1])

    def _matching(self, matchers: Sequence[Matcher]) -> list[Labels]:
        tests = [(matcher.name, matching.predicate(matcher)) for matcher in matchers]
        return sorted(labels for labels in self._samples if matching.matches(tests, labels))


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)
