"""What the notifier shows to those who look on: plain, immutable data."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.model import Labels
from watchkeeper.notify.alert import Alert, fingerprint


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """An alert with what becomes of it: who is told, and what mutes it."""

    alert: Alert
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Alertmanager's name for its label set."""
        return fingerprint(self.alert.labels)

    @property
    def state(self) -> str:
        """`suppressed` while something mutes it, else `active`."""
        return "suppressed" if self.silenced_by or self.inhibited_by else "active"


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """Alerts that are notified together."""

    key: str
    labels: Labels
    receiver: str
    alerts: tuple[AlertStatus, ...]
    flushes_at_ns: int


@dataclass(frozen=True, slots=True)
class ReceiverStatus:
    """A receiver and the kinds of its integrations."""

    name: str
    integrations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One notification: what was said to whom, and how it went.

    `status` is firing or resolved, `outcome` delivered or failed, `alerts` how many.
    """

    timestamp_ns: int
    receiver: str
    integration: str
    status: str
    alerts: int
    outcome: str
    detail: str
    summary: str
    reason: str
    attempts: int
