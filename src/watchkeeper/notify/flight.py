"""The flight of notifications: groups that are due, deliveries under way, and their end on disk."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from watchkeeper.clock import Clock
from watchkeeper.errors import StorageError
from watchkeeper.notify.alert import Alert
from watchkeeper.notify.config_file import AlertmanagerConfig
from watchkeeper.notify.history import DELIVERED, FAILED
from watchkeeper.notify.ledger import Glance, Ledger
from watchkeeper.notify.pipeline import MutingSettings, Notification, is_time_muted
from watchkeeper.notify.post import Poster
from watchkeeper.notify.retry import Sleep, deliver
from watchkeeper.notify.snapshot import DeliveryRecord

LOGGER = logging.getLogger(__name__)


class Flights:
    """Takes what is due from the ledger, delivers it, and notes there how it went."""

    def __init__(
        self,
        config: AlertmanagerConfig,
        ledger: Ledger,
        *,
        clock: Clock,
        poster: Poster,
        external_url: str,
        muting: MutingSettings,
        sleep: Sleep,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._clock = clock
        self._poster = poster
        self._external_url = external_url
        self._muting = muting
        self._sleep = sleep
        self._save_turn = asyncio.Lock()
        self._next_save: asyncio.Future[None] | None = None
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Notify until cancelled; what is kept is saved at the end."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        flights: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                for glance in self._ledger.due():
                    flight = asyncio.create_task(self._flush_group(glance))
                    flights.add(flight)
                    flight.add_done_callback(flights.discard)
                    flight.add_done_callback(lambda _: self.stir())
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
        await asyncio.gather(*(self._flush_group(glance) for glance in self._ledger.due()))
        self._save_or_say_so()

    def stir(self) -> None:
        """Have `run` look again at what is due; from any thread."""
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(wake.set)

    def _seconds_to_next(self) -> float | None:
        due_ns = self._ledger.next_due_ns()
        return None if due_ns is None else max(0.0, (due_ns - self._clock.time_ns()) / 1e9)

    async def _flush_group(self, glance: Glance) -> None:
        group = glance.group
        finished: list[Alert] = []
        try:
            look = self._ledger.look(glance, self._external_url)
            muted = is_time_muted(group, self._config.time_intervals, glance.now_ns)
            receiver = self._config.receivers[group.route.receiver]
            wanted = [] if muted else self._ledger.wanted(look, receiver, self._muting)
            results = await asyncio.gather(*(self._tell(notification) for notification in wanted))
            if all(results):
                finished = self._ledger.finished(look, time_muted=muted)
        finally:
            self._ledger.settle(group, finished)

    async def _tell(self, notification: Notification) -> bool:
        """Deliver one notification and note how it went; return whether all is said."""
        if not notification.is_silent:
            outcome = await deliver(
                lambda: notification.integration.send(notification.message, self._poster),
                budget_seconds=notification.budget_seconds,
                clock=self._clock,
                sleep=self._sleep,
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
            self._ledger.note_delivery(notification.key, record)
            if not outcome.delivered:
                return False
        self._ledger.note_told(notification)
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

    def _save_or_say_so(self) -> None:
        """Save; a disk that fails must not keep anybody from being told."""
        try:
            self._ledger.save()
        except StorageError as error:
            LOGGER.error("the notifier's state is not kept: %s", error)
