"""The real servers stop and come back under the application: nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from resume_optimizer.devstack.servers import RunningServers
from resume_optimizer.jobs.recovery import keep_recovering
from resume_optimizer.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

Outage = Callable[[str], AbstractAsyncContextManager[None]]


@pytest.fixture
def down(servers: RunningServers) -> Outage:
    """Kills a server for as long as the block runs."""

    @asynccontextmanager
    async def down(name: str) -> AsyncIterator[None]:
        servers.kill(name)
        try:
            yield
        finally:
            # From this very thread: the server ends with the thread that started it.
            servers.start(name)

    return down


@pytest.fixture(autouse=True)
async def recovery(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """What every worker runs beside its work, quicker."""
    monkeypatch.setattr("resume_optimizer.jobs.recovery.STALE_SECONDS", 0.5)
    monkeypatch.setattr("resume_optimizer.jobs.recovery.INTERVAL_SECONDS", 0.2)
    recovering = asyncio.create_task(keep_recovering(services))
    yield
    recovering.cancel()
    await asyncio.gather(recovering, return_exceptions=True)


async def test_a_job_waits_for_the_file_store(
    person: Any, down: Outage, worker: None, services: Services, eventually: Any
) -> None:
    resume_id = await person.resume()
    async with down("objects"):
        job_id = await person.job(resume_id)

        async def tried() -> Any:
            return await services.database.value(
                "SELECT count(*) FROM attempts WHERE failure_code = 'objects_unavailable'"
            )

        await eventually(tried)
        assert (await person.get(f"/api/jobs/{job_id}")).json()["ended_at"] is None

    assert (await person.ended(job_id))["status"] == "completed"


async def test_a_job_survives_a_queue_that_died(
    person: Any, down: Outage, working: Any, services: Services, eventually: Any
) -> None:
    await person.job()
    async with working(services):
        async with down("cache"):
            answer = await person.get("/api/jobs")

        async def completed() -> Any:
            return await services.database.value("SELECT status = 'completed' FROM jobs")

        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "cache_unavailable")
        assert await eventually(completed)


async def test_a_job_waits_for_the_database(
    person: Any, down: Outage, worker: None, eventually: Any
) -> None:
    async with down("database"):
        answer = await person.asks("00000000-0000-0000-0000-000000000000")
    resume_id = await person.resume()
    job_id = await person.job(resume_id)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "database_unavailable")
    assert error["trace_id"]
    assert (await person.ended(job_id))["status"] == "completed"
