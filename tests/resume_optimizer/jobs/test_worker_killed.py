"""A worker that is killed in the middle loses no job: the job ends, once."""

from __future__ import annotations

import asyncio
import os
import socket
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
        async with asyncio.timeout(60):
            await board.asked.wait()
        process.kill()
        await process.wait()
    board.answers.set()

    async with worker_process(servers, board):
        job = await person.ended(job_id)

    assert job["status"] == "completed"
    attempts = await services.database.rows("SELECT outcome FROM attempts ORDER BY number")
    *before, last = [row["outcome"] for row in attempts]
    # On a busy machine a server may answer too late: the attempt is made once more then.
    assert "lost" in before
    assert set(before) <= {"lost", "retry"}
    assert last == "success"
    assert job["attempts"] == len(attempts)
    assert await services.database.value("SELECT count(*) FROM results") == 1


async def test_a_worker_that_is_asked_to_stop_stops(
    services: Services, servers: RunningServers, board: Any, eventually: Any
) -> None:
    async with worker_process(servers, board) as process:
        await eventually(services.queue.workers)
        process.terminate()
        async with asyncio.timeout(60):
            assert await process.wait() == 0


NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "CACHE_URL": "redis://127.0.0.1:1",
    "OBJECTS_ENDPOINT": "http://127.0.0.1:1",
    "OBJECTS_ACCESS_KEY": "key",
    "OBJECTS_SECRET_KEY": "secret",
    "WATCHKEEPER_LOG": "off",
}


@pytest.mark.parametrize("module", ["resume_optimizer.api", "resume_optimizer.jobs"])
@pytest.mark.parametrize("wrong", ["missing", "taken"])
async def test_what_keeps_it_from_starting_is_said_in_one_line(module: str, wrong: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        addresses = {"PORT": port, "WORKER_METRICS_ADDRESS": f"127.0.0.1:{port}"}
        environment = {} if wrong == "missing" else {**NOWHERE, **addresses}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            env={"PATH": os.environ["PATH"], **environment},
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await process.communicate()

    assert process.returncode == 1
    assert len(complaint.splitlines()) == 1
    expected = b"DATABASE_URL: not set" if wrong == "missing" else b"Address already in use"
    assert expected in complaint


@pytest.mark.parametrize("module", ["resume_optimizer.api", "resume_optimizer.jobs"])
async def test_with_everything_down_it_starts_and_stops_all_the_same(module: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env={
            "PATH": os.environ["PATH"],
            **NOWHERE,
            "PORT": "0",
            "WORKER_METRICS_ADDRESS": "127.0.0.1:0",
            "WATCHKEEPER_LOG": "stdout",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    async with asyncio.timeout(60):
        await process.stdout.readuntil(b"migrations wait for the database")
        process.terminate()
        output, complaint = await process.communicate()

    assert process.returncode in (0, -15)
    assert b"Traceback" not in complaint + output
