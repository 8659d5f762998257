"""A span takes so much and no more, as the SDK does; what is cut was clean before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from opentelemetry.trace import SpanContext
from starlette.applications import Starlette

from watchkeeper import Settings, instrument
from watchkeeper.instrument.span_limits import SpanLimits
from watchkeeper.model import SpanRecord
from watchkeeper.testing import capture

NUMBERS = {f"a{number}": number for number in range(5)}


def span_with(limits: SpanLimits, door: SimpleNamespace, text: str = "") -> SpanRecord:
    """A span that was given five of everything, and a text."""
    with capture(door.contract, Settings(span_limits=limits)) as seen:
        with seen.telemetry.span(door.work) as span:
            for number in range(5):
                span.add_event(f"e{number}", NUMBERS)
                span.add_link(SpanContext(1, number + 1, is_remote=False), NUMBERS)
            if text:
                span.set_attributes({"text": text, "texts": [text, text]})
            span.set_attributes(NUMBERS)
        return seen.span("work")


@pytest.mark.parametrize("most", [0, 1, 3])
def test_the_first_stay(most: int, door: SimpleNamespace) -> None:
    limits = SpanLimits(
        attributes=most, events=most, links=most, event_attributes=most, link_attributes=most
    )
    span = span_with(limits, door)
    first = dict(list(NUMBERS.items())[:most])
    assert span.attributes == first
    assert [event.name for event in span.events] == [f"e{number}" for number in range(most)]
    assert len(span.links) == most
    assert all(part.attributes == first for part in (*span.events, *span.links))
    assert span.dropped == (5 - most, 5 - most, 5 - most)


def test_an_attribute_that_is_there_may_change_at_the_limit(door: SimpleNamespace) -> None:
    with capture(door.contract, Settings(span_limits=SpanLimits(attributes=1))) as seen:
        with seen.telemetry.span(door.work) as span:
            span.set_attribute("a", 1)
            span.set_attribute("b", 1)
            span.set_attribute("a", 2)
        assert seen.span("work").attributes == {"a": 2}


def test_a_text_is_cut_after_it_was_cleaned(door: SimpleNamespace) -> None:
    """Cut before, half of an address would not be known for one."""
    span = span_with(SpanLimits(value_characters=12), door, text="to anna.smith@example.org today")
    assert span.attributes["text"] == "to [email] t"
    assert span.attributes["texts"] == ("to [email] t", "to [email] t")
    assert span.attributes["a1"] == 1


@pytest.mark.anyio
async def test_a_request_is_held_to_the_length_too(door: SimpleNamespace) -> None:
    settings = Settings(span_limits=SpanLimits(value_characters=8))
    with capture(door.contract, settings) as seen:
        app: Any = Starlette()
        instrument(app, seen.telemetry)
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
            await client.get("/a/long/way", headers={"user-agent": "a long name"})
        [span] = [span for span in seen.spans if span.name == "GET unmatched"]
    assert span.attributes["url.path"] == "/a/long/"
    assert span.attributes["user_agent.original"] == "a long n"
