"""The current span is where OpenTelemetry's own functions look for it."""

from __future__ import annotations

import contextvars
from types import SimpleNamespace

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as open_context

from watchkeeper.instrument import current
from watchkeeper.testing import Captured

SPAN = trace.NonRecordingSpan(trace.SpanContext(7, 8, is_remote=False))
WAYS = {
    "variable": (current.enter, current.leave, current.current_span),
    "functions": current._by_functions()[:3],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_span_is_current_until_it_is_left(way: str) -> None:
    enter, leave, current_span = WAYS[way]
    assert current_span() is trace.INVALID_SPAN
    token = enter(SPAN, None)
    assert trace.get_current_span() is current_span() is SPAN
    leave(token)
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize("way", WAYS)
def test_what_else_the_context_holds_stays(way: str) -> None:
    enter, leave, _ = WAYS[way]
    outer = open_context.attach(baggage.set_baggage("tenant", "door"))
    token = enter(SPAN, None)
    assert baggage.get_baggage("tenant") == "door"
    leave(token)
    open_context.detach(outer)


@pytest.mark.parametrize("way", WAYS)
def test_a_context_may_be_given(way: str) -> None:
    enter, leave, _ = WAYS[way]
    token = enter(SPAN, baggage.set_baggage("tenant", "door"))
    assert baggage.get_baggage("tenant") == "door"
    leave(token)
    assert baggage.get_baggage("tenant") is None


def test_leaving_elsewhere_than_entered_breaks_nothing(
    seen: Captured, door: SimpleNamespace
) -> None:
    entered = seen.telemetry.span(door.work)
    contextvars.copy_context().run(entered.__enter__)
    entered.__exit__(None, None, None)
    assert seen.span("work").end_ns
