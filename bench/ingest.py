"""What comes in over the wire, per second: a real backend, real connections, the client included.

    python bench/ingest.py [seconds]

Starts `watchkeeper run` on an empty store, then sends each protocol's requests over two
connections for some seconds; every answer means that the records are on disk. Scraping is
counted by what the backend says it received. Prints a table and writes bench/out/ingest.json.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cramjam
import orjson

from watchkeeper.model import LogRecord, Severity, SpanKind, SpanRecord
from watchkeeper.wire import otlp
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, pack_double, tag, varint

CONNECTIONS = 2
BATCH = 1_000
BODIES = 20
SERIES = 5_000
TARGETS = 20
SCRAPE_MS = 250
SEED = 2026
OUT = Path(__file__).parent / "out" / "ingest.json"

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
                scope="shop",
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


def remote_write(chance: random.Random, number: int) -> bytes:
    """Return samples that are later than those of the body before."""
    time_ms = time.time_ns() // 1_000_000 + number
    series = []
    for row in range(SERIES):
        labels = b"".join(
            delimited(
                tag(1, LENGTH),
                delimited(tag(1, LENGTH), name.encode())
                + delimited(tag(2, LENGTH), value.encode()),
            )
            for name, value in sorted(pairs(row).items())
        )
        sample = tag(1, FIXED64) + pack_double(float(row + number))
        sample += tag(2, VARINT) + varint(time_ms)
        series.append(delimited(tag(1, LENGTH), labels + delimited(tag(2, LENGTH), sample)))
    message: Any = b"".join(series)
    return bytes(cramjam.snappy.compress_raw(message))


def loads(seconds: float) -> Iterator[Load]:
    chance = random.Random(SEED)
    protobuf = {"content-type": otlp.PROTOBUF_CONTENT_TYPE}
    ndjson = {"content-type": "application/x-ndjson"}
    snappy = protobuf | {"content-encoding": "snappy"}
    for name, unit, path, headers, make, records in (
        ("OTLP spans, 10 attributes", "spans", "/v1/traces", protobuf, spans, BATCH),
        ("OTLP logs", "logs", "/v1/logs", protobuf, logs, BATCH),
        ("Elasticsearch bulk", "logs", "/elasticsearch/shop/_bulk", ndjson, bulk, BATCH),
        ("remote write", "samples", "/prometheus/api/v1/write", snappy, remote_write, SERIES),
    ):
        # A sample is taken once, so there must be bodies enough for the whole time.
        count = int(60 * seconds) if make is remote_write else BODIES
        bodies = [make(chance, number) for number in range(count)]
        yield Load(name, unit, path, headers, bodies, records)


def send(load: Load, port: int, seconds: float) -> Measured:
    """Send over a few connections until the time or the bodies are used up."""
    once = load.unit == "samples"
    waiting = iter(load.bodies if once else load.bodies * 100_000)
    lock = threading.Lock()
    acknowledged_ms: list[float] = []
    refused = 0
    began = time.perf_counter()

    def client() -> None:
        nonlocal refused
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        while time.perf_counter() - began < seconds:
            with lock:
                body = next(waiting, None)
            if body is None:
                break
            sent = time.perf_counter()
            connection.request("POST", load.path, body, load.headers)
            answer = connection.getresponse()
            answer.read()
            acknowledged_ms.append((time.perf_counter() - sent) * 1_000)
            refused += answer.status >= 300
        connection.close()

    # Samples of one series must come in order: one connection for them.
    threads = [threading.Thread(target=client) for _ in range(1 if once else CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    kept = (len(acknowledged_ms) - refused) * load.records
    return measured(load.name, load.unit, kept, took, acknowledged_ms, refused)


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
    yield server.server_address[1]
    os.kill(child, 9)
    os.waitpid(child, 0)


@contextmanager
def backend(targets: list[dict[str, Any]]) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        interval = f"{SCRAPE_MS}ms"
        config = CONFIG.format(interval=interval, targets=json.dumps(targets))
        (directory / "prometheus.yml").write_text(config)
        (directory / "alertmanager.yml").write_text(
            "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
        )
        (directory / "dashboards").mkdir()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "watchkeeper.cli", "run", "--port", "0"),
                *("--config", directory / "prometheus.yml"),
                *("--alertmanager", directory / "alertmanager.yml"),
                *("--dashboards", directory / "dashboards"),
                *("--data", directory / "data"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().rstrip().rpartition(":")[2].strip("/"))
        finally:
            process.terminate()
            process.wait()


def received_samples(port: int) -> float:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics", headers={"accept": "text/plain"})
    text = connection.getresponse().read().decode()
    connection.close()
    wanted = 'watchkeeper_received_total{signal="samples"}'
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(wanted))


def scrape(seconds: float) -> Measured:
    with target() as port:
        # One address under twenty labels is twenty targets.
        targets = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"number": str(number)}}
            for number in range(TARGETS)
        ]
        with backend(targets) as answering:
            time.sleep(2)
            before, began = received_samples(answering), time.perf_counter()
            time.sleep(seconds)
            after, took = received_samples(answering), time.perf_counter() - began
    name = f"scraping {TARGETS} targets of {SERIES} series"
    return measured(name, "samples", after - before, took, [], 0)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    with backend([]) as port:
        found = [send(load, port, seconds) for load in loads(seconds)]
    found.append(scrape(seconds))
    print(f"{'over the wire, acknowledged on disk':38} {'a second':>14}  ack p50/p99 ms  refused")
    for each in found:
        rate = f"{each.per_second:,.0f} {each.unit}"
        ack = f"{each.ack_median_ms:.0f}/{each.ack_p99_ms:.0f}"
        print(f"{each.name:38} {rate:>14}  {ack:>14}  {each.refused:>7}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"cores": os.cpu_count(), "found": [asdict(x) for x in found]}))
    print(f"written to {OUT}")


if __name__ == "__main__":
    main()
