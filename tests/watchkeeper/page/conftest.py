"""A backend that answers on a port of its own, at a time that stands still, and a browser on it.

It holds a service with a slow job that failed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from watchkeeper.backend import Backend, Places
from watchkeeper.clock import SystemClock
from watchkeeper.model import (
    Exemplar,
    LogRecord,
    SampleBatch,
    Severity,
    SpanEvent,
    SpanKind,
    SpanRecord,
    StatusCode,
)
from watchkeeper.model import labels as label_set
from watchkeeper.server.access import Access
from watchkeeper.server.application import Application
from watchkeeper.server.serve import listen, url_of

NOW_NS = 1_700_000_000_000_000_000
NOW = NOW_NS // 1_000_000_000
SECOND_NS = 1_000_000_000
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
JOB_ID = "job-4711"
MINUTES = range(60, -1, -1)
PATIENCE_MS = 30_000

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
        annotations:
          summary: '{{ $labels.job }} does not answer'
          description: '{{ $labels.job }} has not answered for a minute.'
          runbook_url: https://runbooks.example/target-down
      - alert: SlowRequests
        expr: sum(rate(http_request_duration_seconds_bucket{le="0.1"}[5m])) > 60
        for: 5m
        labels: {severity: warning}
        annotations: {summary: 'Requests of {{ $labels.job }} are slow'}
      - alert: Watchdog
        expr: vector(1)
        labels: {severity: none}
        annotations: {summary: The alerting works}
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


def panel(number: int, kind: str, title: str, **rest: object) -> dict[str, object]:
    """Return a panel, two in a row."""
    place = {"x": 12 * (number % 2), "y": 6 * (number // 2), "w": 12, "h": 6}
    return {"id": number, "type": kind, "title": title, "gridPos": place, **rest}


def query(expression: str, legend: str = "", *, exemplar: bool = False) -> dict[str, object]:
    return {"refId": "A", "expr": expression, "legendFormat": legend, "exemplar": exemplar}


BUCKETS = "sum by (le) (rate(http_request_duration_seconds_bucket[5m]))"
STEPS = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
DASHBOARD = {
    "uid": "everything",
    "title": "Every kind of panel",
    "description": "One of each.",
    "templating": {
        "list": [
            {
                "name": "job",
                "type": "query",
                "query": "label_values(up, job)",
                "includeAll": True,
                "multi": False,
            }
        ]
    },
    "panels": [
        panel(
            0,
            "timeseries",
            "Response time",
            description="How long requests take.",
            targets=[query(f"histogram_quantile(0.95, {BUCKETS})", "95th", exemplar=True)],
            fieldConfig={"defaults": {"unit": "s"}},
        ),
        panel(
            1,
            "stat",
            "Up",
            targets=[query('up{job=~"$job"}', "{{job}}")],
            fieldConfig={"defaults": {"thresholds": {"mode": "absolute", "steps": STEPS}}},
        ),
        panel(2, "gauge", "Share up", targets=[query("100 * avg(up)", "up")]),
        panel(3, "table", "Targets", targets=[query("up")]),
        panel(4, "heatmap", "Requests by duration", targets=[query(BUCKETS, "{{le}}")]),
        panel(5, "text", "Words", options={"content": "**Bold** words and <b>no HTML</b>"}),
        panel(6, "piechart", "Pie", targets=[query("up")]),
        panel(7, "timeseries", "Nothing", targets=[query("no_such_metric")]),
    ],
}
MISTAKEN = {
    "uid": "mistaken",
    "title": "A mistake",
    "panels": [panel(1, "timeseries", "Wrong", targets=[query("sum(")])],
}
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class StandingClock(SystemClock):
    """Stands still, as the clock of the browser does."""

    @staticmethod
    def time_ns() -> int:
        return NOW_NS


@dataclass(frozen=True)
class Served:
    """A running server: where it is, the backend behind it, and what that holds."""

    url: str
    backend: Backend
    now: int = NOW
    trace_id: str = TRACE_ID
    job_id: str = JOB_ID


@dataclass(frozen=True)
class Watched:
    """A page with everything that it complained about and asked for."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, place: str) -> Page:
        """Go to a place in the page and wait until it is there."""
        self.page.goto(f"{self.url}/#{place}")
        self.page.locator("main h1").first.wait_for()
        return self.page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    places = write_files(tmp_path_factory.mktemp("page"))
    backend = Backend.open(places, clock=StandingClock())
    backend.store.metrics.append(samples())
    backend.logs.append(log_records())
    backend.store.spans.append(spans())
    backend.evaluator.evaluate_group(backend.configuration.groups[0], NOW_NS)
    application = Application(backend, access=Access(), clock=StandingClock())
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(application, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield Served(url_of(listener), backend)
    application.close()
    server.should_exit = True
    thread.join(10)
    backend.store.close()


def write_files(directory: Path) -> Places:
    (directory / "prometheus.yml").write_text(PROMETHEUS)
    (directory / "rules.yml").write_text(RULES)
    (directory / "alertmanager.yml").write_text(ALERTMANAGER)
    (directory / "dashboards").mkdir()
    for dashboard in (DASHBOARD, MISTAKEN):
        path = directory / "dashboards" / f"{dashboard['uid']}.json"
        path.write_bytes(orjson.dumps(dashboard))
    (directory / "data").mkdir()
    return Places(
        prometheus=directory / "prometheus.yml",
        alertmanager=directory / "alertmanager.yml",
        dashboards=directory / "dashboards",
        data=directory / "data",
        external_url="http://127.0.0.1:9400",
    )


expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def watched(served: Served, browser: Browser) -> Iterator[Watched]:
    with browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="dark", reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.clock.set_fixed_time(datetime.fromtimestamp(NOW, UTC))
        watched = Watched(page, served.url)
        page.on("console", lambda said: note(watched.complaints, said.type, said.text))
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.on("request", lambda request: watched.requests.append(request.url))
        yield watched


def note(complaints: list[str], kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        complaints.append(text)


def samples() -> SampleBatch:
    """Return an hour of two targets, one down, and of the durations of requests."""
    series = [
        (label_set({"__name__": "up", "job": "api"}), lambda _: 1.0),
        (label_set({"__name__": "up", "job": "worker"}), lambda _: 0.0),
    ]
    for bound, rate in (("0.1", 6), ("1", 9), ("+Inf", 10)):
        labels = {"__name__": "http_request_duration_seconds_bucket", "job": "api", "le": bound}
        series.append((label_set(labels), lambda minute, rate=rate: float(rate * minute)))
    for status, rate in (("200", 9), ("500", 1)):
        labels = {"__name__": "http_requests_total", "job": "api", "status_code": status}
        series.append((label_set(labels), lambda minute, rate=rate: float(rate * minute)))
    rows = [
        (labels, (NOW - 60 * ago) * 1000, value(60 - ago))
        for ago in MINUTES
        for labels, value in series
    ]
    slow = label_set(
        {"__name__": "http_request_duration_seconds_bucket", "job": "api", "le": "+Inf"}
    )
    exemplar = Exemplar(label_set({"trace_id": TRACE_ID}), 3.0, (NOW - 300) * 1000)
    return SampleBatch(
        [row[0] for row in rows],
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows]),
        exemplars=[(slow, exemplar)],
    )


def log_records() -> list[LogRecord]:
    """Return the lines of one job, and one that belongs to no trace."""
    lines = (
        (300, Severity.INFO, "job started"),
        (299, Severity.WARNING, "the model is slow"),
        (298, Severity.ERROR, "the model timed out"),
    )
    records = [
        LogRecord(
            NOW_NS - ago * SECOND_NS,
            severity,
            message,
            "worker",
            trace_id=TRACE_ID,
            span_id="2" * 16,
            attributes={"job_id": JOB_ID, "attempt": 1},
        )
        for ago, severity, message in lines
    ]
    records.append(LogRecord(NOW_NS - 60 * SECOND_NS, Severity.INFO, "GET /health 200", "api"))
    return records


def spans() -> list[SpanRecord]:
    """Return a trace of two services in which the model timed out."""
    start_ns = NOW_NS - 300 * SECOND_NS
    failure = SpanEvent(
        "exception",
        start_ns + 2 * SECOND_NS,
        {
            "exception.type": "TimeoutError",
            "exception.message": "no answer within 2 s",
            "exception.stacktrace": "Traceback\n  in call_model",
        },
    )
    return [
        SpanRecord(
            trace_id=TRACE_ID,
            span_id="1" * 16,
            parent_span_id="",
            name="POST /jobs",
            kind=SpanKind.SERVER,
            start_ns=start_ns,
            end_ns=start_ns + SECOND_NS,
            service="api",
            attributes={"job.id": JOB_ID, "http.response.status_code": 202},
        ),
        SpanRecord(
            trace_id=TRACE_ID,
            span_id="2" * 16,
            parent_span_id="1" * 16,
            name="process job",
            kind=SpanKind.CONSUMER,
            start_ns=start_ns + SECOND_NS,
            end_ns=start_ns + 3 * SECOND_NS,
            service="worker",
        ),
        SpanRecord(
            trace_id=TRACE_ID,
            span_id="3" * 16,
            parent_span_id="2" * 16,
            name="call model",
            kind=SpanKind.CLIENT,
            start_ns=start_ns + SECOND_NS,
            end_ns=start_ns + 3 * SECOND_NS,
            service="worker",
            status=StatusCode.ERROR,
            status_message="the model timed out",
            events=(failure,),
        ),
    ]
