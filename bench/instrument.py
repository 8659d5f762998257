"""CPU of three signals on a request: our middleware beside one built from the usual parts.

    python bench/instrument.py [rounds]

Every assembly answers the same requests in this process, interleaved, and its exporter threads
count. Prints a table and writes bench/out/instrument.json. Microseconds of CPU a request over
the bare application; medians of the rounds, and their spread.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI

from watchkeeper import Contract, Settings, Telemetry, instrument
from watchkeeper.conventions import http, process, telemetry
from watchkeeper.instrument.middleware import RequestMiddleware

REQUESTS = 2_000
PEERS = ("fastapi", "opentelemetry-sdk", "prometheus-client", "orjson")
CONTRACT = Contract(
    service="bench",
    version="1",
    signals=http.SIGNALS + process.SIGNALS + telemetry.SIGNALS,
)


class Sink(BaseHTTPRequestHandler):
    """A collector that throws everything away. It runs in a process of its own."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def start_sink() -> tuple[str, int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    child = os.fork()
    if child == 0:
        server.serve_forever()
    server.server_close()
    return f"http://127.0.0.1:{server.server_address[1]}", child


async def trivial(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def fastapi_app() -> FastAPI:
    # FastAPI traces by itself as soon as a tracer provider is set, which here it is.
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> dict[str, int]:
        return {"item": item_id}

    return app


def usual_parts(app: Any, sink: str, log: Any) -> tuple[Any, Callable[[], object]]:
    """One pure ASGI middleware: an SDK span, prometheus_client's children, an orjson line.

    Returned with what makes it send all that waits.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind
    from prometheus_client import CollectorRegistry, Counter, Histogram

    provider = TracerProvider()
    exporter = OTLPSpanExporter(f"{sink}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=100_000))
    tracer = provider.get_tracer("bench")
    registry = CollectorRegistry()
    labels = ["method", "endpoint"]
    requests = Counter("requests", "r", [*labels, "status"], registry=registry)
    counter = requests.labels("GET", "/items/{item_id}", 200)
    durations = Histogram("seconds", "s", labels, registry=registry)
    histogram = durations.labels("GET", "/items/{item_id}")

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        started = time.perf_counter()
        status = 0

        def watched(message: Any) -> Any:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        scope["fastapi.telemetry"] = None
        with tracer.start_as_current_span("GET /items/{item_id}", kind=SpanKind.SERVER) as span:
            await app(scope, receive, watched)
            span.set_attributes(
                {
                    "http.request.method": scope["method"],
                    "http.route": "/items/{item_id}",
                    "http.response.status_code": status,
                    "url.path": scope["path"],
                    "url.scheme": "http",
                }
            )
        seconds = time.perf_counter() - started
        counter.inc()
        histogram.observe(seconds)
        context = span.get_span_context()
        log.write(
            orjson.dumps(
                {
                    "@timestamp": time.time_ns(),
                    "message": "request",
                    "status_code": status,
                    "path": scope["path"],
                    "duration_seconds": seconds,
                    "trace_id": f"{context.trace_id:032x}",
                    "span_id": f"{context.span_id:016x}",
                }
            )
            + b"\n"
        )

    return middleware, provider.force_flush


async def answer(app: Any, requests: int) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    for number in range(requests):
        await app(
            {
                "type": "http",
                "method": "GET",
                "path": f"/items/{number}",
                "raw_path": b"/items",
                "root_path": "",
                "scheme": "http",
                "query_string": b"",
                "http_version": "1.1",
                "headers": [
                    (b"host", b"bench"),
                    (b"user-agent", b"bench/1"),
                    (b"accept", b"*/*"),
                ],
                "client": ("127.0.0.1", 1234),
                "server": ("127.0.0.1", 80),
            },
            receive,
            send,
        )


def measure(app: Any, settle: Callable[[], object]) -> float:
    """Return CPU microseconds a request, with what was deferred."""
    loop = asyncio.new_event_loop()
    before = time.process_time()
    loop.run_until_complete(answer(app, REQUESTS))
    settle()
    after = time.process_time()
    loop.close()
    return (after - before) / REQUESTS * 1e6


def nothing() -> None:
    pass


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    sink, child = start_sink()
    directory = tempfile.mkdtemp()
    settings = Settings(otlp_endpoint=sink, log=f"{directory}/ours.jsonl", queue_limit=100_000)
    live = Telemetry(CONTRACT, settings)
    live.start()
    watched = fastapi_app()
    instrument(watched, live)
    log = Path(f"{directory}/theirs.jsonl").open("wb")  # noqa: SIM115 - for the whole run

    def settle() -> None:
        """Turn and encode what waits: the thread that sends is awake already."""
        live.flush()

    assemblies: dict[str, tuple[Any, Callable[[], object]]] = {
        "bare ASGI": (trivial, nothing),
        "watchkeeper on ASGI": (RequestMiddleware(trivial, live), settle),
        "usual parts on ASGI": usual_parts(trivial, sink, log),
        "bare FastAPI": (fastapi_app(), nothing),
        "watchkeeper on FastAPI": (watched, settle),
        "usual parts on FastAPI": usual_parts(fastapi_app(), sink, log),
    }
    figures: dict[str, list[float]] = {name: [] for name in assemblies}
    for _ in range(rounds):
        for name, (app, settle_one) in assemblies.items():
            figures[name].append(measure(app, settle_one))
    live.stop()
    for name in ("usual parts on ASGI", "usual parts on FastAPI"):
        assemblies[name][1]()
    os.kill(child, 9)
    os.waitpid(child, 0)
    report(figures)


def report(figures: dict[str, list[float]]) -> None:
    bare = {kind: statistics.median(figures[f"bare {kind}"]) for kind in ("ASGI", "FastAPI")}
    rows = {}
    print(f"{'assembly':28}{'us a request':>14}{'over bare':>12}{'spread':>10}")
    for name, values in figures.items():
        middle = statistics.median(values)
        added = middle - bare[name.rpartition(" ")[2]]
        spread = statistics.quantiles(values, n=4)
        print(f"{name:28}{middle:14.1f}{added:12.1f}{spread[2] - spread[0]:10.1f}")
        rows[name] = {"median_us": middle, "over_bare_us": added, "quartiles_us": spread}
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    versions = {name: version(name) for name in PEERS}
    body = {"requests": REQUESTS, "threads": threading.active_count(), "versions": versions}
    (out / "instrument.json").write_text(json.dumps({**body, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
