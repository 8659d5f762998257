"""What the benchmark measures: the same small FastAPI app, watched in each of the usual ways.

An assembly is an ASGI app and `settle`, which sends everything that waits and leaves the
assembly ready for the next round. Each runs in a process of its own, alone.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from work import client_metrics, traced_work, watchkeeper_metrics

Application = Callable[[Any, Any, Any], Any]


def nothing() -> None:
    pass


@dataclass(frozen=True)
class Assembly:
    """An app under measurement. `settle` runs at the end of a round."""

    app: Application
    settle: Callable[[], object] = nothing


async def trivial(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the least that ASGI allows: what is left is the middleware's own cost."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def fastapi_app() -> FastAPI:
    # FastAPI traces by itself as soon as a tracer provider is set.
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.state.work = nothing

    @app.get("/items/{item_id}")
    async def item(item_id: str) -> dict[str, str]:
        return {"item": item_id}

    @app.get("/work/{item_id}")
    async def work(item_id: str) -> dict[str, str]:
        app.state.work()
        return {"item": item_id}

    return app


def log_file() -> Path:
    return Path(tempfile.mkdtemp(prefix="bench-")) / "access.jsonl"


def bare(sink: str) -> Assembly:
    return Assembly(fastapi_app())


def bare_asgi(sink: str) -> Assembly:
    return Assembly(trivial)


def with_instrumentator(app: FastAPI) -> Any:
    """Return the registry that the metrics are in."""
    from prometheus_client import CollectorRegistry
    from prometheus_fastapi_instrumentator import Instrumentator

    registry = CollectorRegistry()
    Instrumentator(registry=registry).instrument(app)
    return registry


def with_opentelemetry(app: FastAPI, sink: str) -> Any:
    """Return the tracer provider."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    exporter = OTLPSpanExporter(f"{sink}/v1/traces")
    # Room for a whole round: in a single process nothing shall be dropped, and so be cheap.
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=100_000))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    return provider


def structlog_to_file() -> Any:
    """Return a logger whose lines are JSON in a file."""
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(log_file().open("wb")),
        cache_logger_on_first_use=True,
    )
    return structlog.get_logger()


def with_structlog(app: Application) -> Application:
    """A pure ASGI middleware that writes one structlog line a request."""
    from opentelemetry import trace

    log = structlog_to_file()

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        def watched(message: Any) -> Any:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        await app(scope, receive, watched)
        context = trace.get_current_span().get_span_context()
        log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status_code=status,
            duration_seconds=time.perf_counter() - started,
            client=scope["client"][0],
            trace_id=f"{context.trace_id:032x}",
            span_id=f"{context.span_id:016x}",
        )

    return middleware


def instrumentator(sink: str) -> Assembly:
    app = fastapi_app()
    with_instrumentator(app)
    return Assembly(app)


def opentelemetry(sink: str) -> Assembly:
    app = fastapi_app()
    return Assembly(app, with_opentelemetry(app, sink).force_flush)


def structured_log(sink: str) -> Assembly:
    return Assembly(with_structlog(fastapi_app()))


def usual_sum(sink: str) -> Assembly:
    import structlog
    from opentelemetry import trace

    app = fastapi_app()
    registry = with_instrumentator(app)
    app.add_middleware(with_structlog)
    provider = with_opentelemetry(app, sink)
    step_log = structlog.get_logger()

    def log(event: str, step: int) -> None:
        context = trace.get_current_span().get_span_context()
        ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        step_log.info(event, step=step, job_id="17", **ids)

    metrics = client_metrics(registry, cached=False)
    app.state.work = traced_work(provider.get_tracer("bench"), log, metrics)
    return Assembly(app, provider.force_flush)


def one_middleware_over(app: Application, sink: str) -> Assembly:
    """One pure ASGI middleware of the usual parts: an SDK span, prometheus_client's children
    resolved once, an orjson line."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind, get_current_span
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
    log = log_file().open("wb")

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        def watched(message: Any) -> Any:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        scope["fastapi.telemetry"] = None
        headers = dict(scope["headers"])
        with tracer.start_as_current_span("GET /items/{item_id}", kind=SpanKind.SERVER) as span:
            await app(scope, receive, watched)
            span.set_attributes(
                {
                    "http.request.method": scope["method"],
                    "http.route": "/items/{item_id}",
                    "http.response.status_code": status,
                    "url.path": scope["path"],
                    "url.scheme": "http",
                    "client.address": scope["client"][0],
                    "user_agent.original": headers.get(b"user-agent", b"").decode("latin-1"),
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
                    "method": scope["method"],
                    "endpoint": "/items/{item_id}",
                    "status_code": status,
                    "path": scope["path"],
                    "duration_seconds": seconds,
                    "client": scope["client"][0],
                    "trace_id": f"{context.trace_id:032x}",
                    "span_id": f"{context.span_id:016x}",
                }
            )
            + b"\n"
        )

    def line(event: str, step: int) -> None:
        context = get_current_span().get_span_context()
        log.write(
            orjson.dumps(
                {
                    "@timestamp": time.time_ns(),
                    "message": event,
                    "step": step,
                    "job_id": "17",
                    "trace_id": f"{context.trace_id:032x}",
                    "span_id": f"{context.span_id:016x}",
                }
            )
            + b"\n"
        )

    if isinstance(app, FastAPI):
        app.state.work = traced_work(tracer, line, client_metrics(registry, cached=True))
    return Assembly(middleware, provider.force_flush)


def one_middleware(sink: str) -> Assembly:
    return one_middleware_over(fastapi_app(), sink)


def one_middleware_asgi(sink: str) -> Assembly:
    return one_middleware_over(trivial, sink)


def watchkeeper_over(app: Application, sink: str, ratio: float = 1.0) -> Assembly:
    import structlog
    from opentelemetry import trace

    from watchkeeper import Contract, Settings, Telemetry, instrument
    from watchkeeper.conventions import http, llm, process, telemetry
    from watchkeeper.instrument.middleware import RequestMiddleware

    contract = Contract(
        service="bench",
        version="1",
        signals=http.SIGNALS + process.SIGNALS + telemetry.SIGNALS + llm.SIGNALS,
    )
    live = Telemetry(
        contract,
        Settings(
            otlp_endpoint=sink,
            log=str(log_file()),
            queue_limit=100_000,
            sampler="parentbased_traceidratio",
            sampler_ratio=ratio,
            process_directory=os.environ.get("BENCH_PROCESS_DIRECTORY", ""),
        ),
    )
    if isinstance(app, FastAPI):
        log = structlog.get_logger()

        def line(event: str, step: int) -> None:
            log.info(event, step=step, job_id="17")

        tracer = trace.get_tracer("bench")
        app.state.work = traced_work(tracer, line, watchkeeper_metrics(live))
        instrument(app, live)
        return Assembly(app, live.deliver)
    return Assembly(RequestMiddleware(app, live), live.deliver)


def watchkeeper(sink: str) -> Assembly:
    return watchkeeper_over(fastapi_app(), sink)


def watchkeeper_sampled(sink: str) -> Assembly:
    return watchkeeper_over(fastapi_app(), sink, 0.1)


def watchkeeper_asgi(sink: str) -> Assembly:
    return watchkeeper_over(trivial, sink)


ON_FASTAPI: dict[str, Callable[[str], Assembly]] = {
    "bare": bare,
    "prometheus-fastapi-instrumentator": instrumentator,
    "opentelemetry-instrumentation-fastapi": opentelemetry,
    "structlog + orjson": structured_log,
    "the usual sum of the three": usual_sum,
    "one middleware of SDK, client, orjson": one_middleware,
    "watchkeeper": watchkeeper,
    "watchkeeper, 1 trace in 10": watchkeeper_sampled,
}
WORKING = (
    "bare",
    "the usual sum of the three",
    "one middleware of SDK, client, orjson",
    "watchkeeper",
)
"""The assemblies whose request does something, and those that several processes share."""

ON_ASGI: dict[str, Callable[[str], Assembly]] = {
    "bare ASGI": bare_asgi,
    "one middleware on ASGI": one_middleware_asgi,
    "watchkeeper on ASGI": watchkeeper_asgi,
}
