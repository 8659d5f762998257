"""What tests of the application share: settings for the real servers, services, API, worker."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import uvicorn

from resume_optimizer.api import create_app
from resume_optimizer.database import migrate
from resume_optimizer.devstack.servers import RunningServers
from resume_optimizer.devstack.vendor import Vendor, create_vendor
from resume_optimizer.jobs.worker import make_worker
from resume_optimizer.llm.offline import OfflineProvider
from resume_optimizer.resumes import sample
from resume_optimizer.services import Services, open_services
from resume_optimizer.settings import Settings
from resume_optimizer.telemetry import CONTRACT
from watchkeeper import Settings as TelemetrySettings
from watchkeeper import Telemetry

PASSWORD = "correct horse battery"
POSTING = sample.read_text(sample.POSTING)
RESUME = sample.read(sample.RESUME)


PATIENCE_SECONDS = 60.0
"""How long whatever answers may take on a busy machine, where a person would have given up."""
LIMITS = (
    "database.pool.ACQUIRE_TIMEOUT_SECONDS",
    "database.pool.QUERY_TIMEOUT_SECONDS",
    "dependencies.TIMEOUT_SECONDS",
    "objects.CONNECT_TIMEOUT_SECONDS",
    "objects.PING_TIMEOUT_SECONDS",
    "objects.TIMEOUT_SECONDS",
    "services.CACHE_CONNECT_SECONDS",
    "services.CACHE_TIMEOUT_SECONDS",
    "services.QUEUE_TIMEOUT_SECONDS",
)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for whoever answers: a server that is down refuses at once, on a busy machine too."""
    for limit in LIMITS:
        monkeypatch.setattr(f"resume_optimizer.{limit}", PATIENCE_SECONDS)


@pytest.fixture
def settings(servers: RunningServers) -> Settings:
    """Settings for the real servers, with a probe that is let in."""
    usual = Settings.from_environment(
        {**servers.environment, "POSTING_ALLOW_PRIVATE": "127.0.0.1:1", "PROBE_TOKEN": "let me in"}
    )
    many = {"anonymous": 100_000, "free": 100_000, "premium": 100_000, "probe": 100_000}
    limits = replace(usual.limits, calls_per_minute=many, jobs_per_hour=many, queued_jobs=1000)
    return replace(usual, limits=limits)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """The application's telemetry, which raises its own faults."""
    with Telemetry(CONTRACT, TelemetrySettings(log="off", loud=True)) as telemetry:
        yield telemetry


@pytest.fixture
async def services(
    settings: Settings, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Services]:
    """The services on the real servers, migrated; what others left waiting is let go.

    Hashing a password costs little here; test_passwords.py shows what it costs really.
    """
    monkeypatch.setattr("resume_optimizer.services.OBSTORE_FAREWELL_SECONDS", 0)
    monkeypatch.setattr("resume_optimizer.api.passwords.MEMORY_KIBIBYTES", 64)
    monkeypatch.setattr("resume_optimizer.api.passwords.ITERATIONS", 1)
    async with open_services(settings, telemetry) as services:
        await migrate(services.database)
        await services.database.row("DELETE FROM users")
        await services.cache.flushall()
        yield services


@pytest.fixture
async def api(
    services: Services, settings: Settings, telemetry: Telemetry
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API, which answers on a socket of its own."""
    async with (
        serve(create_app(settings, telemetry)) as url,
        httpx2.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as client,
    ):
        yield client


@pytest.fixture
def vendor() -> Vendor:
    """A vendor of language models, to be told how it fails."""
    return Vendor()


@pytest.fixture
async def address(vendor: Vendor) -> AsyncIterator[str]:
    """The vendor, listening on loopback; whoever still waits for it at the end is let go."""
    async with serve(create_vendor(vendor), grace_seconds=0) as url:
        yield url


@pytest.fixture
async def worker(services: Services) -> AsyncIterator[None]:
    """A worker that takes jobs while the test runs."""
    async with working(services):
        yield


class serve:  # noqa: N801 - used as a context manager
    """`async with serve(app) as url:` answers on a free port of loopback."""

    def __init__(self, app: object, *, grace_seconds: int = 2) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, timeout_graceful_shutdown=grace_seconds
            )
        )

    async def __aenter__(self) -> str:
        self._task = asyncio.create_task(self._server._serve([self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.005)
            if self._task.done():
                self._task.result()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def __aexit__(self, *exception: object) -> None:
        self._server.should_exit = True
        await self._task
        self._socket.close()


class working:  # noqa: N801 - used as a context manager
    """`async with working(services):` takes jobs with the offline provider, or another."""

    def __init__(self, services: Services, provider: object | None = None) -> None:
        self._worker = make_worker(services, provider or OfflineProvider())
        self._worker.dequeue_timeout = 0.2
        self._worker._shutdown_grace_period_s = 0
        self._worker.SIGNALS = []

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._worker.start())

    async def __aexit__(self, *exception: object) -> None:
        await self._worker.stop()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def eventually(look: Callable[[], Awaitable[Any]]) -> Any:
    """Look until there is something to see, and return it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await look()):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.03)
    return found


@asynccontextmanager
async def process(
    module: str, environment: dict[str, str], *arguments: str, fd: int = -1
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a part of the application in a process of its own."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        env={**os.environ, **environment},
        pass_fds=(fd,) if fd >= 0 else (),
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


class Person:
    """Somebody with an account, who uses the JSON API."""

    def __init__(self, api: httpx2.AsyncClient, token: str) -> None:
        self._api = api
        self.headers = {"authorization": f"Bearer {token}"}

    async def get(self, path: str) -> httpx2.Response:
        return await self._api.get(path, headers=self.headers)

    async def post(self, path: str, **request: Any) -> httpx2.Response:
        headers = {**self.headers, **request.pop("headers", {})}
        return await self._api.post(path, headers=headers, **request)

    async def uploads(self, data: bytes = RESUME, name: str = "resume.txt") -> httpx2.Response:
        return await self.post("/api/resumes", files={"file": (name, data)})

    async def resume(self, data: bytes = RESUME, name: str = "resume.txt") -> str:
        """Upload a resume and return its id."""
        answer = await self.uploads(data, name)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def asks(self, resume_id: str, **wanted: Any) -> httpx2.Response:
        posting = wanted or {"posting_text": POSTING}
        return await self.post("/api/jobs", json={"resume_id": resume_id, **posting})

    async def job(self, resume_id: str = "", **wanted: Any) -> str:
        """Ask for a job and return its id."""
        answer = await self.asks(resume_id or await self.resume(), **wanted)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def ended(self, job_id: str) -> dict[str, Any]:
        """Wait until a job ended and return it."""

        async def look() -> dict[str, Any] | None:
            job = (await self.get(f"/api/jobs/{job_id}")).json()
            return job if job["ended_at"] else None

        return dict(await eventually(look))


@pytest.fixture
def newcomer(api: httpx2.AsyncClient) -> Callable[..., Awaitable[Person]]:
    """Registers somebody new: `person = await newcomer()`."""

    async def come(**headers: str) -> Person:
        answer = await api.post(
            "/api/register",
            json={"email": f"{uuid4().hex}@example.org", "password": PASSWORD},
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        assert answer.status_code == 201, answer.text
        return Person(api, answer.json()["token"])

    return come


@pytest.fixture
async def person(newcomer: Callable[..., Awaitable[Person]]) -> Person:
    """Somebody who is logged in."""
    return await newcomer()


@pytest.fixture
def measured(telemetry: Telemetry) -> Callable[..., float]:
    """Reads a sample: `measured("completed_jobs_total", status="failed")`; 0 if there is none."""
    return reader_of(telemetry)


def reader_of(telemetry: Telemetry) -> Callable[..., float]:
    """Return what reads samples of a telemetry."""

    def read(name: str, **labels: str) -> float:
        telemetry.flush()
        text = telemetry.exposition()[0].decode()
        for line in text.splitlines():
            series, _, value = line.rpartition(" ")
            if line.startswith("#") or series.partition("{")[0] != name:
                continue
            if all(f'{label}="{wanted}"' in series for label, wanted in labels.items()):
                return float(value)
        return 0.0

    return read


@pytest.fixture(name="process")
def process_fixture() -> Callable[..., AbstractAsyncContextManager[asyncio.subprocess.Process]]:
    """Runs a part of the application: `async with process(module, environment) as running:`."""
    return process


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., Awaitable[Any]]:
    """Waits for what another process does: `await eventually(look)`."""
    return eventually


@pytest.fixture(name="serve")
def serve_fixture() -> type[serve]:
    """Answers for any ASGI app on a socket: `async with serve(app) as url:`."""
    return serve


@pytest.fixture(name="working")
def working_fixture() -> type[working]:
    """Runs a worker: `async with working(services, provider):`."""
    return working
