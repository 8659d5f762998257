"""Remote write over HTTP: what is acknowledged is there, and refusals say whether to try again."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cramjam
import httpx2
import pytest
import uvicorn

from resume_optimizer.devstack.ports import free_ports
from watchkeeper.backend import Backend, Places
from watchkeeper.clock import SystemClock
from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.server.access import Access
from watchkeeper.server.application import Application
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, pack_double, tag, varint

PATH = "/prometheus/api/v1/write"
NOW_MS = 1_700_000_000_000
V1 = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}
V2 = V1 | {"content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
SENT_SECONDS = 60.0


def field(number: int, content: bytes) -> bytes:
    return delimited(tag(number, LENGTH), content)


def sample(value: float, time_ms: int) -> bytes:
    return tag(1, FIXED64) + pack_double(value) + tag(2, VARINT) + varint(time_ms)


def version_1(value: float = 7.0, time_ms: int = NOW_MS, more: bytes = b"") -> bytes:
    label = field(1, field(1, b"__name__") + field(2, b"written"))
    return packed(field(1, label + field(2, sample(value, time_ms)) + more))


def version_2() -> bytes:
    symbols = b"".join(field(4, text) for text in (b"", b"__name__", b"written"))
    return packed(symbols + field(5, field(1, b"\x01\x02") + field(2, sample(7.0, NOW_MS))))


def packed(message: bytes) -> bytes:
    block: Any = message
    return bytes(cramjam.snappy.compress_raw(block))


def stored(backend: Backend, name: str) -> list[float]:
    found = backend.store.metrics.select(
        [Matcher("__name__", MatchOperator.EQUAL, name)], 0, 1 << 62
    )
    return [value for series in found for value in series.values.tolist()]


@pytest.mark.anyio
@pytest.mark.parametrize(("content", "headers"), [(version_1(), V1), (version_2(), V2)])
async def test_what_is_acknowledged_is_stored(
    client: httpx2.AsyncClient, backend: Backend, content: bytes, headers: dict[str, str]
) -> None:
    answer = await client.post(PATH, content=content, headers=headers)
    assert answer.status_code == 204
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "1"
    assert answer.headers["x-prometheus-remote-write-histograms-written"] == "0"
    assert stored(backend, "written") == [7.0]


@pytest.mark.anyio
async def test_a_sample_that_is_too_late_is_refused_for_good(client: httpx2.AsyncClient) -> None:
    await client.post(PATH, content=version_1(), headers=V1)
    answer = await client.post(PATH, content=version_1(8.0, NOW_MS - 1), headers=V1)
    assert answer.status_code == 400
    assert "out of order" in answer.text
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "0"


@pytest.mark.anyio
async def test_a_native_histogram_is_stored_and_can_be_asked_for(
    client: httpx2.AsyncClient, backend: Backend
) -> None:
    buckets = field(11, tag(1, VARINT) + b"\x02" + tag(2, VARINT) + b"\x01") + field(12, b"\x08")
    histogram = tag(1, VARINT) + b"\x04" + tag(3, FIXED64) + pack_double(6.0) + buckets
    histogram += tag(15, VARINT) + varint(NOW_MS + 1)
    answer = await client.post(PATH, content=version_1(more=field(4, histogram)), headers=V1)
    assert answer.status_code == 204, answer.text
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "1"
    assert answer.headers["x-prometheus-remote-write-histograms-written"] == "1"
    asked = {"query": "histogram_count(written)", "time": str(NOW_MS / 1000 + 1)}
    found = await client.get("/prometheus/api/v1/query", params=asked)
    assert found.json()["data"]["result"][0]["value"][1] == "4"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (V1 | {"content-encoding": "gzip"}, version_1(), 415),
        (V1 | {"content-type": "application/json"}, version_1(), 415),
        (V1 | {"content-type": "application/x-protobuf;proto=other.Request"}, version_1(), 415),
        (V1, b"\xff\xff\xff", 400),
        (V1, b"\x0a\x00abc", 400),
        (V1, varint(1 << 40) + b"a", 413),
        (V1, varint(1 << 20) + b"a", 400),
        (V1, packed(b"\x0a\x05abc"), 400),
    ],
)
async def test_what_is_not_remote_write_is_refused_for_good(
    client: httpx2.AsyncClient, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = await client.post(PATH, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.text.strip()


@pytest.mark.anyio
@pytest.mark.parametrize("error", [StoreFullError("no room"), OverloadError("too much at once")])
async def test_what_may_be_tried_again_says_when(
    client: httpx2.AsyncClient,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def refuse(batch: object) -> int:
        raise error

    monkeypatch.setattr(backend.store.metrics, "append", refuse)
    answer = await client.post(PATH, content=version_1(), headers=V1)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


@pytest.fixture
def present(places: Places) -> Iterator[Backend]:
    """A backend at the present time."""
    backend = Backend.open(places, clock=SystemClock())
    yield backend
    backend.store.close()


@pytest.fixture
def address(present: Backend) -> Iterator[str]:
    """Its server, on a port of its own."""
    application = Application(present, access=Access(), clock=SystemClock())
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
    application.close()


def test_a_real_prometheus_writes_what_it_scraped(
    program: Callable[[str], str], address: str, present: Backend, tmp_path: Path
) -> None:
    configuration = tmp_path / "sender.yml"
    configuration.write_text(
        f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: sender
    metrics_path: /metrics
    static_configs: [{{targets: ['{address}']}}]
remote_write:
  - url: http://{address}{PATH}
    queue_config: {{batch_send_deadline: 200ms, min_backoff: 50ms}}
    metadata_config: {{send_interval: 1s}}
"""
    )
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + SENT_SECONDS
        arrived: list[float] = []
        while len(arrived) < 2 or not present.store.metrics.metadata():
            assert time.monotonic() < end, "nothing arrived"
            time.sleep(0.05)
            arrived = stored(present, "scrape_samples_scraped")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert min(arrived[1:]) > 0
    assert present.remote_write.statistics().refused == {}
