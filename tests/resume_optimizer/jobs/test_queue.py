"""The queue: one entry a job, tried as often as PostgreSQL wants."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as CacheConnectionError
from saq.job import Status

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


@pytest.fixture
def time_ms(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """saq's time, which stands still: `time_ms[0] += 1000`."""
    time_ms = [1_800_000_000_000]
    for name in ("saq.queue.base.now", "saq.job.now", "resume_optimizer.jobs.queue.now"):
        monkeypatch.setattr(name, lambda: time_ms[0])
    return time_ms


async def sweeps(queue: JobQueue) -> list[str]:
    await queue.redis.delete(queue.namespace("sweep"))
    return await queue.sweep(lock=1)


async def test_an_entry_that_a_worker_is_taking_is_left_to_it(
    services: Services, time_ms: list[int]
) -> None:
    await services.queue.add(uuid4(), timeout_seconds=60)
    time_ms[0] += 60_000
    taken = await services.queue.dequeue(timeout=1)
    assert taken

    assert await sweeps(services.queue) == []
    time_ms[0] += 2_000
    assert await sweeps(services.queue) == []
    time_ms[0] += 2_000
    assert await sweeps(services.queue) == [taken.id]
    assert await services.queue.count("active") == 0
    assert await services.queue.count("incomplete") == 1


async def test_an_entry_whose_worker_fell_silent_is_put_back(
    services: Services, time_ms: list[int]
) -> None:
    await services.queue.add(uuid4(), timeout_seconds=60)
    taken = await services.queue.dequeue(timeout=1)
    assert taken
    taken.started = time_ms[0]
    await taken.update(status=Status.ACTIVE)

    time_ms[0] += 5_000
    assert await sweeps(services.queue) == []
    await taken.update()
    time_ms[0] += 5_000
    assert await sweeps(services.queue) == []
    time_ms[0] += 2_000
    assert await sweeps(services.queue) == [taken.id]


async def test_an_entry_without_its_job_is_cleared_away(services: Services) -> None:
    await services.queue.add(uuid4(), timeout_seconds=60)
    taken = await services.queue.dequeue(timeout=1)
    assert taken
    await services.cache.delete(taken.id)

    assert await sweeps(services.queue) == [taken.id]
    assert await services.queue.count("incomplete") == 0


async def test_of_two_workers_one_sweeps(services: Services) -> None:
    await services.queue.add(uuid4(), timeout_seconds=60)
    taken = await services.queue.dequeue(timeout=1)
    assert taken
    await services.cache.delete(taken.id)

    assert await services.queue.sweep(lock=5) == [taken.id]
    assert await services.queue.sweep(lock=5) == []


async def test_during_an_outage_the_worker_pauses_instead_of_spinning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    queue = JobQueue(connect_cache("redis://127.0.0.1:1", timeout_seconds=2.0))
    monkeypatch.setattr(asyncio, "sleep", pause)

    assert await queue.dequeue() is None
    assert 1.0 in paused
    with pytest.raises(CacheConnectionError):
        await queue.workers()
