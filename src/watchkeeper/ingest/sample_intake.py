"""Pushed samples on their way into the store: what is of the future or too much is left out.

Source of the bound: Prometheus, storage/remote/write_handler.go and scrape/scrape.go, which take
samples up to ten minutes ahead of their own clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from watchkeeper.clock import Clock
from watchkeeper.errors import OverloadError, StorageError
from watchkeeper.ingest.quota import Quota
from watchkeeper.ingest.statistics import Refusal, Signal, Tally, reason_of
from watchkeeper.model import NativeHistogram, SampleBatch
from watchkeeper.ports import SampleSink

MAX_AHEAD_MS = 600_000


@dataclass(frozen=True, slots=True)
class Taken:
    """How many samples of a batch were kept and refused, and why."""

    kept: int = 0
    refused: int = 0
    reasons: Sequence[str] = ()


class SampleIntake:
    """Appends batches and counts what becomes of them; may be called from several threads."""

    def __init__(self, sink: SampleSink, tally: Tally, clock: Clock) -> None:
        self._sink = sink
        self._tally = tally
        self._clock = clock

    def append(self, batch: SampleBatch, quota: Quota) -> Taken:
        """Keep what may be kept. Raises what the store raises; nothing was kept then."""
        given = len(batch.labels)
        batch, future = without_future(batch, self._clock.time_ns() // 1_000_000)
        batch, surplus, too_many = _without_surplus(batch, quota)
        count = len(batch.labels)
        late = self._store(batch, count) if count or batch.metadata else 0
        self._tally.refused(Signal.SAMPLES, Refusal.FUTURE, future)
        self._tally.refused(Signal.SAMPLES, Refusal.SERIES_LIMIT, surplus)
        self._tally.refused(Signal.SAMPLES, Refusal.OUT_OF_ORDER, late)
        self._tally.received(Signal.SAMPLES, count - late)
        reasons = [
            f"{future} samples were too far in the future" if future else "",
            too_many,
            f"{late} samples were out of order or there already" if late else "",
        ]
        return Taken(count - late, given - count + late, [reason for reason in reasons if reason])

    def _store(self, batch: SampleBatch, count: int) -> int:
        try:
            return self._sink.append(batch)
        except (StorageError, OverloadError) as error:
            self._tally.refused(Signal.SAMPLES, reason_of(error), count)
            raise


def by_row(found: Mapping[int, NativeHistogram], rows: int) -> list[NativeHistogram | None] | None:
    """Return the histograms of some rows as a batch's column; None if there are none."""
    return [found.get(row) for row in range(rows)] if found else None


def starts_by_row(found: Mapping[int, int], rows: int) -> NDArray[np.int64] | None:
    """Return the starts of some rows as a batch's column; None if there are none."""
    if not found:
        return None
    column = np.zeros(rows, dtype=np.int64)
    column[list(found)] = list(found.values())
    return column


def without_future(batch: SampleBatch, now_ms: int) -> tuple[SampleBatch, int]:
    """Return a batch without samples too far ahead of `now_ms`, and how many they were."""
    times = batch.timestamps_ms
    if not len(times) or int(times.max()) <= now_ms + MAX_AHEAD_MS:
        return batch, 0
    keep = times <= now_ms + MAX_AHEAD_MS
    return _rows(batch, keep), int(len(keep) - keep.sum())


def _without_surplus(batch: SampleBatch, quota: Quota) -> tuple[SampleBatch, int, str]:
    surplus, reason = quota.take_series(batch.labels)
    if not surplus:
        return batch, 0, ""
    keep = np.array([series not in surplus for series in batch.labels], dtype=np.bool_)
    return _rows(batch, keep), int(len(keep) - keep.sum()), reason


def _rows(batch: SampleBatch, keep: NDArray[np.bool_]) -> SampleBatch:
    """Return some rows of a batch, with the exemplars of the series that are left."""
    rows = np.flatnonzero(keep).tolist()
    kept = [batch.labels[row] for row in rows]
    left = set(kept)
    histograms, starts_ms = batch.histograms, batch.starts_ms
    return replace(
        batch,
        labels=kept,
        timestamps_ms=batch.timestamps_ms[keep],
        values=batch.values[keep],
        exemplars=[item for item in batch.exemplars if item[0] in left],
        histograms=None if histograms is None else [histograms[row] for row in rows],
        starts_ms=None if starts_ms is None else starts_ms[keep],
    )
