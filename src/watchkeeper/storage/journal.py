"""The way into a store: one log for all signals, one gate between appending and flushing."""

from __future__ import annotations

import threading
from collections import Counter

from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.limits import StoreLimits
from watchkeeper.storage.wal import WriteAheadLog
from watchkeeper.storage.wal_format import RecordKind


class Journal:
    """Writes batches ahead. An appender holds `gate` shared from `write` until its batch is in
    hot memory; a flush holds it alone, so that log files and hot tables change together."""

    def __init__(self, log: WriteAheadLog, limits: StoreLimits) -> None:
        self.gate = Gate()
        self.log = log
        self._limits = limits
        self._lock = threading.Lock()
        self._refused: Counter[str] = Counter()

    def write(self, kind: RecordKind, payload: bytes, items: int) -> int:
        """Return the sequence of a batch that is on disk now. Call inside the gate.

        Raises StoreFullError, OverloadError; nothing of the batch was kept then.
        """
        if self.log.size_bytes >= self._limits.maximum_hot_bytes:
            self.refuse("overload", items)
            raise OverloadError(
                f"{self.log.size_bytes} bytes wait to be moved into segments, the limit is "
                f"{self._limits.maximum_hot_bytes}: try again when they were",
                retry_after_seconds=5.0,
            )
        try:
            return self.log.append(kind, payload)
        except StoreFullError:
            self.refuse("store_full", items)
            raise

    def refuse(self, reason: str, items: int) -> None:
        """Count what was not kept."""
        with self._lock:
            self._refused[reason] += items

    def refused(self) -> dict[str, int]:
        """Return how much was not kept, by reason."""
        with self._lock:
            return dict(self._refused)
