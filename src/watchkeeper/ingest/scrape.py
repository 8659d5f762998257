"""Scraping: every target on its own beat, until cancelled; nothing that fails stops a beat."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

import httpx2

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import DecodeError, OverloadError, StoreFullError
from watchkeeper.ingest.config import PrometheusConfig, ScrapeConfig
from watchkeeper.ingest.discovery import Discovery
from watchkeeper.ingest.fetch import Fetched, ScrapeError, ScrapeLimitError, fetch, open_client
from watchkeeper.ingest.relabel import Relabeler
from watchkeeper.ingest.sample_intake import without_future
from watchkeeper.ingest.samples import Scraped, TargetSamples
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal, Tally
from watchkeeper.ingest.target import Target
from watchkeeper.model import Labels, SampleBatch
from watchkeeper.ports import SampleSink

LOGGER = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]

LOOK_AGAIN_SECONDS = 5.0
"""How often the files of discovery are looked at."""
_FIRST_WITHIN_SECONDS = 1.0
STARTS_WITHIN_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A target as its last scrape left it. `last_scrape_ns` is 0 before the first.

    One that is `starting` has not answered yet, and may: it was first asked less than a minute ago.
    """

    job: str
    labels: Labels
    discovered_labels: Labels
    url: str
    health: Literal["up", "down", "unknown"]
    last_scrape_ns: int
    last_duration_seconds: float
    last_error: str
    interval_seconds: float
    timeout_seconds: float
    starting: bool = False


class Scraper:
    """Scrapes what prometheus.yml says into `sink`.

    `client` replaces the one that each job would open; `sleep` is asyncio's but for tests.
    `problems` names what discovery could not read or was not told, and limits on targets.
    """

    def __init__(
        self,
        config: PrometheusConfig,
        sink: SampleSink,
        *,
        clock: Clock | None = None,
        client: httpx2.AsyncClient | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._sink = sink
        self._clock = clock or SystemClock()
        self._client = client
        self._sleep = sleep
        self._tally = Tally()
        self._before: dict[tuple[str, Target], TargetBeat] = {}
        self._jobs = [(job, Discovery(job, source=config.source)) for job in config.scrape_configs]
        self._source = config.source
        self._beats: dict[tuple[str, Target], TargetBeat] = {}
        self._refusals: dict[str, str] = {}
        self.problems: list[str] = []

    def succeed(self, before: Scraper) -> None:
        """Go on where one stopped that scraped until now, by another configuration.

        What is no target any more, or is not shown any more, is marked stale.
        """
        self._tally = before._tally
        self._before = {**before._before, **before._beats}

    def targets(self) -> list[TargetStatus]:
        """Return all targets by job and URL."""
        found = [beat.status() for beat in list(self._beats.values())]
        return sorted(found, key=lambda status: (status.job, status.url))

    def statistics(self) -> IngestStatistics:
        """Return what was stored and refused since the start."""
        return self._tally.snapshot()

    async def run(self) -> None:
        """Scrape until cancelled. Raises ConfigError when a job's TLS files cannot be used."""
        async with AsyncExitStack() as stack:
            clients: dict[str, httpx2.AsyncClient] = {}
            for job, _ in self._jobs:
                client = self._client
                if client is None:
                    client = await stack.enter_async_context(open_client(job))
                clients[job.job_name] = client
            changed = asyncio.Event()
            polled = [each for _, discovery in self._jobs for each in discovery.polled]
            for each in polled:
                await each.asked.open(stack)
            async with asyncio.TaskGroup() as tasks:
                for each in polled:
                    tasks.create_task(each.run(self._sleep, changed))
                running: dict[tuple[str, Target], asyncio.Task[None]] = {}
                seen: object = None
                while True:
                    changed.clear()
                    fingerprint = await asyncio.to_thread(self._fingerprint)
                    if fingerprint != seen:
                        seen = fingerprint
                        await self._look_again(clients, tasks, running)
                    await self._until(changed)

    async def _until(self, changed: asyncio.Event) -> None:
        """Wait for an answer of discovery, or until it is time to look at the files."""
        waits = [
            asyncio.ensure_future(changed.wait()),
            asyncio.ensure_future(self._sleep(LOOK_AGAIN_SECONDS)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _fingerprint(self) -> object:
        return [discovery.fingerprint() for _, discovery in self._jobs]

    async def _look_again(
        self,
        clients: dict[str, httpx2.AsyncClient],
        tasks: asyncio.TaskGroup,
        running: dict[tuple[str, Target], asyncio.Task[None]],
    ) -> None:
        wanted = await asyncio.to_thread(self._discover)
        for key in [key for key in running if key not in wanted]:
            task = running.pop(key)
            task.cancel()
            await asyncio.wait([task])
            await self._beats.pop(key).end()
        for key, job in wanted.items():
            if key not in running:
                samples = TargetSamples(job, key[1], self._relabeler(job))
                beat = TargetBeat(
                    job, key[1], samples, self._sink, self._clock, clients[key[0]], self._tally
                )
                if (earlier := self._before.pop(key, None)) is not None:
                    beat.succeed(earlier)
                self._beats[key] = beat
                running[key] = tasks.create_task(beat.run(self._sleep))
            self._beats[key].refusal = self._refusals.get(key[0], "")
        await self._end_earlier()

    async def _end_earlier(self) -> None:
        """Mark stale what was scraped before, of jobs whose targets are all known by now."""
        unknown = {job.job_name for job, discovery in self._jobs if not discovery.is_complete}
        for key in [key for key in self._before if key[0] not in unknown]:
            await self._before.pop(key).end()

    def _discover(self) -> dict[tuple[str, Target], ScrapeConfig]:
        wanted: dict[tuple[str, Target], ScrapeConfig] = {}
        problems: list[str] = []
        self._refusals = {}
        for job, discovery in self._jobs:
            targets, wrong = discovery.targets()
            problems += wrong
            if job.target_limit and len(targets) > job.target_limit:
                reason = f"{len(targets)} targets: target_limit is {job.target_limit}"
                self._refusals[job.job_name] = reason
                problems.append(f"job {job.job_name}: {reason}")
            wanted |= {(job.job_name, target): job for target in targets}
        self.problems = problems
        return wanted

    def _relabeler(self, job: ScrapeConfig) -> Relabeler:
        path = f"job {job.job_name}.metric_relabel_configs"
        return Relabeler.compile(job.metric_relabel_configs, source=self._source, path=path)


class TargetBeat:
    """One target: `run` scrapes it at every beat, `scrape` once.

    While `refusal` says why it is not to be scraped, it is down.
    """

    def __init__(
        self,
        job: ScrapeConfig,
        target: Target,
        samples: TargetSamples,
        sink: SampleSink,
        clock: Clock,
        client: httpx2.AsyncClient,
        tally: Tally,
    ) -> None:
        self._job = job
        self._target = target
        self.samples = samples
        self._sink = sink
        self._clock = clock
        self._client = client
        self._tally = tally
        self.refusal = ""
        self._health: Literal["up", "down", "unknown"] = "unknown"
        self._starts_until_ns: int | None = None
        self._last_scrape_ns = 0
        self._last_duration_seconds = 0.0
        self._last_error = ""

    def status(self) -> TargetStatus:
        """Return how the last scrape went."""
        return TargetStatus(
            job=self._target.job,
            labels=self._target.labels,
            discovered_labels=self._target.discovered_labels,
            url=self._target.url,
            health=self._health,
            last_scrape_ns=self._last_scrape_ns,
            last_duration_seconds=self._last_duration_seconds,
            last_error=self._last_error,
            interval_seconds=self._target.interval_seconds,
            timeout_seconds=self._target.timeout_seconds,
            starting=self._clock.monotonic_ns() < (self._starts_until_ns or 0),
        )

    def succeed(self, earlier: TargetBeat) -> None:
        """Go on where the target's beat was before a reload."""
        self.samples.succeed(earlier.samples)
        self._starts_until_ns = earlier._starts_until_ns

    async def run(self, sleep: Sleep) -> None:
        """Scrape within a second, then once an interval at this target's own offset in it."""
        interval = self._target.interval_seconds
        share = _share(self._target)
        await sleep(share * min(interval, _FIRST_WITHIN_SECONDS))
        while True:
            await self.scrape()
            now = self._clock.monotonic_ns() / 1e9
            beats = math.floor(now / interval - share) + 1
            await sleep((beats + share) * interval - now)

    async def scrape(self) -> None:
        """Scrape once and store what came of it; whatever goes wrong ends up in the status."""
        start_ns = self._clock.time_ns()
        began_ns = self._clock.monotonic_ns()
        error = ""
        try:
            if self.refusal:
                raise ScrapeLimitError(self.refusal)
            answer = await fetch(self._client, self._job, self._target)
            scraped = await asyncio.to_thread(self._read, answer, start_ns, began_ns)
        except Exception as reason:  # noqa: BLE001 - nothing that fails stops a beat
            error = self._explained(reason)
            scraped = self.samples.of_failure(_ms(start_ns), self._seconds_since(began_ns))
        duration = self._seconds_since(began_ns)
        unstored = await asyncio.to_thread(self._store, scraped)
        self._health = "down" if error else "up"
        if not error:
            self._starts_until_ns = 0
        elif self._starts_until_ns is None:
            self._starts_until_ns = began_ns + STARTS_WITHIN_NS
        self._last_scrape_ns = start_ns
        self._last_duration_seconds = duration
        self._last_error = error or unstored

    async def end(self) -> None:
        """Mark everything stale: the target is no longer one."""
        batch = self.samples.of_end(_ms(self._clock.time_ns()))
        await asyncio.to_thread(self._append, batch)

    def _read(self, answer: Fetched, start_ns: int, began_ns: int) -> Scraped:
        parsed = self.samples.of_answer(answer, _ms(start_ns))
        return self.samples.of_success(parsed, _ms(start_ns), self._seconds_since(began_ns))

    def _store(self, scraped: Scraped) -> str:
        problem = self._append(scraped.batch)
        if not problem:
            self.samples.keep(scraped)
        return problem

    def _append(self, batch: SampleBatch) -> str:
        batch, future = without_future(batch, _ms(self._clock.time_ns()))
        self._tally.refused(Signal.SAMPLES, Refusal.FUTURE, future)
        count = len(batch.labels)
        try:
            refused = self._sink.append(batch)
        except OverloadError as error:
            self._tally.refused(Signal.SAMPLES, Refusal.LIMIT, count)
            return f"not stored: {error}"
        except StoreFullError as error:
            self._tally.refused(Signal.SAMPLES, Refusal.STORE_FULL, count)
            return f"not stored: {error}"
        except Exception as error:  # noqa: BLE001 - a store that fails must not end the beat
            self._tally.refused(Signal.SAMPLES, Refusal.STORE_FAILED, count)
            return f"not stored: {type(error).__name__}: {error}"
        self._tally.refused(Signal.SAMPLES, Refusal.OUT_OF_ORDER, refused)
        self._tally.received(Signal.SAMPLES, count - refused)
        return ""

    def _explained(self, reason: Exception) -> str:
        """Count a failed scrape and return what its status says; log what nobody expected."""
        if isinstance(reason, DecodeError):
            self._tally.refused(Signal.SAMPLES, Refusal.MALFORMED)
        elif isinstance(reason, ScrapeLimitError):
            self._tally.refused(Signal.SAMPLES, Refusal.LIMIT)
        elif not isinstance(reason, ScrapeError):
            LOGGER.error("a scrape of %s failed unexpectedly", self._target.url, exc_info=reason)
            return f"unexpected {type(reason).__name__}; the log of the backend says more"
        return str(reason)

    def _seconds_since(self, began_ns: int) -> float:
        return (self._clock.monotonic_ns() - began_ns) / 1e9


def _ms(nanoseconds: int) -> int:
    return nanoseconds // 1_000_000


def _share(target: Target) -> float:
    digest = hashlib.blake2b(repr((target.url, target.labels)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
