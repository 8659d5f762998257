"""The dependencies: which answer, how fast, and which is down.

Each process looks every few seconds, so that `dependency_up` is never old. The language model
is not called to be looked at, which would cost money: its recent outcomes tell. It alone may
be down while the application counts as ready.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import cast

from resume_optimizer.database import statistics
from resume_optimizer.failures import Failure
from resume_optimizer.services import Services
from resume_optimizer.telemetry import DEPENDENCY_CHANGED
from watchkeeper.instrument.dependencies import DependencyCheck, DependencyState, check_all

INTERVAL_SECONDS = 3.0
TIMEOUT_SECONDS = 3.0
FRESH_SECONDS = 1.0
LLM = "llm"
LLM_WINDOW_SECONDS = 300.0
LLM_FEWEST_CALLS = 3


class Dependencies:
    """Looks after the dependencies of one process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._clock = services.telemetry.clock
        self._looking = asyncio.Lock()
        self._told: dict[str, bool] = {}
        self._results: Sequence[DependencyState] = ()
        self._looked_ns = 0
        self._checks = (
            DependencyCheck("database", services.database.ping, TIMEOUT_SECONDS),
            DependencyCheck("cache", self._cache, TIMEOUT_SECONDS),
            DependencyCheck("objects", services.objects.ping, TIMEOUT_SECONDS),
            DependencyCheck("worker", self._worker, TIMEOUT_SECONDS),
            DependencyCheck(LLM, self._llm, TIMEOUT_SECONDS),
        )

    async def recent(self) -> Sequence[DependencyState]:
        """Return results that are at most a second old: many who ask are one look."""
        async with self._looking:
            age_ns = self._clock.monotonic_ns() - self._looked_ns
            if not self._results or age_ns > FRESH_SECONDS * 1e9:
                await self._look()
            return self._results

    async def keep_looking(self) -> None:
        """Look every few seconds, for ever, and write down what changed."""
        while True:
            async with self._looking:
                with self._services.untraced():
                    await self._look()
            self._tell()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _look(self) -> None:
        self._results = await check_all(self._services.telemetry, self._checks)
        self._looked_ns = self._clock.monotonic_ns()

    def _tell(self) -> None:
        for result in self._results:
            if self._told.get(result.name, True) != result.up:
                self._services.telemetry.log(
                    DEPENDENCY_CHANGED, dependency=result.name, up=result.up, detail=result.detail
                )
            self._told[result.name] = result.up

    async def _cache(self) -> None:
        await cast(Awaitable[bool], self._services.cache.ping())

    async def _worker(self) -> None:
        if not await self._services.queue.workers():
            raise LookupError("no worker gave a sign of life in the last seconds")

    async def _llm(self) -> None:
        try:
            recent = await statistics.recent_llm_calls(self._services.database, LLM_WINDOW_SECONDS)
        except Failure:
            return
        if recent.total >= LLM_FEWEST_CALLS and 2 * recent.succeeded < recent.total:
            raise LookupError(
                f"{recent.total - recent.succeeded} of the last {recent.total} calls failed"
            )


def ready(results: Sequence[DependencyState]) -> bool:
    """Return whether all is up that the application needs to do its work."""
    return all(result.up for result in results if result.name != LLM)
