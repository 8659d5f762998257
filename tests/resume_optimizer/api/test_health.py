"""Health, and how each dependency that is down is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from tests.resume_optimizer.conftest import reader_of

from resume_optimizer.api import create_app
from resume_optimizer.settings import Settings
from resume_optimizer.telemetry import CONTRACT
from watchkeeper import Settings as TelemetrySettings
from watchkeeper import Telemetry

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

NOBODY = "127.0.0.1:1"
Outage = Callable[[str], AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def cut_off() -> Iterator[Telemetry]:
    """The telemetry of an API that cannot reach something: what others can reach is not in it."""
    with Telemetry(CONTRACT, TelemetrySettings(log="off", loud=True)) as telemetry:
        yield telemetry


@pytest.fixture
def measured_there(cut_off: Telemetry) -> Callable[..., float]:
    """Reads a sample of that telemetry."""
    return reader_of(cut_off)


@pytest.fixture
def without(settings: Settings, cut_off: Telemetry, serve: Any, person: Any) -> Outage:
    """An API that cannot reach one dependency, and a client that is logged in to it."""

    @asynccontextmanager
    async def without(dependency: str) -> AsyncIterator[httpx2.AsyncClient]:
        cut = {
            "database": replace(settings, database_url=f"postgresql://a:b@{NOBODY}/c"),
            "cache": replace(settings, cache_url=f"redis://{NOBODY}/0"),
            "objects": replace(
                settings, objects=replace(settings.objects, endpoint=f"http://{NOBODY}")
            ),
        }[dependency]
        async with (
            serve(create_app(cut, cut_off)) as url,
            httpx2.AsyncClient(base_url=url, headers=person.headers, timeout=60.0) as client,
        ):
            yield client

    return without


async def test_alive_is_whoever_answers(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_each_dependency_is_shown_with_its_latency(
    api: httpx2.AsyncClient, worker: None, services: Any, eventually: Any
) -> None:
    await eventually(services.queue.workers)

    async def look() -> httpx2.Response | None:
        answer = await api.get("/health/ready")
        return answer if answer.status_code == 200 else None

    body = (await eventually(look)).json()
    assert body["status"] == "ok"
    names = [dependency["name"] for dependency in body["dependencies"]]
    assert names == ["database", "cache", "objects", "worker", "llm"]
    assert all(dependency["up"] for dependency in body["dependencies"])
    assert all(dependency["latency_seconds"] >= 0 for dependency in body["dependencies"])
    assert (await api.get("/health")).json()["status"] == "ok"


async def test_without_a_worker_it_is_not_ready(api: httpx2.AsyncClient, measured: Any) -> None:
    answer = await api.get("/health")

    assert answer.status_code == 503
    down = [each["name"] for each in answer.json()["dependencies"] if not each["up"]]
    assert down == ["worker"]
    assert measured("dependency_up", dependency="worker") == 0
    assert measured("dependency_up", dependency="database") == 1


@pytest.mark.parametrize("dependency", ["database", "cache", "objects"])
async def test_a_dependency_that_is_down_is_named_and_the_others_still_looked_at(
    without: Outage, measured_there: Any, dependency: str
) -> None:
    async with without(dependency) as client:
        answer = await client.get("/health/ready")

    assert answer.status_code == 503
    shown = {each["name"]: each for each in answer.json()["dependencies"]}
    assert not shown[dependency]["up"]
    assert shown[dependency]["detail"]
    others = {"database", "cache", "objects"} - {dependency}
    assert all(shown[other]["up"] for other in others)
    assert measured_there("dependency_up", dependency=dependency) == 0


@pytest.mark.parametrize(
    ("dependency", "counted"),
    [
        ("database", {}),
        ("cache", {"name": "cache_errors_total", "error_type": "connection"}),
        ("objects", {"name": "object_errors_total", "operation": "put"}),
    ],
)
async def test_a_request_that_needs_what_is_down_is_told_so(
    without: Outage, measured_there: Any, dependency: str, counted: dict[str, str]
) -> None:
    async with without(dependency) as client:
        answer = await client.post("/api/resumes", files={"file": ("a.txt", b"some words here")})
        page = await client.get("/jobs", headers={"accept": "text/html"})
        await client.get("/health/ready")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, f"{dependency}_unavailable")
    assert len(error["trace_id"]) == 32
    assert int(answer.headers["retry-after"]) > 0
    if dependency != "objects":
        assert page.status_code == 503
        assert f"{dependency}_unavailable" in page.text
    refused = {"endpoint": "/api/resumes", "status_code": "503"}
    assert measured_there("http_requests_total", **refused) == 1
    assert measured_there("dependency_up", dependency=dependency) == 0
    assert not counted or measured_there(**counted) > 0


async def test_the_metrics_are_there(api: httpx2.AsyncClient) -> None:
    await api.get("/health/live")

    text = (await api.get("/metrics")).text

    assert "http_requests_total" in text
    assert "db_connections_max" in text
