"""The queue of jobs in Valkey. PostgreSQL knows every job; the queue only says whose turn it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

import redis.exceptions
from redis.asyncio import Redis
from saq.job import Job
from saq.queue.redis import RedisQueue
from saq.types import WorkerInfo

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
MOST_ATTEMPTS = 16
"""As far as the queue counts: its delay doubles with each attempt and would overflow."""
RETRIES = MOST_ATTEMPTS + 2
"""More than the queue counts, so that it never gives up: PostgreSQL ends the job."""


class JobQueue(RedisQueue):
    """saq's queue, with a job's id as the key: the same job twice is one entry."""

    def __init__(self, client: Redis) -> None:
        logging.getLogger("saq").setLevel(logging.WARNING)
        super().__init__(client, name=NAME)

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
