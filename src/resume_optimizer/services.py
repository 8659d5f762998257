"""Everything that the API and the worker share, opened from the settings and closed again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from resume_optimizer.database import Database
from resume_optimizer.jobs.queue import JobQueue
from resume_optimizer.objects import Objects
from resume_optimizer.settings import Settings
from watchkeeper import Telemetry
from watchkeeper.instrument.cache import watch_cache
from watchkeeper.instrument.queue import watch_queue

CACHE_CONNECT_SECONDS = 1.0
CACHE_TIMEOUT_SECONDS = 2.0
QUEUE_TIMEOUT_SECONDS = 5.0
OBSTORE_FAREWELL_SECONDS = 0.05
"""obstore can abort the interpreter when its last call has only just ended."""


@dataclass(frozen=True, slots=True)
class Services:
    """The settings, what is recorded, and the four dependencies."""

    settings: Settings
    telemetry: Telemetry
    database: Database
    cache: Redis
    queue: JobQueue
    objects: Objects

    def untraced(self) -> AbstractContextManager[None]:
        """Leave no spans of what happens inside: looking around every few seconds would bury
        the traces of what people asked for."""
        return self.telemetry.untraced()


@asynccontextmanager
async def open_services(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Services]:
    """Yield the services. Nothing has to be up yet: each connects when it is first used."""
    database = await Database.open(
        telemetry, settings.database_url, connections=settings.limits.database_connections
    )
    client = connect_cache(settings.cache_url, timeout_seconds=CACHE_TIMEOUT_SECONDS)
    cache = watch_cache(telemetry, client)
    queue_client = connect_cache(settings.cache_url, timeout_seconds=QUEUE_TIMEOUT_SECONDS)
    queue = JobQueue(watch_cache(telemetry, queue_client))
    watch_queue(telemetry, queue)
    objects = Objects.open(telemetry, settings.objects)
    try:
        yield Services(settings, telemetry, database, cache, queue, objects)
    finally:
        await queue.disconnect()
        await cache.aclose()
        await database.close()
        await asyncio.sleep(OBSTORE_FAREWELL_SECONDS)


def connect_cache(url: str, *, timeout_seconds: float) -> Redis:
    """Return a client that gives up soon: a request must not wait for a cache that is gone."""
    return Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=CACHE_CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=0,
    )
