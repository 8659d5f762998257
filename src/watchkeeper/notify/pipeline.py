"""From a group to the notifications that must go out: muted times, inhibition, silences, and
what each receiver already knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from watchkeeper.model import Labels
from watchkeeper.notify.alert import Alert
from watchkeeper.notify.dispatch import Group
from watchkeeper.notify.integration import Integration, Receiver
from watchkeeper.notify.message import Message
from watchkeeper.notify.notification_log import (
    LogEntry,
    LogKey,
    NotificationLog,
    Reason,
    reason_to_notify,
)
from watchkeeper.notify.time_interval import TimeInterval

LOG_RETENTION_NS = 120 * 3600 * 1_000_000_000
"""How long it is known what a receiver was told (Alertmanager's default, 120 h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutingSettings:
    """Two faults of Alertmanager, each mended unless a setting asks for the original.

    `tell_recovery_of_muted`: who was told that an alert fires is told of its end, even while
    it is silenced or inhibited; the original never says so.
    `count_muted_as_firing`: a group of which one told alert is silenced and still fires is not
    reported as resolved when the others are; the original does.
    """

    tell_recovery_of_muted: bool = True
    count_muted_as_firing: bool = True


@dataclass(frozen=True, slots=True)
class Notification:
    """What one integration must be told, and what is noted once it was."""

    key: LogKey
    integration: Integration
    message: Message
    reason: Reason
    entry: LogEntry
    budget_seconds: float

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to say, only to note: an end that is not to be told."""
        return not self.message.alerts


@dataclass(frozen=True, slots=True)
class Look:
    """A group as it stands when it is looked at.

    `muted` are the label sets that are silenced or inhibited.
    """

    group: Group
    alerts: tuple[Alert, ...]
    muted: frozenset[Labels]
    now_ns: int
    external_url: str = ""


def is_time_muted(
    group: Group, intervals: Mapping[str, Sequence[TimeInterval]], now_ns: int
) -> bool:
    """Whether the group's route is muted now, or has active times and this is none."""

    def inside(names: Iterable[str]) -> bool:
        return any(interval.contains(now_ns) for name in names for interval in intervals[name])

    route = group.route
    if inside(route.mute_time_intervals):
        return True
    return bool(route.active_time_intervals) and not inside(route.active_time_intervals)


def notifications(
    look: Look, receiver: Receiver, log: NotificationLog, settings: MutingSettings
) -> list[Notification]:
    """Return what must go out now, one for each integration that does not know it yet."""
    found: list[Notification] = []
    for position, integration in enumerate(receiver.integrations):
        key = LogKey(look.group.key, receiver.name, integration.name, position)
        notification = _notification(look, key, integration, log.get(key), settings)
        if notification is not None:
            found.append(notification)
    return found


def _notification(
    look: Look,
    key: LogKey,
    integration: Integration,
    last: LogEntry | None,
    settings: MutingSettings,
) -> Notification | None:
    told = last.firing if last else frozenset()
    firing: list[Alert] = []
    companions: list[Alert] = []
    resolved: list[Alert] = []
    for alert in look.alerts:
        is_resolved = alert.is_resolved(look.now_ns)
        if alert.labels not in look.muted:
            (resolved if is_resolved else firing).append(alert)
        elif alert.labels in told and is_resolved and settings.tell_recovery_of_muted:
            resolved.append(alert)
        elif alert.labels in told and not is_resolved and settings.count_muted_as_firing:
            companions.append(alert)
    firing_labels = frozenset(alert.labels for alert in (*firing, *companions))
    resolved_labels = frozenset(alert.labels for alert in resolved)
    route = look.group.route
    reason = reason_to_notify(
        last,
        firing_labels,
        resolved_labels,
        audible=bool(firing),
        send_resolved=integration.send_resolved,
        now_ns=look.now_ns,
        repeat_interval_ns=route.repeat_interval_ns,
    )
    if reason is None:
        return None
    shown = firing or companions
    told_now = (*shown, *resolved) if integration.send_resolved else tuple(firing)
    lifetime_ns = max(LOG_RETENTION_NS, 2 * route.repeat_interval_ns)
    return Notification(
        key=key,
        integration=integration,
        message=Message(
            receiver=key.receiver,
            group_key=key.group_key,
            group_labels=look.group.labels,
            alerts=tuple(told_now),
            now_ns=look.now_ns,
            external_url=look.external_url,
        ),
        reason=reason,
        entry=LogEntry(look.now_ns, look.now_ns + lifetime_ns, firing_labels, resolved_labels),
        budget_seconds=max(route.group_interval_ns / 1e9, 10.0),
    )
