"""A small contract, and a telemetry that does nothing by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import structlog

from watchkeeper import (
    Contract,
    Counter,
    Field,
    Gauge,
    Histogram,
    Label,
    LogEvent,
    Signals,
    Span,
    Summary,
)
from watchkeeper.contract import Combine
from watchkeeper.conventions import (
    cache,
    database,
    dependencies,
    http,
    http_client,
    llm,
    objects,
    probe,
    process,
    queue,
    telemetry,
)
from watchkeeper.instrument import logging_setup, tracing
from watchkeeper.testing import Captured, capture

ENDED = Counter(
    name="ended_total", help="Ends.", labels=(Label("outcome", values=("good", "bad")),)
)
VISITS = Counter(name="visits_total", help="Visits.", labels=(Label("page", limit=2),))
OPEN = Gauge(name="open_doors", help="Open doors.")
NEWEST = Gauge(name="newest_version", help="Newest.", combine=Combine.LATEST)
HIGHEST = Gauge(name="highest_water", help="Highest.", combine=Combine.MAXIMUM)
DURATION = Histogram(name="work_duration_seconds", help="Work.", unit="seconds", buckets=(0.1, 1.0))
READING = Summary(name="reading_seconds", help="Reading.", unit="seconds")
WORK = Span("work", "Some work.")
STARTED = LogEvent(
    "work_started",
    "Work started",
    fields=(Field("job_id"), Field("pages", int), Field("resume_text", sensitive=True)),
)

CONTRACT = Contract(
    service="door-keeper",
    version="1.2.3",
    signals=Signals(
        metrics=(ENDED, VISITS, OPEN, NEWEST, HIGHEST, DURATION, READING),
        spans=(WORK,),
        events=(STARTED,),
    )
    + http.SIGNALS
    + http_client.SIGNALS
    + telemetry.SIGNALS
    + process.SIGNALS
    + database.SIGNALS
    + cache.SIGNALS
    + objects.SIGNALS
    + queue.SIGNALS
    + llm.SIGNALS
    + probe.SIGNALS
    + dependencies.SIGNALS,
)


@pytest.fixture(autouse=True)
def logging_as_in_a_new_process() -> None:
    """Forget what tests before have configured: structlog once, uvicorn's loggers by its Config."""
    structlog.reset_defaults()
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


@pytest.fixture
def door() -> SimpleNamespace:
    """The declarations of the contract above."""
    return SimpleNamespace(
        ended=ENDED,
        visits=VISITS,
        open=OPEN,
        newest=NEWEST,
        highest=HIGHEST,
        duration=DURATION,
        reading=READING,
        work=WORK,
        started=STARTED,
        contract=CONTRACT,
    )


@pytest.fixture
def seen() -> Iterator[Captured]:
    with capture(CONTRACT) as captured:
        yield captured


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No other telemetry runs in this process, whatever a test has left to run for its session."""
    before = structlog.get_config() if structlog.is_configured() else None
    structlog.reset_defaults()
    monkeypatch.setattr(logging_setup, "_leading", [])
    monkeypatch.setattr(tracing, "_running", [])
    monkeypatch.setattr(tracing.GLOBAL_PROVIDER, "tracing", None)
    yield
    structlog.reset_defaults()
    if before is not None:
        structlog.configure(**before)
