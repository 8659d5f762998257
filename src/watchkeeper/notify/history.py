"""The last deliveries, so that people can see what was said to whom, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from watchkeeper.notify.notification_log import LogKey
from watchkeeper.notify.snapshot import DeliveryRecord

LENGTH = 200
"""How many deliveries are remembered."""

REPEATED_FAILURES = 5
"""How many of them may say that the same notification failed at the same receiver."""

FAILED = "failed"
DELIVERED = "delivered"

Entry = tuple[LogKey, DeliveryRecord]
"""A delivery and the notification it was of."""


class History:
    """Deliveries in order, and how many there were in all. One receiver that is down for long
    must not push everything else out: of its repeated failures only the last are kept."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: list[Entry] = list(entries)
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, key: LogKey, record: DeliveryRecord) -> None:
        """Keep a delivery as the newest."""
        self._counts[record.integration, record.outcome] += 1
        if record.outcome == FAILED:
            self._drop_repeats(key, record.summary)
        self._entries.append((key, record))
        del self._entries[:-LENGTH]

    def all(self) -> tuple[Entry, ...]:
        """Return what is remembered as `History` takes it, oldest first."""
        return tuple(self._entries)

    def newest_first(self) -> tuple[DeliveryRecord, ...]:
        """Return what is remembered."""
        return tuple(record for _, record in reversed(self._entries))

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Return how many deliveries there were since the start, by integration and outcome."""
        return dict(self._counts)

    def _drop_repeats(self, key: LogKey, summary: str) -> None:
        repeats = [
            position
            for position, (kept, record) in enumerate(self._entries)
            if kept == key and record.outcome == FAILED and record.summary == summary
        ]
        if len(repeats) >= REPEATED_FAILURES:
            del self._entries[repeats[0]]
