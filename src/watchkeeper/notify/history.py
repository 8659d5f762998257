"""The last deliveries, so that people can see what was said to whom, and what failed."""

from __future__ import annotations

from dataclasses import replace

from watchkeeper.notify.notification_log import LogKey
from watchkeeper.notify.snapshot import DeliveryRecord

LENGTH = 200
"""How many deliveries are remembered."""

FAILED = "failed"
DELIVERED = "delivered"


class History:
    """Deliveries in order. A failure that only repeats the last one of the same group and
    receiver takes its place: one receiver that is down must not push everything else out."""

    def __init__(self) -> None:
        self._entries: list[tuple[LogKey, DeliveryRecord]] = []

    def add(self, key: LogKey, record: DeliveryRecord) -> None:
        """Keep a delivery as the newest."""
        position = self._last(key)
        if position is not None and _repeats(self._entries[position][1], record):
            _, old = self._entries.pop(position)
            record = replace(record, attempts=old.attempts + record.attempts)
        self._entries.append((key, record))
        del self._entries[:-LENGTH]

    def newest_first(self) -> tuple[DeliveryRecord, ...]:
        """Return what is remembered."""
        return tuple(record for _, record in reversed(self._entries))

    def _last(self, key: LogKey) -> int | None:
        for position in range(len(self._entries) - 1, -1, -1):
            if self._entries[position][0] == key:
                return position
        return None


def _repeats(old: DeliveryRecord, new: DeliveryRecord) -> bool:
    return old.outcome == new.outcome == FAILED and old.summary == new.summary
