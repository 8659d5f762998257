"""The data that the store is measured with: samples, log records and spans from a seed.

Samples: targets of 100 series scraped every 15 s; a third counters, a third gauges with three
decimals, a third histogram buckets. Logs: twelve templates with numbers, users and paths, five
attributes, a third with a trace. Spans: traces of eight over four services, six attributes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from watchkeeper.model import (
    Labels,
    LogRecord,
    SampleBatch,
    Scope,
    Severity,
    SpanKind,
    SpanRecord,
    StatusCode,
    labels,
)

START_NS = 1_700_000_000_000_000_000
SERVICES = ("gateway", "resumes", "billing", "search")
TEMPLATES = (
    (Severity.INFO, "request {method} {path} finished with {status} in {ms} ms"),
    (Severity.INFO, "user {user} signed in from 10.0.{a}.{b}"),
    (Severity.INFO, "job {job} taken after {ms} ms in the queue"),
    (Severity.INFO, "job {job} finished: {n} pages, {m} words"),
    (Severity.DEBUG, "cache miss for key session:{job}"),
    (Severity.DEBUG, "pool has {n} idle of {m} connections"),
    (Severity.DEBUG, "flushed {m} rows to table events in {ms} ms"),
    (Severity.INFO, "uploaded object resumes/{job}.pdf of {m} bytes"),
    (Severity.WARNING, "retry {n} of call to model after {ms} ms"),
    (Severity.WARNING, "slow query: {ms} ms for select on table resumes"),
    (Severity.ERROR, "call to billing failed with {status}: connection reset by peer"),
    (Severity.INFO, "health check of search answered in {ms} ms"),
)
ROUTES = ("/api/resumes", "/api/resumes/{id}", "/api/jobs", "/login", "/health", "/api/prices")
SERIES_PER_TARGET = 100
RARE = "2a318785"
"""A job that one message names, among the first: nobody who looks finds it early."""


def sample_batches(targets: int, scrapes: int, *, seed: int = 4) -> Iterator[SampleBatch]:
    """Yield one batch a target and scrape."""
    chance = np.random.default_rng(seed)
    series = [_series_of(target) for target in range(targets)]
    state = chance.integers(0, 10_000, (targets, SERIES_PER_TARGET)).astype(np.float64)
    third = SERIES_PER_TARGET // 3
    for scrape in range(scrapes):
        for target in range(targets):
            values = state[target]
            values[:third] += chance.poisson(3, third)
            values[third : 2 * third] = np.round(chance.normal(50, 10, third), 3)
            values[2 * third :] += chance.random(SERIES_PER_TARGET - 2 * third) < 0.3
            moment = START_NS // 1_000_000 + scrape * 15_000 + target * 37
            yield SampleBatch(
                series[target],
                np.full(SERIES_PER_TARGET, moment, np.int64),
                values.copy(),
            )


def log_batches(count: int, *, batch: int = 1000, seed: int = 4) -> Iterator[list[LogRecord]]:
    """Yield `count` records in batches, 2 ms apart."""
    chance = random.Random(seed)
    resources = {name: {"service.name": name, "host.name": f"{name}-1"} for name in SERVICES}
    for first in range(0, count, batch):
        yield [_record(chance, number, resources) for number in range(first, first + batch)]


def span_batches(count: int, *, batch: int = 1000, seed: int = 4) -> Iterator[list[SpanRecord]]:
    """Yield `count` spans in batches, whole traces of eight, 1 ms apart."""
    chance = random.Random(seed)
    resources = {name: {"service.name": name, "host.name": f"{name}-1"} for name in SERVICES}
    waiting: list[SpanRecord] = []
    for number in range(0, count, 8):
        waiting += _trace(chance, number, resources)
        if len(waiting) >= batch:
            yield waiting[:batch]
            waiting = waiting[batch:]
    if waiting:
        yield waiting


def _series_of(target: int) -> list[Labels]:
    own = {"job": "api", "instance": f"10.0.{target // 256}.{target % 256}:8000"}
    third = SERIES_PER_TARGET // 3
    return [
        labels(
            own
            | (
                {"__name__": "http_requests_total", "route": ROUTES[n % 6], "code": str(n)}
                if n < third
                else {"__name__": "process_gauge", "kind": str(n)}
                if n < 2 * third
                else {"__name__": "http_duration_seconds_bucket", "le": str(n / 100)}
            )
        )
        for n in range(SERIES_PER_TARGET)
    ]


def _record(chance: random.Random, number: int, resources: dict[str, dict[str, str]]) -> LogRecord:
    severity, template = chance.choice(TEMPLATES)
    service = chance.choice(SERVICES)
    status = chance.choice((200, 200, 200, 201, 404, 500))
    traced = chance.random() < 0.33
    message = template.format(
        method=chance.choice(("GET", "POST")),
        path=chance.choice(ROUTES),
        status=status,
        ms=chance.randrange(2000),
        user=f"u{chance.randrange(5000)}",
        a=chance.randrange(256),
        b=chance.randrange(256),
        job=f"{chance.getrandbits(32):08x}",
        n=chance.randrange(20),
        m=chance.randrange(100_000),
    )
    return LogRecord(
        timestamp_ns=START_NS + number * 2_000_000 + chance.randrange(1_000_000),
        severity=severity,
        message=message,
        service=service,
        logger=f"{service}.app",
        trace_id=f"{chance.getrandbits(128):032x}" if traced else "",
        span_id=f"{chance.getrandbits(64):016x}" if traced else "",
        attributes={
            "http.route": chance.choice(ROUTES),
            "http.response.status_code": status,
            "user.id": f"u{chance.randrange(5000)}",
            "code.function": chance.choice(("handle", "run", "fetch")),
            "duration_ms": chance.randrange(2000),
        },
        resource=resources[service],
    )


def _trace(
    chance: random.Random, number: int, resources: dict[str, dict[str, str]]
) -> list[SpanRecord]:
    trace_id, parent = f"{chance.getrandbits(128):032x}", ""
    start_ns = START_NS + number * 1_000_000
    spans = []
    for depth in range(8):
        service, route = SERVICES[depth // 2], chance.choice(ROUTES)
        span_id = f"{chance.getrandbits(64):016x}"
        start_ns += chance.randrange(100_000)
        failed = chance.random() < 0.02
        spans.append(
            SpanRecord(
                trace_id=trace_id,
                span_id=span_id,
                parent_span_id=parent,
                name=f"GET {route}",
                kind=SpanKind.CLIENT if depth % 2 else SpanKind.SERVER,
                start_ns=start_ns,
                end_ns=start_ns + chance.randrange(1_000, 1_000_000_000),
                service=service,
                status=StatusCode.ERROR if failed else StatusCode.UNSET,
                attributes={
                    "http.request.method": "GET",
                    "http.route": route,
                    "http.response.status_code": 500 if failed else 200,
                    "server.address": f"10.0.0.{depth}",
                    "user.id": f"u{chance.randrange(5000)}",
                    "http.response.body.size": chance.randrange(100_000),
                },
                resource=resources[service],
                scope=Scope("opentelemetry.instrumentation.asgi"),
            )
        )
        parent = span_id
    return spans
