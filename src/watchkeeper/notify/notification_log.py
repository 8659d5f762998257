"""What each receiver was last told about each group, and whether it must be told again."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.model import Labels


class Reason(StrEnum):
    """Why a notification goes out."""

    FIRST = "first"
    MORE_FIRING = "more firing"
    ALL_RESOLVED = "all resolved"
    SOME_RESOLVED = "some resolved"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class LogKey:
    """A group, a receiver and one of its integrations (`webhook`, 0)."""

    group_key: str
    receiver: str
    integration: str
    position: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """The label sets that fired and that were resolved in the last notification."""

    timestamp_ns: int
    expires_at_ns: int
    firing: frozenset[Labels]
    resolved: frozenset[Labels]


def reason_to_notify(
    last: LogEntry | None,
    firing: frozenset[Labels],
    resolved: frozenset[Labels],
    *,
    audible: bool,
    send_resolved: bool,
    now_ns: int,
    repeat_interval_ns: int,
) -> Reason | None:
    """Return why the group must be told now, or None (Alertmanager, notify DedupStage).

    `audible` says that not everything in `firing` is muted: only then is it repeated.
    """
    if last is None:
        return Reason.FIRST if firing else None
    if not firing <= last.firing:
        return Reason.MORE_FIRING
    if not firing:
        return Reason.ALL_RESOLVED if last.firing else None
    if send_resolved and not resolved <= last.resolved:
        return Reason.SOME_RESOLVED
    if audible and last.timestamp_ns < now_ns - repeat_interval_ns:
        return Reason.REPEAT
    return None


class NotificationLog:
    """The last notification by key. Not safe for threads: its owner locks."""

    def __init__(self, entries: Iterable[tuple[LogKey, LogEntry]] = ()) -> None:
        self._entries = dict(entries)

    def get(self, key: LogKey) -> LogEntry | None:
        """Return the last notification, or None."""
        return self._entries.get(key)

    def put(self, key: LogKey, entry: LogEntry) -> None:
        """Keep a notification as the last."""
        self._entries[key] = entry

    def all(self) -> tuple[tuple[LogKey, LogEntry], ...]:
        """Return everything that is kept."""
        return tuple(self._entries.items())

    def told_firing(self, group_key: str, labels: Labels) -> bool:
        """Whether somebody was told that an alert of the group fires, and not yet of its end."""
        return any(
            key.group_key == group_key and labels in entry.firing
            for key, entry in self._entries.items()
        )

    def forget_old(self, now_ns: int, live: Container[str]) -> bool:
        """Drop entries past their time, unless their group lives; return whether there were any."""
        old = [
            key
            for key, entry in self._entries.items()
            if entry.expires_at_ns < now_ns and key.group_key not in live
        ]
        for key in old:
            del self._entries[key]
        return bool(old)
