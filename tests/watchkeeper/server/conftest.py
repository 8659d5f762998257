"""A whole server in one process, on a store of its own, at a time that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from watchkeeper.backend import Backend, Places
from watchkeeper.clock import SystemClock
from watchkeeper.model import LogRecord, SampleBatch, Severity, SpanKind, SpanRecord, StatusCode
from watchkeeper.model import labels as label_set
from watchkeeper.server.access import Access
from watchkeeper.server.application import Application

HERE = "http://127.0.0.1:9400"
NOW_NS = 1_700_000_000_000_000_000
NOW = NOW_NS // 1_000_000_000
SECOND_NS = 1_000_000_000

PROMETHEUS = """
global: {scrape_interval: 15s, evaluation_interval: 15s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: api
    static_configs: [{targets: ['127.0.0.1:1'], labels: {service: resume-optimizer}}]
"""
RULES = """
groups:
  - name: availability
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: TargetDown
        expr: up == 0
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.job }} is down'}
      - alert: Watchdog
        expr: vector(1)
        labels: {severity: none}
"""
ALERTMANAGER = """
global: {resolve_timeout: 5m}
route:
  receiver: everybody
  routes: [{receiver: on-call, matchers: ['severity="critical"']}]
receivers:
  - name: everybody
  - name: on-call
    webhook_configs: [{url: 'http://127.0.0.1:1/secret-path'}]
"""


class Clock(SystemClock):
    """Stands still at NOW."""

    @staticmethod
    def time_ns() -> int:
        return NOW_NS


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS)
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "alertmanager.yml").write_text(ALERTMANAGER)
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "data").mkdir()
    return Places(
        prometheus=tmp_path / "prometheus.yml",
        alertmanager=tmp_path / "alertmanager.yml",
        dashboards=tmp_path / "dashboards",
        data=tmp_path / "data",
        external_url=HERE,
    )


@pytest.fixture
def backend(places: Places) -> Iterator[Backend]:
    """A backend that holds samples, logs and a trace, and of which nothing runs by itself."""
    backend = Backend.open(places, clock=Clock())
    fill(backend)
    yield backend
    backend.store.close()


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[httpx2.AsyncClient]:
    application = Application(backend, access=Access(), clock=Clock())
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client
    application.close()


def fill(backend: Backend) -> None:
    """Put in an hour of two series, three log lines and one trace of two services."""
    minutes = range(60, -1, -1)
    rows = [
        (label_set({"__name__": "up", "job": job}), (NOW - 60 * minute) * 1000, value)
        for minute in minutes
        for job, value in (("api", 1.0), ("worker", 0.0))
    ]
    backend.store.metrics.append(
        SampleBatch(
            [row[0] for row in rows],
            np.array([row[1] for row in rows], dtype=np.int64),
            np.array([row[2] for row in rows]),
        )
    )
    backend.logs.append(
        [
            LogRecord(
                NOW_NS - ago * SECOND_NS,
                severity,
                message,
                "api",
                trace_id="a" * 32,
                attributes={"job_id": "job-7"},
            )
            for ago, severity, message in (
                (30, Severity.INFO, "job started"),
                (20, Severity.ERROR, "the model timed out"),
                (10, Severity.INFO, "job ended"),
            )
        ]
    )
    start_ns = NOW_NS - 30 * SECOND_NS
    backend.store.spans.append(
        [
            SpanRecord(
                trace_id="a" * 32,
                span_id="1" * 16,
                parent_span_id="",
                name="POST /jobs",
                kind=SpanKind.SERVER,
                start_ns=start_ns,
                end_ns=start_ns + 2 * SECOND_NS,
                service="api",
                attributes={"job.id": "job-7"},
            ),
            SpanRecord(
                trace_id="a" * 32,
                span_id="2" * 16,
                parent_span_id="1" * 16,
                name="process",
                kind=SpanKind.CONSUMER,
                start_ns=start_ns + SECOND_NS,
                end_ns=start_ns + 3 * SECOND_NS,
                service="worker",
                status=StatusCode.ERROR,
            ),
        ]
    )
