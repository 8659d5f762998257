"""What comes in over the wire, per second: a real backend, real connections, the client included.

    python bench/ingest.py [seconds] [milliseconds from scrape to scrape]

Starts `watchkeeper run` on an empty store, then sends each protocol's requests over two
connections for some seconds; every answer means that the records are on disk. Scraping is
counted by what the backend says it received. Where a Prometheus is installed it takes the same
scrapes and remote writes, from the same clients, right after (its answer does not mean that they
are on disk). CPU is the server's alone, per million records. A scrape that takes longer than its
interval fails, here and there: a busy machine needs a longer one. Prints a table, ratios first,
and writes bench/out/ingest.json.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cramjam
import grpc
import orjson

from watchkeeper.model import LogRecord, Scope, Severity, SpanKind, SpanRecord
from watchkeeper.wire import otlp
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, pack_double, tag, varint

CONNECTIONS = 2
BATCH = 1_000
BODIES = 20
SERIES = 5_000
TARGETS = 20
SCRAPE_MS = 200
"""Asks for 500,000 samples a second: what is asked for must be more than what is hoped for."""
SEED = 2026
OUT = Path(__file__).parent / "out" / "ingest.json"

PROMETHEUS = shutil.which("prometheus")
GRPC_SERVICES = {
    "/v1/traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/v1/logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}

CONFIG = """
global: {{scrape_interval: 1h}}
scrape_configs:
  - job_name: bench
    scrape_interval: {interval}
    scrape_timeout: {interval}
    static_configs: {targets}
"""


@dataclass(frozen=True)
class Load:
    """Requests of one protocol: each body holds `records` of them."""

    name: str
    unit: str
    path: str
    headers: dict[str, str]
    bodies: list[bytes]
    records: int


@dataclass(frozen=True)
class Measured:
    """What one load came to."""

    name: str
    unit: str
    per_second: float
    seconds: float
    requests: int
    refused: int
    ack_median_ms: float
    ack_p99_ms: float
    server: str = "watchkeeper"
    cpu_seconds_per_million: float = 0.0


@dataclass(frozen=True)
class Server:
    """A started server: its ports, and where Prometheus' paths begin."""

    name: str
    process: subprocess.Popen[str]
    port: int
    grpc_port: int = 0
    prefix: str = ""

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def scrape_ms() -> int:
    return int(sys.argv[2]) if len(sys.argv) > 2 else SCRAPE_MS


def spans(chance: random.Random, number: int) -> bytes:
    resource = {"service.instance.id": "one"}
    return otlp.encode_spans(
        [
            SpanRecord(
                f"{chance.getrandbits(128):032x}",
                f"{chance.getrandbits(64):016x}",
                f"{chance.getrandbits(64):016x}",
                f"GET /items/{row % 20}",
                SpanKind.SERVER,
                time.time_ns(),
                time.time_ns() + chance.randrange(10**9),
                "shop",
                attributes={
                    "http.request.method": "GET",
                    "http.route": f"/items/{row % 20}",
                    "http.response.status_code": 200 + row % 5,
                    "url.scheme": "https",
                    "server.address": "shop.example",
                    "server.port": 443,
                    "cache.hit": bool(row % 2),
                    "user.id": f"u{chance.randrange(100_000)}",
                    "job.id": f"{chance.getrandbits(64):x}",
                    "queue.seconds": chance.random(),
                },
                resource=resource,
                scope=Scope("shop"),
            )
            for row in range(BATCH)
        ]
    )


def logs(chance: random.Random, number: int) -> bytes:
    resource = {"service.instance.id": "one"}
    return otlp.encode_logs(
        [
            LogRecord(
                time.time_ns(),
                Severity.INFO,
                f"order {chance.getrandbits(32)} was packed in {chance.random():.3f} s",
                "shop",
                logger="orders",
                trace_id=f"{chance.getrandbits(128):032x}",
                span_id=f"{chance.getrandbits(64):016x}",
                attributes={
                    "event": "order_packed",
                    "shelf": row % 50,
                    "user.id": f"u{chance.randrange(100_000)}",
                },
                resource=resource,
            )
            for row in range(BATCH)
        ]
    )


def bulk(chance: random.Random, number: int) -> bytes:
    lines = []
    for row in range(BATCH):
        lines.append(b'{"create":{}}')
        document = {
            "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "message": f"order {chance.getrandbits(32)} was packed",
            "log": {"level": "info"},
            "shelf": row % 50,
        }
        lines.append(orjson.dumps(document))
    return b"\n".join(lines) + b"\n"


def pairs(row: int) -> dict[str, str]:
    return {
        "__name__": f"shop_metric_{row % 50}",
        "instance": f"10.0.0.{row % 200}",
        "job": "shop",
        "path": f"/items/{row}",
    }


def label_fields() -> list[bytes]:
    return [
        b"".join(
            delimited(
                tag(1, LENGTH),
                delimited(tag(1, LENGTH), name.encode())
                + delimited(tag(2, LENGTH), value.encode()),
            )
            for name, value in sorted(pairs(row).items())
        )
        for row in range(SERIES)
    ]


def remote_write(labels: list[bytes], number: int) -> bytes:
    """Return samples that are later than those of the body before."""
    time_ms = time.time_ns() // 1_000_000 + number
    end = tag(2, VARINT) + varint(time_ms)
    series = []
    for row, fields in enumerate(labels):
        sample = tag(1, FIXED64) + pack_double(float(row + number)) + end
        series.append(delimited(tag(1, LENGTH), fields + delimited(tag(2, LENGTH), sample)))
    message: Any = b"".join(series)
    return bytes(cramjam.snappy.compress_raw(message))


def loads() -> Iterator[Load]:
    chance = random.Random(SEED)
    protobuf = {"content-type": otlp.PROTOBUF_CONTENT_TYPE}
    ndjson = {"content-type": "application/x-ndjson"}
    for name, unit, path, headers, make in (
        ("OTLP spans, 10 attributes", "spans", "/v1/traces", protobuf, spans),
        ("OTLP logs", "logs", "/v1/logs", protobuf, logs),
        ("Elasticsearch bulk", "logs", "/elasticsearch/shop/_bulk", ndjson, bulk),
    ):
        bodies = [make(chance, number) for number in range(BODIES)]
        yield Load(name, unit, path, headers, bodies, BATCH)


def write_load(seconds: float) -> Load:
    """Return remote writes; a sample is taken once: bodies enough for the whole time."""
    headers = {"content-type": otlp.PROTOBUF_CONTENT_TYPE, "content-encoding": "snappy"}
    labels = label_fields()
    bodies = [remote_write(labels, number) for number in range(int(120 * seconds))]
    return Load("remote write", "samples", "/api/v1/write", headers, bodies, SERIES)


Post = Callable[[bytes], int]
"""Sends a body and returns the status of its answer."""


@contextmanager
def over_http(server: Server, load: Load) -> Iterator[Post]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    path = server.prefix + load.path if load.unit == "samples" else load.path

    def post(body: bytes) -> int:
        connection.request("POST", path, body, load.headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    yield post
    connection.close()


@contextmanager
def over_grpc(server: Server, load: Load) -> Iterator[Post]:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        call = channel.unary_unary(GRPC_SERVICES[load.path])

        def post(body: bytes) -> int:
            try:
                call(body, timeout=30)
            except grpc.RpcError:
                return 500
            return 200

        yield post


def send(load: Load, server: Server, seconds: float, open_post: Any = over_http) -> Measured:
    """Send over a few connections until the time or the bodies are used up."""
    once = load.unit == "samples"
    waiting = iter(load.bodies if once else load.bodies * 100_000)
    lock = threading.Lock()
    acknowledged_ms: list[float] = []
    refused = 0
    began, cpu_before = time.perf_counter(), server.cpu_seconds()

    def client() -> None:
        nonlocal refused
        with open_post(server, load) as post:
            while time.perf_counter() - began < seconds:
                with lock:
                    body = next(waiting, None)
                if body is None:
                    break
                sent = time.perf_counter()
                status = post(body)
                acknowledged_ms.append((time.perf_counter() - sent) * 1_000)
                refused += status >= 300

    # Samples of one series must come in order: one connection for them.
    threads = [threading.Thread(target=client) for _ in range(1 if once else CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    kept = (len(acknowledged_ms) - refused) * load.records
    name = load.name.replace("OTLP", "OTLP/gRPC") if open_post is over_grpc else load.name
    found = measured(name, load.unit, kept, took, acknowledged_ms, refused)
    return of_server(found, server, server.cpu_seconds() - cpu_before)


def of_server(found: Measured, server: Server, cpu_seconds: float) -> Measured:
    million = found.per_second * found.seconds / 1e6 or 1.0
    return replace(found, server=server.name, cpu_seconds_per_million=cpu_seconds / million)


def measured(
    name: str, unit: str, kept: float, took: float, times_ms: list[float], refused: int
) -> Measured:
    ordered = sorted(times_ms) or [0.0]
    median, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return Measured(name, unit, kept / took, took, len(times_ms), refused, median, late)


class Targets(ThreadingHTTPServer):
    """The scraped service's server; that a scraper goes away is nothing to tell."""

    def handle_error(self, *arguments: object) -> None:
        pass


class Target(BaseHTTPRequestHandler):
    """A service with many series; it runs in a process of its own."""

    protocol_version = "HTTP/1.1"
    body = b"".join(
        b'shop_metric_%d{path="/items/%d"} %d\n' % (row % 50, row, row) for row in range(SERIES)
    )

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


@contextmanager
def target() -> Iterator[int]:
    server = Targets(("127.0.0.1", 0), Target)
    child = os.fork()
    if child == 0:
        server.serve_forever()
    server.server_close()
    try:
        yield server.server_address[1]
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


@contextmanager
def backend(targets: list[dict[str, Any]]) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        interval = f"{scrape_ms()}ms"
        config = CONFIG.format(interval=interval, targets=json.dumps(targets))
        (directory / "prometheus.yml").write_text(config)
        (directory / "alertmanager.yml").write_text(
            "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
        )
        (directory / "dashboards").mkdir()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "watchkeeper.cli", "run"),
                *("--port", "0", "--otlp-grpc-port", "0"),
                *("--config", directory / "prometheus.yml"),
                *("--alertmanager", directory / "alertmanager.yml"),
                *("--dashboards", directory / "dashboards"),
                *("--data", directory / "data"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        ports = [int(process.stdout.readline().rpartition(":")[2]) for _ in range(2)]
        try:
            yield Server("watchkeeper", process, *ports, prefix="/prometheus")
        finally:
            process.terminate()
            process.wait()


@contextmanager
def prometheus(targets: list[dict[str, Any]]) -> Iterator[Server]:
    assert PROMETHEUS is not None
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        interval = f"{scrape_ms()}ms"
        config = CONFIG.format(interval=interval, targets=json.dumps(targets))
        (directory / "prometheus.yml").write_text(config)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [
                *(PROMETHEUS, f"--config.file={directory / 'prometheus.yml'}"),
                *(
                    f"--storage.tsdb.path={directory / 'data'}",
                    "--web.enable-remote-write-receiver",
                ),
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            wait_for(port)
            yield Server("prometheus", process, port)
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("Prometheus did not start")


def received_samples(server: Server) -> float:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/metrics", headers={"accept": "text/plain"})
    text = connection.getresponse().read().decode()
    connection.close()
    wanted = {
        "watchkeeper": 'watchkeeper_received_total{signal="samples"}',
        "prometheus": "prometheus_tsdb_head_samples_appended_total",
    }[server.name]
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(wanted))


def scrape(server: Server, seconds: float) -> Measured:
    time.sleep(3)
    before, began = received_samples(server), time.perf_counter()
    cpu_before = server.cpu_seconds()
    time.sleep(seconds)
    after, took = received_samples(server), time.perf_counter() - began
    name = f"scraping {TARGETS} targets of {SERIES} series"
    found = measured(name, "samples", after - before, took, [], 0)
    return of_server(found, server, server.cpu_seconds() - cpu_before)


def run(seconds: float) -> list[Measured]:
    servers = [backend, *([prometheus] if PROMETHEUS else [])]
    with backend([]) as server:
        found = [send(load, server, seconds) for load in loads()]
        found += [
            send(load, server, seconds, over_grpc) for load in loads() if load.path in GRPC_SERVICES
        ]
    for start in servers:
        # A load made anew has times of now.
        with start([]) as server:
            found.append(send(write_load(seconds), server, seconds))
    with target() as port:
        # One address under twenty labels is twenty targets.
        targets = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"number": str(number)}}
            for number in range(TARGETS)
        ]
        for start in servers:
            with start(targets) as server:
                found.append(scrape(server, seconds))
    return found


def show(found: list[Measured]) -> None:
    theirs = {each.name: each for each in found if each.server == "prometheus"}
    head = ("over the wire, two cores", "rate/theirs", "CPU/theirs", "a second", "CPU s/million")
    print(f"{head[0]:38} {head[1]:>11} {head[2]:>10} {head[3]:>16} {head[4]:>13}  ack p50/p99 ms")
    for each in found:
        peer = theirs.get(each.name) if each.server == "watchkeeper" else None
        if peer is not None and not peer.per_second:
            peer = None
        rate = f"{each.per_second / peer.per_second:.2f}" if peer else ""
        cpu = f"{each.cpu_seconds_per_million / peer.cpu_seconds_per_million:.2f}" if peer else ""
        name = each.name if each.server == "watchkeeper" else f"  {each.server}"
        ack = f"{each.ack_median_ms:.0f}/{each.ack_p99_ms:.0f}" if each.ack_median_ms else ""
        a_second = f"{each.per_second:,.0f} {each.unit}"
        spent = f"{each.cpu_seconds_per_million:.2f}"
        refused = f"  {each.refused} refused" if each.refused else ""
        print(f"{name:38} {rate:>11} {cpu:>10} {a_second:>16} {spent:>13}  {ack:>14}{refused}")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    found = run(seconds)
    show(found)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"cores": os.cpu_count(), "found": [asdict(x) for x in found]}))
    print(f"written to {OUT}")


if __name__ == "__main__":
    main()
