"""The tools for tests: time that stands still, ids that count, and what a block emitted."""

from __future__ import annotations

import logging

import pytest

from watchkeeper import (
    Contract,
    ContractError,
    Counter,
    Field,
    Histogram,
    Label,
    LogEvent,
    Signals,
    Span,
    Summary,
)
from watchkeeper.testing import FakeClock, SequentialIds, capture

SOLD = Counter(name="sold_total", help="Sold.", labels=(Label("fruit"), Label("size")))
WEIGHT = Histogram(name="weight_grams", help="Weight.", buckets=(10, 100))
WAIT = Summary(name="wait_seconds", help="Wait.")
SALE = Span("sale", "One sale.")
CLOSED = LogEvent("shop_closed", "Shop closed", fields=(Field("hour", int),))
CONTRACT = Contract(
    service="shop",
    version="1",
    signals=Signals(metrics=(SOLD, WEIGHT, WAIT), spans=(SALE,), events=(CLOSED,)),
)


def test_a_fake_clock_stands_still_until_it_advances() -> None:
    clock = FakeClock()
    before = clock.time_ns()
    assert clock.monotonic_ns() == 0
    clock.advance(1.5)
    assert clock.time_ns() - before == 1_500_000_000 == clock.monotonic_ns()


def test_ids_count_from_one() -> None:
    ids = SequentialIds()
    assert [ids.trace_id(), ids.trace_id(), ids.span_id()] == [1, 2, 1]


def test_capture_gives_the_metrics_spans_and_lines_of_a_block() -> None:
    with capture(CONTRACT) as seen:
        with seen.telemetry.span(SALE):
            seen.telemetry.counter(SOLD).inc(2, fruit="lemon", size="big")
            seen.telemetry.counter(SOLD).inc(3, fruit="lemon", size="small")
            seen.clock.advance(2)
        seen.telemetry.log(CLOSED, hour=18)
        for grams in (5, 50, 500):
            seen.telemetry.histogram(WEIGHT).observe(grams)
        seen.telemetry.summary(WAIT).observe(0.5)
        assert seen.value(SOLD, fruit="lemon") == 5
        assert seen.value(SOLD, fruit="lemon", size="small") == 3
        assert seen.value(SOLD, fruit="apple") == 0
        assert (seen.value(WEIGHT), seen.total(WEIGHT)) == (3, 555)
        assert (seen.value(WAIT), seen.total(WAIT)) == (1, 0.5)
        sale = seen.span("sale")
        assert sale.end_ns - sale.start_ns == 2_000_000_000
        assert seen.log("shop_closed").attributes["hour"] == 18
        assert seen.log("Shop closed").trace_id == ""


def test_what_is_missing_is_said_with_what_there_was() -> None:
    with capture(CONTRACT) as seen:
        with seen.telemetry.span(SALE):
            pass
        logging.getLogger("x").warning("other")
        with pytest.raises(AssertionError, match="0 spans are named 'gift'; there were: sale"):
            seen.span("gift")
        with pytest.raises(AssertionError, match="0 lines are 'shop_closed'; there were: other"):
            seen.log("shop_closed")
        with pytest.raises(AssertionError, match="sold_total has no label colour"):
            seen.value(SOLD, colour="red")


def test_faults_are_raised() -> None:
    with capture(CONTRACT) as seen, pytest.raises(ContractError):
        seen.telemetry.counter(SOLD).inc(colour="red")


def test_two_captures_do_not_see_each_other() -> None:
    with capture(CONTRACT) as one:
        one.telemetry.counter(SOLD).inc(fruit="lemon", size="big")
    with capture(CONTRACT) as two:
        assert two.value(SOLD) == 0
        assert two.logs == []
