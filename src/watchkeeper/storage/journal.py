"""The way into a store: one log for all signals, one gate between appending and flushing."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from watchkeeper.clock import Clock
from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.limits import StoreLimits
from watchkeeper.storage.wal import WriteAheadLog
from watchkeeper.storage.wal_format import RecordKind

_NS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class JournalStats:
    """The way in at one moment: batches acknowledged since the start and the time it took in all,
    how many wait for it, and for how long the oldest record has waited to leave the log."""

    batches: int
    seconds: float
    waiting: int
    lag_seconds: float
    refused: dict[str, int]


class Journal:
    """Writes batches ahead. An appender holds `gate` shared from `write` until its batch is in
    hot memory; a flush holds it alone, so that log files and hot tables change together."""

    def __init__(self, log: WriteAheadLog, limits: StoreLimits, clock: Clock) -> None:
        self.gate = Gate()
        self.log = log
        self._limits, self._clock = limits, clock
        self._lock = threading.Lock()
        self._refused: Counter[str] = Counter()
        self._batches = self._waiting = self._spent_ns = 0
        # What the last run left in the log is as old as this one at least.
        self._oldest_ns = clock.monotonic_ns() if log.has_records else None

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
        began_ns = self._clock.monotonic_ns()
        with self._lock:
            self._waiting += 1
        try:
            sequence = self.log.append(kind, payload)
        except StoreFullError:
            self.refuse("store_full", items)
            raise
        finally:
            with self._lock:
                self._waiting -= 1
        with self._lock:
            self._batches += 1
            self._spent_ns += self._clock.monotonic_ns() - began_ns
            if self._oldest_ns is None:
                self._oldest_ns = began_ns
        return sequence

    def rotate(self) -> tuple[int, int | None]:
        """Go on in a new log file, alone in the gate; return the last sequence of the old ones,
        and since when their oldest record has waited, for `still_waiting` if it must."""
        sequence = self.log.rotate()
        with self._lock:
            oldest_ns, self._oldest_ns = self._oldest_ns, None
        return sequence, oldest_ns

    def still_waiting(self, oldest_ns: int | None) -> None:
        """Note that what `rotate` closed could not leave the log."""
        with self._lock:
            if oldest_ns is not None:
                self._oldest_ns = oldest_ns

    def refuse(self, reason: str, items: int) -> None:
        """Count what was not kept."""
        with self._lock:
            self._refused[reason] += items

    def stats(self) -> JournalStats:
        """Return the way in as it is now."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            waited_ns = 0 if self._oldest_ns is None else now_ns - self._oldest_ns
            return JournalStats(
                batches=self._batches,
                seconds=self._spent_ns / _NS_PER_SECOND,
                waiting=self._waiting,
                lag_seconds=waited_ns / _NS_PER_SECOND,
                refused=dict(self._refused),
            )
