"""What head sampling drops is kept all the same if it failed or was slow; the rest is not."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import SimpleNamespace

import httpx2
import pytest
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.trace import SpanContext, TraceFlags

from watchkeeper import Settings, instrument
from watchkeeper.conventions import database
from watchkeeper.conventions import telemetry as own
from watchkeeper.instrument import tail
from watchkeeper.instrument.calls import client_span
from watchkeeper.testing import Captured, capture

NOTHING_BY_HEAD = Settings(sampler="parentbased_traceidratio", sampler_ratio=0.0)


@pytest.fixture
def dropping(door: SimpleNamespace) -> Iterator[Captured]:
    """A telemetry whose head drops every trace."""
    with capture(door.contract, NOTHING_BY_HEAD) as captured:
        yield captured


def waiting(seen: Captured) -> int:
    assert seen.telemetry.tracing.tail is not None
    return seen.telemetry.tracing.tail.waiting


def test_a_trace_that_goes_well_is_dropped(dropping: Captured, door: SimpleNamespace) -> None:
    with dropping.telemetry.span(door.work), dropping.telemetry.span(door.work, name="inner"):
        dropping.clock.advance(0.9)
    assert dropping.spans == []
    assert waiting(dropping) == 0


def test_a_trace_that_fails_is_kept_whole(dropping: Captured, door: SimpleNamespace) -> None:
    telemetry = dropping.telemetry

    @telemetry.traced(door.work)
    def fail() -> None:
        with telemetry.span(door.work, name="inner", pages=3):
            pass
        with client_span(telemetry, database.QUERY_SPAN, name="SELECT"):
            pass
        assert waiting(dropping) == 2
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fail()
    inner, query, outer = dropping.spans
    assert [inner.name, query.name, outer.name] == ["inner", "SELECT", "work"]
    assert inner.parent_span_id == query.parent_span_id == outer.span_id
    assert inner.attributes == {"pages": 3}
    assert outer.events[0].name == "exception"
    assert waiting(dropping) == 0


def test_a_trace_that_is_slow_is_kept(dropping: Captured, door: SimpleNamespace) -> None:
    with dropping.telemetry.span(door.work):
        dropping.clock.advance(1.0)
    assert dropping.span("work").end_ns


def test_an_error_below_that_the_root_got_over_does_not_keep_the_trace(
    dropping: Captured, door: SimpleNamespace
) -> None:
    with (
        dropping.telemetry.span(door.work),
        pytest.raises(OSError, match="x"),
        dropping.telemetry.span(door.work),
    ):
        raise OSError("x")
    assert dropping.spans == []


def test_a_span_that_ends_after_its_root_follows_the_decision(
    dropping: Captured, door: SimpleNamespace
) -> None:
    tracer = trace.get_tracer("t")
    for seconds in (0.0, 2.0):
        with dropping.telemetry.span(door.work, name=f"took {seconds:g}"):
            late = tracer.start_span(f"late after {seconds:g}")
            dropping.clock.advance(seconds)
        assert late.is_recording() is bool(seconds)
        assert late.get_span_context().trace_flags.sampled is bool(seconds)
        late.end()
    assert [span.name for span in dropping.spans] == ["took 2", "late after 2"]


def test_those_called_hear_what_is_decided(dropping: Captured, door: SimpleNamespace) -> None:
    with dropping.telemetry.span(door.work) as span:
        assert dropping.telemetry.inject()["traceparent"].endswith("-00")
        dropping.clock.advance(2)
    assert span.get_span_context().trace_flags.sampled


def test_a_caller_that_records_nothing_does_not_hide_our_errors(
    dropping: Captured, door: SimpleNamespace
) -> None:
    carrier = {"traceparent": f"00-{9:032x}-{7:016x}-00"}
    with (
        pytest.raises(OSError, match="x"),
        dropping.telemetry.continued(carrier),
        dropping.telemetry.span(door.work),
    ):
        raise OSError("x")
    assert dropping.span("work").trace_id == f"{9:032x}"
    assert dropping.span("work").parent_span_id == f"{7:016x}"


def test_what_the_head_chose_does_not_wait(door: SimpleNamespace) -> None:
    with capture(door.contract) as seen, seen.telemetry.span(door.work):
        with seen.telemetry.span(door.work, name="inner"):
            pass
        assert waiting(seen) == 0
        assert seen.span("inner").end_ns


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_always_off"])
def test_off_means_off(door: SimpleNamespace, sampler: str) -> None:
    with capture(door.contract, Settings(sampler=sampler)) as seen:
        with seen.telemetry.span(door.work) as span:
            assert not span.is_recording()
            seen.clock.advance(60)
        assert seen.spans == []


def test_errors_and_slowness_are_chosen_apart(door: SimpleNamespace) -> None:
    rules = tail.TailRules(errors=False, slow_ns=0)
    assert not rules.keep(True, 10**12)
    assert tail.TailRules(errors=True, slow_ns=0).keep(True, 0)
    assert tail.TailRules(errors=False, slow_ns=5).keep(False, 5)


def test_what_is_too_much_of_one_trace_is_dropped_and_counted(
    dropping: Captured, door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "MOST_SPANS_OF_A_TRACE", 3)
    with dropping.telemetry.span(door.work):
        for number in range(5):
            with dropping.telemetry.span(door.work, name=f"step {number}"):
                pass
        dropping.clock.advance(2)
    assert [span.name for span in dropping.spans] == ["step 0", "step 1", "step 2", "work"]
    assert dropping.value(own.DROPPED, signal="spans", reason="tail_full") == 2


def test_a_root_that_never_ends_gives_its_room_back_when_it_is_forgotten(
    dropping: Captured, door: SimpleNamespace
) -> None:
    tracer = trace.get_tracer("t")
    root = tracer.start_span("forgotten")
    with trace.use_span(root, end_on_exit=False), dropping.telemetry.span(door.work):
        pass
    assert waiting(dropping) == 1
    del root
    gc.collect()
    assert waiting(dropping) == 0


def test_in_all_only_so_many_wait(
    dropping: Captured, door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "MOST_SPANS", 2)
    with dropping.telemetry.span(door.work):
        for _ in range(9):
            with dropping.telemetry.span(door.work):
                pass
        assert waiting(dropping) == 2


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "kept"), [("/good", 0), ("/bad", 3), ("/slow", 2)])
async def test_a_request_decides_for_what_happened_in_it(
    dropping: Captured, door: SimpleNamespace, path: str, kept: int
) -> None:
    app = FastAPI()

    @app.get("/{kind}")
    async def answer(kind: str) -> str:
        with dropping.telemetry.span(door.work):
            dropping.clock.advance(2.0 if kind == "slow" else 0.1)
        if kind == "bad":
            with dropping.telemetry.span(door.work, name="second"):
                raise ValueError(kind)
        return kind

    instrument(app, dropping.telemetry)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
        await client.get(path)
    assert len(dropping.spans) == kept
    assert len({span.trace_id for span in dropping.spans}) == (1 if kept else 0)
    body = dropping.telemetry.exposition("application/openmetrics-text")[0]
    assert (b"# {trace_id=" in body) is bool(kept)


def test_a_local_parent_of_others_that_is_not_recorded_is_believed(
    dropping: Captured, door: SimpleNamespace
) -> None:
    other = trace.NonRecordingSpan(SpanContext(5, 6, False, TraceFlags(0)))
    with trace.use_span(other), client_span(dropping.telemetry, database.QUERY_SPAN):
        dropping.clock.advance(5)
    assert dropping.spans == []
