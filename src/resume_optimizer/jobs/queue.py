"""The queue of jobs in Valkey. PostgreSQL knows every job; the queue only says whose turn it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import cast
from uuid import UUID

import redis.exceptions
from redis.asyncio import Redis
from saq.job import Job, Status
from saq.queue.redis import RedisQueue
from saq.types import WorkerInfo
from saq.utils import now

from resume_optimizer.outages import CACHE_DOWN

NAME = "jobs"
FUNCTION = "optimise_resume"
HEARTBEAT_SECONDS = 6
TIMEOUT_MARGIN_SECONDS = 30
RETRY_DELAY_SECONDS = 1.0
LONGEST_RETRY_DELAY_SECONDS = 30.0
DEQUEUE_TIMEOUT_SECONDS = 2.0
OUTAGE_PAUSE_SECONDS = 1.0
SIGN_OF_LIFE_SECONDS = 8
LONGEST_START_SECONDS = 3
MOST_ATTEMPTS = 16
"""As far as the queue counts: its delay doubles with each attempt and would overflow."""
RETRIES = MOST_ATTEMPTS + 2
"""More than the queue counts, so that it never gives up: PostgreSQL ends the job."""


class JobQueue(RedisQueue):
    """saq's queue, with a job's id as the key: the same job twice is one entry."""

    def __init__(self, client: Redis) -> None:
        logging.getLogger("saq").setLevel(logging.WARNING)
        super().__init__(client, name=NAME)
        self._taken_ms: dict[str, int] = {}

    async def add(self, job_id: UUID, *, timeout_seconds: float) -> bool:
        """Put a job in; returns False when it is in already. Raises redis' errors."""
        entry = await self.enqueue(
            FUNCTION,
            key=str(job_id),
            job_id=str(job_id),
            timeout=int(timeout_seconds) + TIMEOUT_MARGIN_SECONDS,
            heartbeat=HEARTBEAT_SECONDS,
            retries=RETRIES,
            retry_delay=RETRY_DELAY_SECONDS,
            retry_backoff=LONGEST_RETRY_DELAY_SECONDS,
            ttl=60,
        )
        return entry is not None

    async def absent(self, job_ids: Sequence[UUID]) -> set[UUID]:
        """Return which of the jobs the queue does not know, or no longer."""
        if not job_ids:
            return set()
        scores = await self.redis.zmscore(
            self.namespace("incomplete"), [self.job_id(str(job_id)) for job_id in job_ids]
        )
        return {job_id for job_id, score in zip(job_ids, scores, strict=True) if score is None}

    async def workers(self) -> int:
        """Return how many workers gave a sign of life within their last few seconds."""
        return len((await self.info())["workers"])

    async def disconnect(self) -> None:
        """Close the connections. saq would ask Valkey to forget subscriptions that were never
        made, and fail when it is down."""
        await self.redis.aclose()

    async def write_worker_info(self, worker_id: str, info: WorkerInfo, ttl: int) -> None:
        """Note that a worker lives; one late sign is no death."""
        await super().write_worker_info(worker_id, info, max(ttl, SIGN_OF_LIFE_SECONDS))

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Put back what a worker took and gave no sign of life for; returns the entries' ids.

        saq's own sweep also takes entries that a worker is taking at this very moment, and
        stops their work. Here a worker has some seconds to begin. A worker that only stalled
        may go on: PostgreSQL lets one of two end the job.
        """
        if not await self.redis.set(self._sweep, 1, nx=True, ex=lock):
            return []
        taken = await cast(Awaitable[list[bytes]], self.redis.lrange(self._active, 0, -1))
        active = [entry.decode() for entry in taken]
        self._taken_ms = {entry: self._taken_ms.get(entry, now()) for entry in active}
        return [entry for entry in active if await self._sweep_entry(entry)]

    async def _sweep_entry(self, entry: str) -> bool:
        job = await self.job(self.job_key_from_id(entry))
        if job is None:
            await cast(Awaitable[int], self.redis.lrem(self._active, 0, entry))
            await self.redis.zrem(self._incomplete, entry)
            return True
        begun = job.status == Status.ACTIVE
        if not begun and now() - self._taken_ms[entry] < LONGEST_START_SECONDS * 1000:
            return False
        if begun and not job.stuck:
            return False
        await self.retry(job, self.swept_error_message)
        return True

    async def retry(self, job: Job, error: str | None) -> None:
        """Put an entry back for later."""
        job.attempts = min(job.attempts, MOST_ATTEMPTS)
        await super().retry(job, error)

    async def dequeue(
        self,
        timeout: float = 0.0,  # noqa: ASYNC109 - saq's own signature
        poll_interval: float = 0.0,
    ) -> Job | None:
        """Take the next entry, or None; during an outage wait a little instead of spinning."""
        try:
            return await super().dequeue(timeout or DEQUEUE_TIMEOUT_SECONDS, poll_interval)
        except (*CACHE_DOWN, OSError, redis.exceptions.ResponseError):
            await asyncio.sleep(OUTAGE_PAUSE_SECONDS)
            return None
