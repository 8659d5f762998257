"""The composition root: which parts make a backend, and the order they start and stop in.

backend = Backend.open(places, clock=clock)     reads the files, opens the store
await backend.start()                           scrapes, evaluates, notifies
await backend.reload()                          reads the files again
await backend.stop()                            the other way round; the store last
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from watchkeeper.clock import Clock
from watchkeeper.errors import StorageError, WatchkeeperError
from watchkeeper.ingest import (
    BulkReceiver,
    IngestLimits,
    LogTailer,
    OtlpReceiver,
    PrometheusConfig,
    Quotas,
    RemoteWriteReceiver,
    Scraper,
    TargetStatus,
    load_limits,
)
from watchkeeper.ingest import load_config as load_prometheus_config
from watchkeeper.notify import AlertmanagerConfig, Notifier
from watchkeeper.notify import load_config as load_alertmanager_config
from watchkeeper.promql import Engine, QueryLimits, parse
from watchkeeper.rules import EvaluationSettings, Evaluator, GroupSnapshot, RuleGroup, load_rules
from watchkeeper.storage import Store, StoreLimits

LOGGER = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
"""How long a part that failed unexpectedly is left alone before it is started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a backend finds its files, keeps its data, and is itself found."""

    prometheus: Path
    alertmanager: Path
    data: Path
    dashboards: Path | None = None
    external_url: str = ""
    experimental_functions: bool = False
    log_files: tuple[str, ...] = ()
    limits: Path | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the files say, read and checked as a whole. Raises ConfigError while it is read."""

    prometheus: PrometheusConfig
    groups: tuple[RuleGroup, ...]
    alertmanager: AlertmanagerConfig
    limits: IngestLimits

    @staticmethod
    def read(places: Places) -> Configuration:
        """Read every file that `places` and prometheus.yml name."""
        prometheus = load_prometheus_config(places.prometheus)
        check = partial(parse, experimental=places.experimental_functions)
        return Configuration(
            prometheus,
            load_rules(prometheus.rule_paths(), parse=check),
            load_alertmanager_config(places.alertmanager),
            load_limits(places.limits) if places.limits else IngestLimits(),
        )


class Backend:
    """Every part of one backend, wired together. The server and the page see it through this.

    `store`, `engine`, `receiver` and `notifier` are the parts themselves; `reload` replaces
    what reads configuration and leaves the store alone.
    """

    def __init__(
        self, places: Places, configuration: Configuration, store: Store, *, clock: Clock
    ) -> None:
        self.places = places
        self.store = store
        self.started_ns = clock.time_ns()
        self.logs = store.logs
        self.quotas = quotas = Quotas(clock=clock)
        self.receiver = OtlpReceiver(
            store.metrics, self.logs, store.spans, clock=clock, quotas=quotas
        )
        self.remote_write = RemoteWriteReceiver(store.metrics, clock=clock, quotas=quotas)
        self.bulk = BulkReceiver(self.logs, clock=clock, quotas=quotas)
        self.tailer = LogTailer(
            places.log_files,
            self.logs,
            positions=places.data / "tail" / "positions.json",
            clock=clock,
        )
        self.query_limits = QueryLimits(experimental_functions=places.experimental_functions)
        self.engine = Engine(store.metrics, limits=self.query_limits, clock=clock)
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
        self._changing = asyncio.Lock()
        self._configure(configuration)

    @classmethod
    def open(
        cls, places: Places, *, clock: Clock, store_limits: StoreLimits | None = None
    ) -> Backend:
        """Read the files and open the store. Raises ConfigError and StorageError."""
        configuration = Configuration.read(places)
        store = Store.open(places.data, clock=clock, limits=store_limits)
        return cls(places, configuration, store, clock=clock)

    async def start(self) -> None:
        """Begin to notify, evaluate and scrape, in this order."""
        for name, part in self._parts().items():
            task = asyncio.create_task(self._keep_running(name, part), name=name)
            self._tasks.append(task)

    async def stop(self) -> None:
        """Stop to scrape, evaluate and notify; then close the store, in which everything is."""
        async with self._changing:
            await self._stop_parts()
            try:
                await asyncio.to_thread(self.store.flush)
            except StorageError:
                LOGGER.exception("hot data stays in the write-ahead log until the next start")
            self.tailer.close()
        await asyncio.to_thread(self.store.close)

    async def reload(self) -> None:
        """Read the files again and go on by them. Raises ConfigError, and keeps what runs.

        Alerts keep their state: the new evaluator finds it in the store, the new notifier in
        its directory, with what was told.
        """
        async with self._changing:
            try:
                configuration = await asyncio.to_thread(Configuration.read, self.places)
            except WatchkeeperError as error:
                self.reload_error = str(error)
                raise
            await self._stop_parts()
            before = self.scraper
            try:
                self._configure(configuration)
                self.scraper.succeed(before)
            finally:
                await self.start()

    def groups(self) -> tuple[GroupSnapshot, ...]:
        """Return the rule groups as their last evaluation left them."""
        return self.evaluator.groups()

    def targets(self) -> list[TargetStatus]:
        """Return the targets as their last scrape left them."""
        return self.scraper.targets()

    def _configure(self, configuration: Configuration) -> None:
        prometheus = configuration.prometheus
        self.configuration = configuration
        self.configured_ns = self._clock.time_ns()
        self.reload_error = ""
        self.quotas.change(configuration.limits)
        self.failures: dict[str, str] = {}
        self.notifier = Notifier(
            configuration.alertmanager,
            clock=self._clock,
            directory=self.places.data / "notify",
            external_url=self.places.external_url,
        )
        self.evaluator = Evaluator(
            configuration.groups,
            self.engine,
            self.store.metrics,
            self.notifier,
            clock=self._clock,
            history=self.store.metrics,
            settings=EvaluationSettings(
                interval_seconds=prometheus.global_.evaluation_interval,
                external_url=self.places.external_url,
                external_labels=prometheus.global_.external_labels,
            ),
        )
        self.scraper = Scraper(prometheus, self.store.metrics, clock=self._clock)

    def _parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "notifier": self.notifier.run,
            "evaluator": self.evaluator.run,
            "scraper": self.scraper.run,
            **({"tailer": self.tailer.run} if self.places.log_files else {}),
        }

    async def _stop_parts(self) -> None:
        while self._tasks:
            task = self._tasks.pop()
            task.cancel()
            await asyncio.wait([task])

    async def _keep_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await run()
                return
            except Exception as error:
                LOGGER.exception("a part of the backend failed and is started again")
                self.failures[name] = repr(error)
            await asyncio.sleep(RESTART_SECONDS)
