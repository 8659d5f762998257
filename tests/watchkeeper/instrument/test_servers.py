"""Several workers of a real server: one sum, one line a request, nothing lost at the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .collector import Collector

REQUESTS = 40
ATTEMPTS = 200
SHOP = """
import os
from fastapi import FastAPI
from watchkeeper import Contract, instrument
from watchkeeper.conventions import http, process, telemetry

app = FastAPI()


@app.get("/who/{what}")
async def who(what: str) -> int:
    return os.getpid()


@app.get("/broken")
async def broken() -> None:
    raise ValueError("no answer for jane@example.org")


contract = Contract(
    service="shop", version="1", signals=http.SIGNALS + process.SIGNALS + telemetry.SIGNALS
)
instrument(app, contract)
"""
ENDLESS = SHOP.replace(
    "contract =",
    """
async def events():
    while True:
        yield b"data: more\\n\\n"
        await asyncio.sleep(0.01)


@app.get("/events")
async def stream() -> StreamingResponse:
    return StreamingResponse(events(), media_type="text/event-stream")


contract =""",
).replace("import os", "import asyncio, os\nfrom fastapi.responses import StreamingResponse")
SERVERS = {
    "uvicorn": ("uvicorn", "shop:app", "--workers", "2", "--fd", "{fd}"),
    "gunicorn": ("gunicorn", "shop:app", "-k", "asgi", "-w", "2", "--bind", "fd://{fd}"),
    "gunicorn, preloaded": (
        *("gunicorn", "shop:app", "-k", "asgi", "-w", "2", "--bind", "fd://{fd}"),
        "--preload",
    ),
}


# The worker of its own cancels a request some time after its client left.
AT_ONCE = ("--asgi-disconnect-grace-period", "0")
STREAMING = {
    "uvicorn": ("uvicorn", "shop:app", "--fd", "{fd}"),
    "gunicorn": ("gunicorn", "shop:app", "-k", "asgi", "--bind", "fd://{fd}", *AT_ONCE),
    "gunicorn with uvicorn": (
        *("gunicorn", "shop:app", "-k", "uvicorn.workers.UvicornWorker", "--bind", "fd://{fd}"),
    ),
}


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    server.close()


@pytest.mark.parametrize("name", SERVERS)
def test_workers_are_one_service(name: str, collector: Collector, tmp_path: Path) -> None:
    with served(SHOP, SERVERS[name], collector, tmp_path) as (address, server):
        workers = asked_of_two(address)
        assert httpx2.get(f"{address}/broken", timeout=30).status_code == 500
        answered = sum(workers.values())
        total = 'http_requests_total{method="GET",endpoint="/who/{what}",status_code="200"}'
        exposition = page_with(f"{total} {answered}\n", address)
        said = said_until_the_end(server)
    assert f"{total} {answered}\n" in exposition, said.decode()
    lines = lines_in(tmp_path)
    access = [line for line in lines if line["logger"] == "watchkeeper.access"]
    assert len(access) == len({line["trace_id"] for line in access}) == answered + 1
    assert spans_of(collector) == {line["span_id"] for line in access}
    # What the server itself has to say are lines like any others: gunicorn that it listens,
    # uvicorn the exception besides, of the trace that it ended.
    own = [line for line in lines if line["logger"] == f"{SERVERS[name][0]}.error"]
    assert own
    [failed] = [line for line in access if line["status_code"] == 500]
    told = [line["trace_id"] for line in own if "exception" in line]
    assert told == ([failed["trace_id"]] if name == "uvicorn" else [])
    assert "jane@example.org" not in json.dumps(lines)
    assert b"jane@example.org" not in said


@pytest.mark.parametrize("name", STREAMING)
def test_an_endless_answer_ends_when_its_client_leaves(
    name: str, collector: Collector, tmp_path: Path
) -> None:
    with served(ENDLESS, STREAMING[name], collector, tmp_path) as (address, server):
        with httpx2.stream("GET", f"{address}/events", timeout=30) as answer:
            assert next(answer.iter_raw()).startswith(b"data: more")
        total = 'http_requests_total{method="GET",endpoint="/events",status_code="200"} 1\n'
        assert total in page_with(total, address)
        said_until_the_end(server)
    [access] = [line for line in lines_in(tmp_path) if line["logger"] == "watchkeeper.access"]
    assert (access["status_code"], access["error_type"]) == (200, "client_disconnected")
    assert access["level"] == "INFO"
    assert spans_of(collector) == {access["span_id"]}


@contextmanager
def served(
    source: str, command: Sequence[str], collector: Collector, directory: Path
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the source as shop.py, with its lines in a file and its spans at the collector."""
    (directory / "shop.py").write_text(source)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, "-m", *[word.format(fd=listener.fileno()) for word in command]],
            cwd=directory,
            pass_fds=[listener.fileno()],
            env={
                **os.environ,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "WATCHKEEPER_PROCESS_DIRECTORY": str(directory / "values"),
                "WATCHKEEPER_LOG": str(directory / "lines.jsonl"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", server
        finally:
            if server.returncode is None:
                said_until_the_end(server)


def said_until_the_end(server: subprocess.Popen[bytes]) -> bytes:
    """End the server, and return what it wrote."""
    server.send_signal(signal.SIGTERM)
    said, _ = server.communicate(timeout=30)
    return said


def lines_in(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "lines.jsonl").read_text().splitlines()]


def asked_of_two(address: str) -> dict[int, int]:
    """Ask until two workers have answered; return how often each did."""
    workers: dict[int, int] = {}

    def ask(number: int) -> int:
        # A connection each: a worker keeps those that it has accepted.
        return int(httpx2.get(f"{address}/who/{number}", timeout=30).text)

    with ThreadPoolExecutor(8) as threads:
        while len(workers) < 2:
            for worker in threads.map(ask, range(REQUESTS)):
                workers[worker] = workers.get(worker, 0) + 1
    return workers


def page_with(wanted: str, address: str) -> str:
    """Return the metrics; asked again while the other worker has not counted its last requests."""
    for _ in range(ATTEMPTS):
        page = httpx2.get(f"{address}/metrics", timeout=30).text
        if wanted in page:
            break
    return page


def spans_of(collector: Collector) -> set[str]:
    found = set()
    for path, body in collector.requests:
        if path == "/v1/traces":
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    found |= {span.span_id.hex() for span in scope.spans}
    return found
