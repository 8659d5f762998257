"""Several workers of a real server: one sum, one line a request, nothing lost at the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
SERVERS = {
    "uvicorn": ("uvicorn", "shop:app", "--workers", "2", "--fd", "{fd}"),
    "gunicorn": ("gunicorn", "shop:app", "-k", "asgi", "-w", "2", "--bind", "fd://{fd}"),
    "gunicorn, preloaded": (
        *("gunicorn", "shop:app", "-k", "asgi", "-w", "2", "--bind", "fd://{fd}"),
        "--preload",
    ),
}


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    server.close()


@pytest.mark.parametrize("name", SERVERS)
def test_workers_are_one_service(name: str, collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    log = tmp_path / "lines.jsonl"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [word.format(fd=listener.fileno()) for word in SERVERS[name]]
        server = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            pass_fds=[listener.fileno()],
            env={
                **os.environ,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "WATCHKEEPER_PROCESS_DIRECTORY": str(tmp_path / "values"),
                "WATCHKEEPER_LOG": str(log),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            workers = asked_of_two(address)
            assert httpx2.get(f"{address}/broken", timeout=30).status_code == 500
            answered = sum(workers.values())
            total = 'http_requests_total{method="GET",endpoint="/who/{what}",status_code="200"}'
            exposition = page_with(f"{total} {answered}\n", address)
        finally:
            server.send_signal(signal.SIGTERM)
            said, _ = server.communicate(timeout=30)
    assert f"{total} {answered}\n" in exposition, said.decode()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    access = [line for line in lines if line["logger"] == "watchkeeper.access"]
    assert len(access) == len({line["trace_id"] for line in access}) == answered + 1
    assert spans_of(collector) == {line["span_id"] for line in access}
    # What the server itself has to say are lines like any others: gunicorn that it listens,
    # uvicorn the exception besides, of the trace that it ended.
    own = [line for line in lines if line["logger"] == f"{command[0]}.error"]
    assert own
    [failed] = [line for line in access if line["status_code"] == 500]
    told = [line["trace_id"] for line in own if "exception" in line]
    assert told == ([failed["trace_id"]] if command[0] == "uvicorn" else [])
    assert "jane@example.org" not in log.read_text()
    assert b"jane@example.org" not in said


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
