"""The notifier: takes alerts in, and tells people. What it knows is its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from watchkeeper.clock import Clock, IdSource, RandomIds
from watchkeeper.model import FiringAlert
from watchkeeper.notify.config_file import AlertmanagerConfig
from watchkeeper.notify.flight import Flights
from watchkeeper.notify.ledger import Ledger
from watchkeeper.notify.pipeline import MutingSettings
from watchkeeper.notify.post import Poster
from watchkeeper.notify.retry import Sleep
from watchkeeper.notify.silence import Silence
from watchkeeper.notify.snapshot import (
    AlertStatus,
    DeliveryRecord,
    GroupStatus,
    ReceiverStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierSettings:
    """How the notifier behaves beyond alertmanager.yml; `sleep` waits between tries."""

    muting: MutingSettings = field(default_factory=MutingSettings)
    ids: IdSource = field(default_factory=RandomIds)
    sleep: Sleep = asyncio.sleep


class Notifier:
    """Alertmanager's half of the work, in one object.

    Every method may be called from any thread. `directory` keeps silences, alerts, what was
    told and the last deliveries across restarts; None keeps nothing. `client` replaces the HTTP
    client for receivers without an http_config of their own.
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
        settings = settings or NotifierSettings()
        self._config = config
        self._ledger = Ledger(config, clock=clock, directory=directory, ids=settings.ids)
        self._flights = Flights(
            config,
            self._ledger,
            clock=clock,
            poster=Poster(client),
            external_url=external_url,
            muting=settings.muting,
            sleep=settings.sleep,
        )

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        """Take alerts as they stand now; those without an end end if they are not renewed."""
        self._ledger.put(alerts)
        self._flights.stir()

    def add_silence(self, silence: Silence) -> str:
        """Keep a silence, or an edit of one, and return its id.

        Raises ConfigError if it cannot be one, KeyError for an id that is not known.
        """
        return self._ledger.add_silence(silence)

    def expire_silence(self, silence_id: str) -> None:
        """End a silence now. Raises KeyError if there is none, ConfigError if it has ended."""
        self._ledger.expire_silence(silence_id)

    def alerts(self) -> tuple[AlertStatus, ...]:
        """Return the alerts that have not ended, with what becomes of each."""
        return self._ledger.alerts()

    def groups(self) -> tuple[GroupStatus, ...]:
        """Return the groups with the alerts in them."""
        return self._ledger.groups()

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
        return self._ledger.silences()

    def history(self) -> tuple[DeliveryRecord, ...]:
        """Return the last deliveries, newest first."""
        return self._ledger.history()

    def deliveries(self) -> Mapping[tuple[str, str], int]:
        """Return how many deliveries there were since the start, by integration and outcome."""
        return self._ledger.deliveries()

    def route(self, labels: Mapping[str, str]) -> list[str]:
        """Return the receivers that an alert with these labels would go to."""
        return self._ledger.route(labels)

    def status_yaml(self) -> str:
        """Return the configuration as YAML, secrets masked."""
        return self._config.original

    def next_due_ns(self) -> int | None:
        """Return when a group is next looked at; None while there is none."""
        return self._ledger.next_due_ns()

    async def run(self) -> None:
        """Notify until cancelled; what is kept is saved at the end."""
        await self._flights.run()

    async def flush(self) -> None:
        """Look at every group that is due and wait until its notifications are delivered."""
        await self._flights.flush()

    def save(self) -> None:
        """Keep what changed since the last time. Raises StorageError, and tries again next time."""
        self._ledger.save()
