"""Whatever a service hands over, it costs the service nothing but a count; a test hears of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from opentelemetry.trace import Status, StatusCode
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from watchkeeper import ContractError, Settings, Telemetry, instrument
from watchkeeper.conventions import telemetry as own
from watchkeeper.testing import Captured


class Hostile:
    """Cannot be printed, hashed or compared."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __hash__(self) -> int:
        raise RuntimeError("no hash")


def in_span(act: Callable[[Any], Any]) -> Callable[[Telemetry, Any], None]:
    def entry(telemetry: Telemetry, door: Any) -> None:
        with telemetry.span(door.work) as span:
            act(span)
        telemetry.flush()

    return entry


def continued(carrier: Any) -> Callable[[Telemetry, Any], None]:
    def entry(telemetry: Telemetry, door: Any) -> None:
        with telemetry.continued(carrier):
            pass

    return entry


ENTRIES: dict[str, Callable[[Telemetry, Any], Any]] = {
    "a counter that falls": lambda t, door: t.counter(door.ended).inc(-1, outcome="good"),
    "a series that falls": lambda t, door: t.counter(door.ended).labels(outcome="good").inc(-1),
    "a count of text": lambda t, door: t.counter(door.ended).labels(outcome="good").inc("1"),  # type: ignore[arg-type] # on purpose
    "a level of text": lambda t, door: t.gauge(door.open).labels().set("high"),  # type: ignore[arg-type] # on purpose
    "a level less text": lambda t, door: t.gauge(door.open).dec("1"),  # type: ignore[arg-type] # on purpose
    "a duration of nothing": lambda t, door: t.histogram(door.duration).labels().observe(None),  # type: ignore[arg-type] # on purpose
    "a reading of nothing": lambda t, door: t.summary(door.reading).labels().observe(None),  # type: ignore[arg-type] # on purpose
    "a label that cannot be hashed": lambda t, door: t.counter(door.visits).labels(page=Hostile()),
    "a timer with such a label": lambda t, door: t.histogram(door.duration).time(page=Hostile()),
    "an attribute without a name": in_span(lambda span: span.set_attribute([], 1)),
    "an attribute that cannot be printed": in_span(lambda span: span.set_attribute("a", Hostile())),
    "attributes that are none": in_span(lambda span: span.set_attributes(None)),
    "an event with a text for attributes": in_span(lambda span: span.add_event("e", "text")),
    "a log event that is none": lambda t, door: t.log(None),  # type: ignore[arg-type] # on purpose
    "no carrier": continued(None),
    "a carrier of numbers": continued({"traceparent": 7}),
    "a baggage of numbers": continued({"baggage": 7}),
}


@pytest.fixture
def quiet(door: SimpleNamespace) -> Iterator[Telemetry]:
    """A telemetry as in production, that does nothing by itself."""
    with Telemetry(door.contract, Settings(log="off", background=False)) as telemetry:
        yield telemetry


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_wrong_use_costs_the_service_a_count(
    entry: str, quiet: Telemetry, door: SimpleNamespace
) -> None:
    ENTRIES[entry](quiet, door)
    counted = re.search(rb"telemetry_faults_total\{where=\"[a-z]+\"\} 1\n", quiet.exposition()[0])
    assert counted, quiet.faults.seen


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_wrong_use_is_raised_in_a_test(entry: str, seen: Captured, door: SimpleNamespace) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError, RuntimeError, ContractError)):
        ENTRIES[entry](seen.telemetry, door)


def test_what_others_give_a_span_by_mistake_is_passed_over(
    quiet: Telemetry, door: SimpleNamespace
) -> None:
    with quiet.span(door.work) as span:
        span.add_link(None)  # type: ignore[arg-type] # on purpose
        span.set_status("ERROR")  # type: ignore[arg-type] # on purpose
        span.set_status(Status(StatusCode.UNSET))
        span.record_exception("no exception")  # type: ignore[arg-type] # on purpose
    quiet.flush()
    assert quiet.registry.find(own.EXPORTED) is not None


def test_a_sum_that_cannot_be_leaves_the_count_alone(
    quiet: Telemetry, door: SimpleNamespace
) -> None:
    series = quiet.histogram(door.duration).labels()
    series.observe(0.5)
    series.observe(1j)  # type: ignore[arg-type] # on purpose
    assert series.cells.tolist() == [0.0, 1.0, 0.0, 0.5]


def test_a_duration_that_is_no_number_is_beyond_all_bounds(
    quiet: Telemetry, door: SimpleNamespace
) -> None:
    series = quiet.histogram(door.duration).labels()
    series.observe(float("nan"))
    assert series.cells.tolist()[:3] == [0.0, 0.0, 1.0]


@pytest.mark.anyio
async def test_a_broken_redactor_lets_nothing_out_and_the_service_work(
    quiet: Telemetry, door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: str) -> str:
        raise RuntimeError("out of order")

    monkeypatch.setattr(quiet.pipeline.redactor, "text", broken)
    monkeypatch.setattr(quiet.registry, "clean", broken)
    monkeypatch.setattr(quiet.pipeline._finisher, "clean", broken)
    left: list[Any] = []
    quiet.pipeline.observers.append(lambda spans, logs: left.extend([*spans, *logs]))

    async def answer(request: Any) -> PlainTextResponse:
        with quiet.span(door.work, who="a@example.org"):
            quiet.counter(door.visits).inc(page="a@example.org")
            quiet.counter(door.visits).labels(page="a@example.org").inc()
        return PlainTextResponse(quiet.redact("a@example.org"))

    app = Starlette(routes=[Route("/{who}", answer)])
    instrument(app, quiet)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
        answered = await client.get("/a@example.org")
        page = await client.get("/metrics")
    assert (answered.status_code, answered.text) == (200, "")
    assert 'visits_total{page="other"} 2' in page.text
    assert not left
    dropped = [line for line in page.text.splitlines() if 'reason="fault"' in line]
    assert 'telemetry_dropped_total{signal="spans",reason="fault"} 2' in dropped
    assert "a@example.org" not in page.text
