"""A worker that is killed in the middle loses no job: the job ends, once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from resume_optimizer.devstack.servers import RunningServers
from resume_optimizer.services import Services
from resume_optimizer.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


@pytest.fixture
def settings(settings: Settings, board: Any) -> Settings:
    """The API may fetch from the board, as the workers may."""
    return replace(settings, posting_allow_private=(board.url.removeprefix("http://"),))


@asynccontextmanager
async def worker_process(
    servers: RunningServers, board: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "resume_optimizer.jobs",
        env={
            **os.environ,
            **servers.environment,
            "POSTING_ALLOW_PRIVATE": board.url.removeprefix("http://"),
            "WORKER_METRICS_ADDRESS": "127.0.0.1:0",
            "WATCHKEEPER_LOG": "off",
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_a_job_outlives_the_worker_that_began_it(
    services: Services, servers: RunningServers, board: Any, person: Any
) -> None:
    board.answers.clear()
    async with worker_process(servers, board) as process:
        job_id = await person.job(posting_url=f"{board.url}/posting")
        async with asyncio.timeout(20):
            await board.asked.wait()
        process.kill()
        await process.wait()
    board.answers.set()

    async with worker_process(servers, board):
        job = await person.ended(job_id, within=40)

    assert job["status"] == "completed"
    assert job["attempts"] == 2
    outcomes = await services.database.rows("SELECT outcome FROM attempts ORDER BY number")
    assert [row["outcome"] for row in outcomes] == ["lost", "success"]
    assert await services.database.value("SELECT count(*) FROM results") == 1


async def test_a_worker_that_is_asked_to_stop_stops(
    services: Services, servers: RunningServers, board: Any, eventually: Any
) -> None:
    async with worker_process(servers, board) as process:
        await eventually(services.queue.workers)
        process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_a_worker_without_settings_says_which_is_missing() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "resume_optimizer.jobs",
        env={"PATH": os.environ["PATH"]},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()

    assert process.returncode == 1
    assert b"DATABASE_URL: not set" in complaint
    assert b"Traceback" not in complaint
