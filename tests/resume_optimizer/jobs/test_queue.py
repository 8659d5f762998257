"""The queue: one entry a job, tried as often as PostgreSQL wants."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as CacheConnectionError

from resume_optimizer.jobs.queue import JobQueue
from resume_optimizer.services import Services, connect_cache

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


async def test_the_same_job_twice_is_one_entry(services: Services) -> None:
    job_id = uuid4()

    assert await services.queue.add(job_id, timeout_seconds=60)
    assert not await services.queue.add(job_id, timeout_seconds=60)
    assert await services.queue.count("queued") == 1


async def test_what_the_queue_does_not_know_is_absent(services: Services) -> None:
    known, unknown = uuid4(), uuid4()
    await services.queue.add(known, timeout_seconds=60)

    assert await services.queue.absent([known, unknown]) == {unknown}
    assert await services.queue.absent([]) == set()


async def test_an_entry_is_never_given_up_and_its_delay_stays_bounded(services: Services) -> None:
    await services.queue.add(uuid4(), timeout_seconds=60)
    job = await services.queue.dequeue(timeout=1)
    assert job

    for _ in range(3):
        job.attempts += 5000
        await services.queue.retry(job, "the database was down for a day")
        assert job.retryable
        assert 0 <= job.next_retry_delay() <= 30


async def test_during_an_outage_the_worker_pauses_instead_of_spinning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    queue = JobQueue(connect_cache("redis://127.0.0.1:1"))
    monkeypatch.setattr(asyncio, "sleep", pause)

    assert await queue.dequeue() is None
    assert 1.0 in paused
    with pytest.raises(CacheConnectionError):
        await queue.workers()
