"""Alerts as the notifier keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from watchkeeper.model import FiringAlert, Labels

_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert with an end, known or assumed. `timeout` marks an assumed one.

    Times are nanoseconds since the Unix epoch. The label set is its identity.
    """

    labels: Labels
    annotations: Labels
    starts_at_ns: int
    ends_at_ns: int
    updated_at_ns: int
    generator_url: str = ""
    timeout: bool = False

    @property
    def name(self) -> str:
        """The value of `alertname`, '' if it has none."""
        return dict(self.labels).get("alertname", "")

    def is_resolved(self, now_ns: int) -> bool:
        """Whether it has ended."""
        return self.ends_at_ns <= now_ns


def received(alert: FiringAlert, now_ns: int, resolve_timeout_ns: int) -> Alert:
    """Return an alert as it comes in: without an end it ends unless it is renewed in time."""
    ends_at_ns = alert.ends_at_ns
    return Alert(
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at_ns=alert.starts_at_ns or min(now_ns, ends_at_ns or now_ns),
        ends_at_ns=now_ns + resolve_timeout_ns if ends_at_ns is None else ends_at_ns,
        updated_at_ns=now_ns,
        generator_url=alert.generator_url,
        timeout=ends_at_ns is None,
    )


def merged(old: Alert, new: Alert) -> Alert:
    """Return two reports of one alert as one, if their times overlap; else the newer.

    The earliest start wins and the newest annotations; of two ends the later, unless the
    new report says that the alert is over (Alertmanager, types.Alert.Merge).
    """
    overlaps = old.starts_at_ns < new.ends_at_ns < old.ends_at_ns or (
        old.starts_at_ns < new.starts_at_ns < old.ends_at_ns
    )
    same_start = new.starts_at_ns == old.starts_at_ns
    if not (overlaps or same_start):
        return new
    start_ns = min(old.starts_at_ns, new.starts_at_ns)
    end_ns = new.ends_at_ns
    if new.is_resolved(new.updated_at_ns):
        if old.is_resolved(new.updated_at_ns):
            end_ns = max(end_ns, old.ends_at_ns)
    elif not old.timeout:
        end_ns = max(end_ns, old.ends_at_ns)
    return replace(new, starts_at_ns=start_ns, ends_at_ns=end_ns)


def fingerprint(labels: Labels) -> str:
    """Return the 16 hex digits by which Alertmanager's API names a label set (FNV-1a, 64 bit)."""
    digest = _FNV_OFFSET
    for name, value in labels:
        for byte in (*name.encode(), 0xFF, *value.encode(), 0xFF):
            digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def common_pairs(sets: Iterable[Labels]) -> Labels:
    """Return the pairs that all label sets share."""
    remaining: set[tuple[str, str]] | None = None
    for pairs in sets:
        remaining = set(pairs) if remaining is None else remaining & set(pairs)
    return tuple(sorted(remaining or ()))
