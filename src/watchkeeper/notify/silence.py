"""Silences: what somebody asked not to hear about, from when until when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from watchkeeper.clock import IdSource
from watchkeeper.errors import ConfigError
from watchkeeper.notify.matchers import Matchers, holds

RETENTION_NS = 120 * 3600 * 1_000_000_000
"""How long an expired silence can still be looked at (Alertmanager's default, 120 h)."""


class SilenceState(StrEnum):
    """Where a silence is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts that fulfil `matchers` are not sent from `starts_at_ns` to `ends_at_ns`."""

    id: str = ""
    matchers: Matchers
    starts_at_ns: int
    ends_at_ns: int
    updated_at_ns: int = 0
    created_by: str = ""
    comment: str = ""

    def state(self, now_ns: int) -> SilenceState:
        """Return where it is in its life."""
        if now_ns < self.starts_at_ns:
            return SilenceState.PENDING
        return SilenceState.ACTIVE if now_ns < self.ends_at_ns else SilenceState.EXPIRED


class SilenceBook:
    """All silences by id. Not safe for threads: its owner locks."""

    def __init__(self, ids: IdSource, silences: Iterable[Silence] = ()) -> None:
        self._ids = ids
        self._silences = {silence.id: silence for silence in silences}

    def all(self) -> tuple[Silence, ...]:
        """Return every silence that is kept."""
        return tuple(self._silences.values())

    def get(self, silence_id: str) -> Silence:
        """Return one silence. Raises KeyError."""
        return self._silences[silence_id]

    def muting(self, labels: Mapping[str, str], now_ns: int) -> tuple[str, ...]:
        """Return the ids of active silences that hold for `labels`."""
        return tuple(
            silence.id
            for silence in self._silences.values()
            if silence.state(now_ns) is SilenceState.ACTIVE and silence.matchers.matches(labels)
        )

    def put(self, silence: Silence, now_ns: int) -> str:
        """Keep a silence and return its id; raises KeyError for an id that is not known.

        An edit that would change what has already been silenced expires the old silence and
        gives the new one an id of its own. Raises ConfigError if it cannot be a silence.
        """
        _require_valid(silence, now_ns)
        if silence.id:
            old = self._silences[silence.id]
            if _is_amendment(old, silence, now_ns):
                self._silences[old.id] = replace(silence, updated_at_ns=now_ns)
                return old.id
            if old.state(now_ns) is not SilenceState.EXPIRED:
                self.expire(old.id, now_ns)
        new_id = str(uuid.UUID(int=self._ids.trace_id(), version=4))
        starts_at_ns = max(silence.starts_at_ns, now_ns)
        self._silences[new_id] = replace(
            silence, id=new_id, starts_at_ns=starts_at_ns, updated_at_ns=now_ns
        )
        return new_id

    def expire(self, silence_id: str, now_ns: int) -> None:
        """End a silence now. Raises KeyError if there is none, ConfigError if it has ended."""
        silence = self._silences[silence_id]
        if silence.state(now_ns) is SilenceState.EXPIRED:
            raise ConfigError("has already expired", source=f"silence {silence_id}")
        self._silences[silence_id] = replace(
            silence,
            starts_at_ns=min(silence.starts_at_ns, now_ns),
            ends_at_ns=now_ns,
            updated_at_ns=now_ns,
        )

    def forget_old(self, now_ns: int) -> bool:
        """Drop silences that expired long ago; return whether there were any."""
        old = [
            silence.id
            for silence in self._silences.values()
            if silence.ends_at_ns + RETENTION_NS < now_ns
        ]
        for silence_id in old:
            del self._silences[silence_id]
        return bool(old)


def _require_valid(silence: Silence, now_ns: int) -> None:
    if all(holds(matcher, "") for matcher in silence.matchers.items):
        raise ConfigError(
            "at least one matcher must not match the empty string, or it would silence "
            "alerts that do not have the label",
            source="silence",
        )
    if silence.ends_at_ns <= silence.starts_at_ns:
        raise ConfigError("it ends before it starts", source="silence")
    if silence.ends_at_ns <= now_ns:
        raise ConfigError("its end is in the past", source="silence")


def _is_amendment(old: Silence, new: Silence, now_ns: int) -> bool:
    """Whether `new` can stand in `old`'s place without changing history."""
    if old.matchers != new.matchers:
        return False
    match old.state(now_ns):
        case SilenceState.ACTIVE:
            return old.starts_at_ns == new.starts_at_ns and new.ends_at_ns >= now_ns
        case SilenceState.PENDING:
            return new.starts_at_ns >= now_ns
    return False
