"""The notifier: takes alerts in, and tells people. The parts are pure; this ties them to time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2

from watchkeeper.clock import Clock, IdSource, RandomIds
from watchkeeper.errors import StorageError
from watchkeeper.model import FiringAlert, Labels
from watchkeeper.notify.alert import Alert, fingerprint, merged, received
from watchkeeper.notify.config_file import AlertmanagerConfig
from watchkeeper.notify.dispatch import Dispatcher, Group
from watchkeeper.notify.history import DELIVERED, FAILED, History
from watchkeeper.notify.inhibit import Inhibitor
from watchkeeper.notify.notification_log import NotificationLog
from watchkeeper.notify.pipeline import (
    Look,
    MutingSettings,
    Notification,
    is_time_muted,
    notifications,
)
from watchkeeper.notify.post import Poster
from watchkeeper.notify.retry import Sleep, deliver
from watchkeeper.notify.silence import Silence, SilenceBook
from watchkeeper.notify.snapshot import (
    AlertStatus,
    DeliveryRecord,
    GroupStatus,
    ReceiverStatus,
)
from watchkeeper.notify.state_file import State, StateFile

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSettings:
    """How the notifier behaves beyond alertmanager.yml; `sleep` waits between tries."""

    muting: MutingSettings = field(default_factory=MutingSettings)
    ids: IdSource = field(default_factory=RandomIds)
    sleep: Sleep = asyncio.sleep


@dataclass(frozen=True, slots=True)
class _Glance:
    """The moment at which groups are looked at, and what mutes what then."""

    now_ns: int
    inhibitor: Inhibitor


class Notifier:
    """Alertmanager's half of the work, in one object.

    Every method may be called from any thread. `directory` keeps silences, the notification
    log and the alerts across restarts; None keeps nothing. `client` replaces the HTTP client
    for receivers without an http_config of their own.
    """

    def __init__(
        self,
        config: AlertmanagerConfig,
        *,
        clock: Clock,
        directory: Path | None = None,
        client: httpx2.AsyncClient | None = None,
        external_url: str = "",
        settings: NotifierSettings | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._external_url = external_url
        self._settings = settings or NotifierSettings()
        self._poster = Poster(client)
        self._lock = threading.RLock()
        self._saving = threading.Lock()
        self._save_turn = asyncio.Lock()
        self._next_save: asyncio.Future[None] | None = None
        self._history = History()
        self._alerts: dict[Labels, Alert] = {}
        self._state_file = StateFile(directory)
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        state = self._state_file.load()
        self._silences = SilenceBook(self._settings.ids, state.silences)
        self._log = NotificationLog(state.log)
        self._dispatcher = Dispatcher(config.route, self._log.told_firing)
        self._unsaved = False
        self._adopt(state)

    # in

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        """Take alerts as they stand now; those without an end end if they are not renewed."""
        now_ns = self._clock.time_ns()
        with self._lock:
            for alert in alerts:
                self._take(received(alert, now_ns, self._config.resolve_timeout_ns), now_ns)
        self._stir()

    def add_silence(self, silence: Silence) -> str:
        """Keep a silence, or an edit of one, and return its id.

        Raises ConfigError if it cannot be one, KeyError for an id that is not known.
        """
        with self._lock:
            silence_id = self._silences.put(silence, self._clock.time_ns())
            self._unsaved = True
        self.save()
        return silence_id

    def expire_silence(self, silence_id: str) -> None:
        """End a silence now. Raises KeyError if there is none, ConfigError if it has ended."""
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

    def receivers(self) -> tuple[ReceiverStatus, ...]:
        """Return the receivers in the order of the file."""
        return tuple(
            ReceiverStatus(
                receiver.name, tuple(integration.name for integration in receiver.integrations)
            )
            for receiver in self._config.receivers.values()
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

    def status_yaml(self) -> str:
        """Return the configuration as YAML, secrets masked."""
        return self._config.original

    def next_due_ns(self) -> int | None:
        """Return when a group is next looked at; None while there is none."""
        with self._lock:
            return self._dispatcher.next_due_ns()

    # work

    async def run(self) -> None:
        """Notify until cancelled; what is kept is saved at the end."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        flights: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                for group, glance in self._due():
                    flight = asyncio.create_task(self._flush_group(group, glance))
                    flights.add(flight)
                    flight.add_done_callback(flights.discard)
                    flight.add_done_callback(lambda _: self._stir())
                await asyncio.to_thread(self._save_or_say_so)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._seconds_to_next())
        finally:
            self._wake = None
            for flight in flights:
                flight.cancel()
            await asyncio.gather(*flights, return_exceptions=True)
            self._save_or_say_so()
            await self._poster.close()

    async def flush(self) -> None:
        """Look at every group that is due and wait until its notifications are delivered."""
        await asyncio.gather(*(self._flush_group(group, glance) for group, glance in self._due()))
        self._save_or_say_so()

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
                )
            try:
                self._state_file.save(state)
            except StorageError:
                self._unsaved = True
                raise

    def _save_or_say_so(self) -> None:
        """Save; a disk that fails must not keep anybody from being told."""
        try:
            self.save()
        except StorageError as error:
            LOGGER.error("the notifier's state is not kept: %s", error)

    def _due(self) -> list[tuple[Group, _Glance]]:
        now_ns = self._clock.time_ns()
        with self._lock:
            self._forget(now_ns)
            groups = self._dispatcher.due(now_ns)
            if not groups:
                return []
            inhibitor = Inhibitor(self._config.inhibit_rules, self._firing(now_ns))
            return [(group, _Glance(now_ns, inhibitor)) for group in groups]

    def _seconds_to_next(self) -> float | None:
        due_ns = self.next_due_ns()
        return None if due_ns is None else max(0.0, (due_ns - self._clock.time_ns()) / 1e9)

    async def _flush_group(self, group: Group, glance: _Glance) -> None:
        now_ns = glance.now_ns
        finished: list[Alert] = []
        try:
            with self._lock:
                look = self._look(group, glance)
                muted = is_time_muted(group, self._config.time_intervals, now_ns)
                receiver = self._config.receivers[group.route.receiver]
                wanted = (
                    [] if muted else notifications(look, receiver, self._log, self._settings.muting)
                )
            results = await asyncio.gather(*(self._tell(notification) for notification in wanted))
            if all(results):
                finished = self._finished(look, time_muted=muted)
        finally:
            with self._lock:
                self._dispatcher.settle(group, finished)
                self._unsaved = True

    def _look(self, group: Group, glance: _Glance) -> Look:
        now_ns = glance.now_ns
        muted = frozenset(
            labels
            for labels in group.alerts
            if self._silences.muting(dict(labels), now_ns) or glance.inhibitor.source_of(labels)
        )
        alerts = sorted(group.alerts.values(), key=lambda alert: (alert.starts_at_ns, alert.labels))
        return Look(group, tuple(alerts), muted, now_ns, self._external_url)

    def _finished(self, look: Look, *, time_muted: bool) -> list[Alert]:
        """Return the ended alerts of which nobody needs to hear: during a muted time, those
        whose start nobody heard of either."""
        with self._lock:
            return [
                alert
                for alert in look.alerts
                if alert.is_resolved(look.now_ns)
                and not (time_muted and self._log.told_firing(look.group.key, alert.labels))
            ]

    async def _tell(self, notification: Notification) -> bool:
        """Deliver one notification and note how it went; return whether all is said."""
        if not notification.is_silent:
            outcome = await deliver(
                lambda: notification.integration.send(notification.message, self._poster),
                budget_seconds=notification.budget_seconds,
                clock=self._clock,
                sleep=self._settings.sleep,
            )
            message = notification.message
            record = DeliveryRecord(
                timestamp_ns=self._clock.time_ns(),
                receiver=message.receiver,
                integration=notification.integration.name,
                status=message.status,
                alerts=len(message.alerts),
                outcome=DELIVERED if outcome.delivered else FAILED,
                detail=outcome.detail,
                summary=message.summary,
                reason=notification.reason.value,
                attempts=outcome.attempts,
            )
            with self._lock:
                self._history.add(notification.key, record)
            if not outcome.delivered:
                return False
        with self._lock:
            self._log.put(notification.key, notification.entry)
            self._unsaved = True
        await self._kept()
        return True

    async def _kept(self) -> None:
        """Wait until what was noted is on disk; all who wait together share one write."""
        if self._next_save is None:
            self._next_save = asyncio.ensure_future(self._save_in_turn())
        await asyncio.shield(self._next_save)

    async def _save_in_turn(self) -> None:
        async with self._save_turn:
            self._next_save = None
            await asyncio.to_thread(self._save_or_say_so)

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

    def _stir(self) -> None:
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(wake.set)
