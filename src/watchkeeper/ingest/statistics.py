"""What ingestion counts about itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watchkeeper.errors import OverloadError, StorageError, StoreFullError


class Signal(StrEnum):
    """What was counted."""

    SAMPLES = "samples"
    SPANS = "spans"
    LOGS = "logs"


class Refusal(StrEnum):
    """Why something was not kept."""

    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    LIMIT = "limit"
    RATE_LIMIT = "rate_limit"
    SERIES_LIMIT = "series_limit"
    LABEL_LIMIT = "label_limit"
    ATTRIBUTE_LIMIT = "attribute_limit"
    BODY_LIMIT = "body_limit"
    OUT_OF_ORDER = "out_of_order"
    FUTURE = "future"
    STORE_FULL = "store_full"
    STORE_FAILED = "store_failed"


@dataclass(frozen=True, slots=True)
class IngestStatistics:
    """Counts since the start: records kept by signal, and refused by signal and reason.

    A body that could not be read counts as one, since nobody knows what it held.
    """

    received: Mapping[Signal, int] = field(default_factory=dict)
    refused: Mapping[tuple[Signal, Refusal], int] = field(default_factory=dict)


class Tally:
    """The counters themselves; several threads may count at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received: Counter[Signal] = Counter()
        self._refused: Counter[tuple[Signal, Refusal]] = Counter()

    def received(self, signal: Signal, count: int) -> None:
        """Count records that were kept."""
        with self._lock:
            self._received[signal] += count

    def refused(self, signal: Signal, reason: Refusal, count: int = 1) -> None:
        """Count records that were not."""
        if count:
            with self._lock:
                self._refused[signal, reason] += count

    def snapshot(self) -> IngestStatistics:
        """Return the counts as they are now."""
        with self._lock:
            return IngestStatistics(dict(self._received), dict(self._refused))


def reason_of(error: StorageError | OverloadError) -> Refusal:
    """Return what a store's refusal is counted as."""
    if isinstance(error, StoreFullError):
        return Refusal.STORE_FULL
    return Refusal.LIMIT if isinstance(error, OverloadError) else Refusal.STORE_FAILED
