"""What the notifier knows: alerts and their groups, silences, and what was told to whom."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.clock import Clock, IdSource
from watchkeeper.errors import StorageError
from watchkeeper.model import FiringAlert, Labels
from watchkeeper.notify.alert import Alert, fingerprint, merged, received
from watchkeeper.notify.config_file import AlertmanagerConfig
from watchkeeper.notify.dispatch import Dispatcher, Group
from watchkeeper.notify.history import History
from watchkeeper.notify.inhibit import Inhibitor
from watchkeeper.notify.integration import Receiver
from watchkeeper.notify.notification_log import LogKey, NotificationLog
from watchkeeper.notify.pipeline import Look, MutingSettings, Notification, notifications
from watchkeeper.notify.silence import Silence, SilenceBook
from watchkeeper.notify.snapshot import AlertStatus, DeliveryRecord, GroupStatus
from watchkeeper.notify.state_file import State, StateFile


@dataclass(frozen=True, slots=True)
class Glance:
    """A group that is due, the moment at which it is looked at, and what inhibits then."""

    group: Group
    now_ns: int
    inhibitor: Inhibitor


class Ledger:
    """Keeps it all in order, for any thread, and in a file of `directory` across restarts."""

    def __init__(
        self, config: AlertmanagerConfig, *, clock: Clock, directory: Path | None, ids: IdSource
    ) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.RLock()
        self._saving = threading.Lock()
        self._alerts: dict[Labels, Alert] = {}
        self._state_file = StateFile(directory)
        state = self._state_file.load()
        self._silences = SilenceBook(ids, state.silences)
        self._log = NotificationLog(state.log)
        self._history = History(state.deliveries)
        self._dispatcher = Dispatcher(config.route, self._log.told_firing)
        self._unsaved = False
        self._adopt(state)

    # in

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        """Take alerts as they stand now."""
        now_ns = self._clock.time_ns()
        with self._lock:
            for alert in alerts:
                self._take(received(alert, now_ns, self._config.resolve_timeout_ns), now_ns)

    def add_silence(self, silence: Silence) -> str:
        """Keep a silence and return its id. Raises ConfigError and KeyError."""
        with self._lock:
            silence_id = self._silences.put(silence, self._clock.time_ns())
            self._unsaved = True
        self.save()
        return silence_id

    def expire_silence(self, silence_id: str) -> None:
        """End a silence now. Raises KeyError and ConfigError."""
        with self._lock:
            self._silences.expire(silence_id, self._clock.time_ns())
            self._unsaved = True
        self.save()

    # out

    def alerts(self) -> tuple[AlertStatus, ...]:
        """Return the alerts that have not ended, with what becomes of each."""
        now_ns = self._clock.time_ns()
        with self._lock:
            firing = self._firing(now_ns)
            inhibitor = Inhibitor(self._config.inhibit_rules, firing)
            return tuple(self._status(alert, inhibitor, now_ns) for alert in firing)

    def groups(self) -> tuple[GroupStatus, ...]:
        """Return the groups with the alerts in them."""
        now_ns = self._clock.time_ns()
        with self._lock:
            inhibitor = Inhibitor(self._config.inhibit_rules, self._firing(now_ns))
            return tuple(
                GroupStatus(
                    group.key,
                    group.labels,
                    group.route.receiver,
                    tuple(
                        self._status(alert, inhibitor, now_ns)
                        for alert in group.alerts.values()
                        if not alert.is_resolved(now_ns)
                    ),
                    group.flushes_at_ns,
                )
                for group in self._dispatcher.groups()
            )

    def silences(self) -> tuple[Silence, ...]:
        """Return every silence that is kept, expired ones too."""
        with self._lock:
            return self._silences.all()

    def history(self) -> tuple[DeliveryRecord, ...]:
        """Return the last deliveries, newest first."""
        with self._lock:
            return self._history.newest_first()

    def deliveries(self) -> Mapping[tuple[str, str], int]:
        """Return how many deliveries there were since the start, by integration and outcome."""
        with self._lock:
            return self._history.counts()

    def route(self, labels: Mapping[str, str]) -> list[str]:
        """Return the receivers that an alert with these labels would go to."""
        routes = self._config.route.match(labels)
        return list(dict.fromkeys(route.receiver for route in routes))

    # what is due, and what came of it

    def next_due_ns(self) -> int | None:
        """Return when a group is next looked at; None while there is none."""
        with self._lock:
            return self._dispatcher.next_due_ns()

    def due(self) -> list[Glance]:
        """Return the groups to look at now; each stays in flight until it is settled."""
        now_ns = self._clock.time_ns()
        with self._lock:
            self._forget(now_ns)
            groups = self._dispatcher.due(now_ns)
            if not groups:
                return []
            inhibitor = Inhibitor(self._config.inhibit_rules, self._firing(now_ns))
            return [Glance(group, now_ns, inhibitor) for group in groups]

    def look(self, glance: Glance, external_url: str) -> Look:
        """Return a group that is due as it stands."""
        group, now_ns = glance.group, glance.now_ns
        with self._lock:
            muted = frozenset(
                labels
                for labels in group.alerts
                if self._silences.muting(dict(labels), now_ns) or glance.inhibitor.source_of(labels)
            )
            alerts = sorted(
                group.alerts.values(), key=lambda alert: (alert.starts_at_ns, alert.labels)
            )
        return Look(group, tuple(alerts), muted, now_ns, external_url)

    def wanted(
        self, look: Look, receiver: Receiver, settings: MutingSettings
    ) -> list[Notification]:
        """Return what a receiver does not know yet."""
        with self._lock:
            return notifications(look, receiver, self._log, settings)

    def note_delivery(self, key: LogKey, record: DeliveryRecord) -> None:
        """Remember how a delivery went."""
        with self._lock:
            self._history.add(key, record)
            self._unsaved = True

    def note_told(self, notification: Notification) -> None:
        """Remember that all of a notification is said."""
        with self._lock:
            self._log.put(notification.key, notification.entry)
            self._unsaved = True

    def finished(self, look: Look, *, time_muted: bool) -> list[Alert]:
        """Return the ended alerts of which nobody needs to hear: during a muted time, those
        whose start nobody heard of either."""
        with self._lock:
            return [
                alert
                for alert in look.alerts
                if alert.is_resolved(look.now_ns)
                and not (time_muted and self._log.told_firing(look.group.key, alert.labels))
            ]

    def settle(self, group: Group, finished: Iterable[Alert]) -> None:
        """End the flight of a group, and drop what is finished."""
        with self._lock:
            self._dispatcher.settle(group, finished)
            self._unsaved = True

    def save(self) -> None:
        """Keep what changed since the last time. Raises StorageError, and tries again next time."""
        with self._saving:
            with self._lock:
                if not self._unsaved:
                    return
                self._unsaved = False
                state = State(
                    saved_at_ns=self._clock.time_ns(),
                    silences=self._silences.all(),
                    log=self._log.all(),
                    alerts=tuple(self._alerts.values()),
                    deliveries=self._history.all(),
                )
            try:
                self._state_file.save(state)
            except StorageError:
                self._unsaved = True
                raise

    # alerts

    def _take(self, alert: Alert, now_ns: int) -> None:
        old = self._alerts.get(alert.labels)
        kept = alert if old is None else merged(old, alert)
        self._dispatcher.put(kept, now_ns)
        if old is None and kept.is_resolved(now_ns) and not self._dispatcher.holds(kept.labels):
            return
        self._alerts[kept.labels] = kept
        if old is None or old.is_resolved(now_ns) != kept.is_resolved(now_ns):
            self._unsaved = True

    def _adopt(self, state: State) -> None:
        """Take over the alerts of an earlier process: while it was away nobody could renew
        them, so they are given time to be."""
        now_ns = self._clock.time_ns()
        for alert in state.alerts:
            if not alert.is_resolved(state.saved_at_ns):
                ends_at_ns = max(alert.ends_at_ns, now_ns + self._config.resolve_timeout_ns)
                alert = replace(alert, ends_at_ns=ends_at_ns, timeout=True)
            self._alerts[alert.labels] = alert
            self._dispatcher.put(alert, now_ns)

    def _firing(self, now_ns: int) -> tuple[Alert, ...]:
        return tuple(alert for alert in self._alerts.values() if not alert.is_resolved(now_ns))

    def _status(self, alert: Alert, inhibitor: Inhibitor, now_ns: int) -> AlertStatus:
        source = inhibitor.source_of(alert.labels)
        return AlertStatus(
            alert,
            tuple(self.route(dict(alert.labels))),
            self._silences.muting(dict(alert.labels), now_ns),
            () if source is None else (fingerprint(source.labels),),
        )

    def _forget(self, now_ns: int) -> None:
        over = [
            labels
            for labels, alert in self._alerts.items()
            if alert.is_resolved(now_ns) and not self._dispatcher.holds(labels)
        ]
        for labels in over:
            del self._alerts[labels]
        live = {group.key for group in self._dispatcher.groups()}
        changed = [self._log.forget_old(now_ns, live), self._silences.forget_old(now_ns)]
        self._unsaved = self._unsaved or bool(over) or any(changed)
