"""OpenTelemetry's API works on our spans, for the service and for other libraries."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

from watchkeeper import ContractError, Settings, Span, SpanKind, Telemetry
from watchkeeper.conventions import database
from watchkeeper.instrument.calls import client_span
from watchkeeper.instrument.sampling import Sampler
from watchkeeper.model import StatusCode as OurStatusCode
from watchkeeper.testing import Captured, capture

pytestmark = pytest.mark.anyio


def test_a_span_is_timed_and_has_its_attributes(seen: Captured, door: SimpleNamespace) -> None:
    with seen.telemetry.span(door.work, **{"job.id": "42"}) as span:
        seen.clock.advance(1.5)
        span.set_attribute("pages", 3)
    record = seen.span("work")
    assert record.end_ns - record.start_ns == 1_500_000_000
    assert record.attributes == {"job.id": "42", "pages": 3}
    assert record.service == "door-keeper"
    assert record.resource["service.version"] == "1.2.3"
    assert record.kind is SpanKind.INTERNAL


def test_spans_nest_and_share_a_trace(seen: Captured, door: SimpleNamespace) -> None:
    with seen.telemetry.span(door.work, name="outer"):
        assert seen.telemetry.trace_id() == f"{1:032x}"
        with seen.telemetry.span(door.work, name="inner"):
            pass
    assert seen.telemetry.trace_id() == ""
    inner, outer = seen.spans
    assert (inner.name, inner.parent_span_id) == ("inner", outer.span_id)
    assert inner.trace_id == outer.trace_id


def test_an_exception_is_recorded_and_goes_on(seen: Captured, door: SimpleNamespace) -> None:
    with pytest.raises(LookupError), seen.telemetry.span(door.work):
        raise LookupError("nothing there")
    record = seen.span("work")
    assert record.status is OurStatusCode.ERROR
    assert record.attributes["error.type"] == "LookupError"
    [event] = record.events
    assert event.name == "exception"
    assert event.attributes["exception.message"] == "nothing there"


async def test_a_cancelled_task_ends_its_span_without_an_error(
    seen: Captured, door: SimpleNamespace
) -> None:
    async def wait() -> None:
        with seen.telemetry.span(door.work):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen.span("work").status is OurStatusCode.UNSET


async def test_tasks_keep_their_spans_apart(seen: Captured, door: SimpleNamespace) -> None:
    async def work(name: str) -> None:
        with seen.telemetry.span(door.work, name=name):
            await asyncio.sleep(0)
            with seen.telemetry.span(door.work, name=f"below {name}"):
                await asyncio.sleep(0)

    await asyncio.gather(work("a"), work("b"))
    spans = {span.name: span for span in seen.spans}
    assert spans["below a"].parent_span_id == spans["a"].span_id
    assert spans["below b"].parent_span_id == spans["b"].span_id


async def test_functions_are_traced_by_a_decorator(seen: Captured, door: SimpleNamespace) -> None:
    @seen.telemetry.traced(door.work)
    def plain(number: int) -> int:
        return number + 1

    @seen.telemetry.traced(door.work)
    async def later(number: int) -> int:
        return number + 2

    assert (plain(1), await later(1)) == (2, 3)
    assert plain.__name__ == "plain"
    assert [span.name for span in seen.spans] == ["work", "work"]


async def test_a_span_may_be_given_by_its_name(seen: Captured) -> None:
    telemetry = seen.telemetry

    @telemetry.traced("llm_api_call")
    def plain() -> int:
        return 1

    @telemetry.traced("work")
    async def waiting() -> int:
        await asyncio.sleep(0)
        with telemetry.span("work", step=2):
            return 2

    assert (plain(), await waiting()) == (1, 2)
    call, inside, outside = seen.spans
    assert (call.name, call.kind) == ("llm_api_call", SpanKind.CLIENT)
    assert inside.parent_span_id == outside.span_id
    assert inside.attributes == {"step": 2}
    with pytest.raises(ContractError, match="span nothing: not declared"):
        telemetry.span("nothing")


def test_an_undeclared_span_is_loud(seen: Captured) -> None:
    with pytest.raises(ContractError, match="span stranger: not declared"):
        seen.telemetry.span(Span("stranger", "Nobody knows it."))


def test_the_global_tracer_is_ours(seen: Captured, door: SimpleNamespace) -> None:
    tracer = trace.get_tracer("somebody.else", "1.0")
    with seen.telemetry.span(door.work):
        link = SpanContext(7, 8, True, TraceFlags(1))
        with tracer.start_as_current_span(
            "query",
            kind=trace.SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql"},
            links=[Link(link, {"why": "batch"})],
        ) as span:
            span.add_event("sent", {"bytes": 12})
            assert trace.get_current_span() is span
    query, work = seen.spans
    assert query.scope.name == "somebody.else"
    assert query.kind is SpanKind.CLIENT
    assert query.parent_span_id == work.span_id
    assert query.events[0].attributes == {"bytes": 12}
    assert (query.links[0].trace_id, query.links[0].attributes) == (f"{7:032x}", {"why": "batch"})


@pytest.mark.usefixtures("alone")
def test_the_global_tracer_leads_back_to_the_telemetry_that_still_runs(
    door: SimpleNamespace,
) -> None:
    tracer = trace.get_tracer("somebody.else")
    with capture(door.contract) as outer:
        with capture(door.contract) as inner:
            tracer.start_span("inside").end()
        tracer.start_span("after").end()
        assert [span.name for span in inner.spans] == ["inside"]
        assert [span.name for span in outer.spans] == ["after"]
    assert not tracer.start_span("nobody's").is_recording()


def test_the_global_tracer_works_as_a_decorator_and_records_exceptions(seen: Captured) -> None:
    tracer = trace.get_tracer("somebody.else")

    @tracer.start_as_current_span("call")
    def call() -> None:
        raise OSError("closed")

    with pytest.raises(OSError, match="closed"):
        call()
    record = seen.span("call")
    assert record.status is OurStatusCode.ERROR
    assert record.status_message == "OSError: closed"
    assert record.events[0].attributes["exception.type"] == "OSError"


def test_a_status_of_ok_is_final(seen: Captured) -> None:
    tracer = trace.get_tracer("t")
    with tracer.start_as_current_span("call") as span:
        span.set_status(Status(StatusCode.OK))
        span.set_status(StatusCode.ERROR, "too late")
        span.update_name("renamed")
    assert seen.span("renamed").status is OurStatusCode.OK


def test_what_comes_after_the_end_changes_nothing(seen: Captured) -> None:
    span = trace.get_tracer("t").start_span("call")
    span.end()
    span.end()
    span.set_attribute("late", True)
    span.add_event("late")
    assert not span.is_recording()
    assert seen.span("call").attributes == {}


def test_a_span_has_limits(seen: Captured) -> None:
    span = trace.get_tracer("t").start_span("call")
    for number in range(1000):
        span.set_attribute(f"a{number}", number)
        span.add_event(f"e{number}")
    span.end()
    record = seen.span("call")
    assert (len(record.attributes), len(record.events)) == (128, 128)


def test_the_context_travels_in_a_carrier(seen: Captured, door: SimpleNamespace) -> None:
    telemetry = seen.telemetry
    with telemetry.span(door.work, name="enqueue"):
        carrier = telemetry.inject()
        theirs: dict[str, str] = {}
        inject(theirs)
        assert carrier == {"traceparent": f"00-{1:032x}-{1:016x}-01"} == theirs
    assert telemetry.inject() == {}
    with telemetry.continued(carrier), telemetry.span(door.work, name="process"):
        pass
    enqueue, process = seen.spans
    assert (process.trace_id, process.parent_span_id) == (enqueue.trace_id, enqueue.span_id)
    extracted = extract(carrier)
    assert trace.get_current_span(extracted).get_span_context().trace_id == 1


@pytest.mark.parametrize("carrier", [{}, {"traceparent": "nonsense"}, {"tracestate": "a=1"}])
def test_a_carrier_without_a_trace_begins_a_new_one(
    seen: Captured, door: SimpleNamespace, carrier: dict[str, str]
) -> None:
    with seen.telemetry.continued(carrier), seen.telemetry.span(door.work):
        pass
    assert seen.span("work").parent_span_id == ""


def test_a_tracestate_is_passed_on(seen: Captured, door: SimpleNamespace) -> None:
    carrier = {"traceparent": f"00-{5:032x}-{6:016x}-01", "tracestate": "vendor=1"}
    with seen.telemetry.continued(carrier), seen.telemetry.span(door.work):
        assert seen.telemetry.inject()["tracestate"] == "vendor=1"


def test_baggage_travels_with_the_context(seen: Captured, door: SimpleNamespace) -> None:
    with seen.telemetry.continued({"baggage": "tenant=tea"}):
        assert baggage.get_baggage("tenant") == "tea"
        assert seen.telemetry.inject() == {"baggage": "tenant=tea"}
    assert baggage.get_baggage("tenant") is None


def test_the_contract_says_how_many_traces_are_kept_unless_the_environment_does(
    door: SimpleNamespace,
) -> None:
    nothing = replace(door.contract, trace_sampling_ratio=0.0)
    with capture(nothing) as seen:
        with seen.telemetry.span(door.work):
            pass
        assert seen.spans == []
    with capture(nothing, Settings(sampler="always_on")) as seen:
        with seen.telemetry.span(door.work):
            pass
        assert len(seen.spans) == 1


def test_an_unsampled_trace_is_not_recorded_but_goes_on(door: SimpleNamespace) -> None:
    with capture(door.contract, Settings(sampler="always_off")) as seen:
        with seen.telemetry.span(door.work) as span:
            assert not span.is_recording()
            assert seen.telemetry.inject() == {"traceparent": f"00-{1:032x}-{1:016x}-00"}
            seen.telemetry.counter(door.ended).inc(outcome="good")
        assert seen.spans == []
        body, _ = seen.telemetry.exposition("application/openmetrics-text")
        assert b"trace_id=" not in body


def test_a_ratio_keeps_its_share_and_children_follow_the_root() -> None:
    sampler = Sampler("parentbased_traceidratio", 0.25)
    step = 2**64 // 1000
    kept = sum(sampler.root(number * step) for number in range(1000))
    assert kept in (250, 251)
    assert sampler.child(2**64 - 1, True)
    assert not sampler.child(1, False)
    assert Sampler("traceidratio", 0.25).child(1, False)
    assert Sampler("always_on").root(2**64 - 1)
    assert not Sampler("always_off").root(1)


def test_a_broken_exception_is_still_recorded(seen: Captured, door: SimpleNamespace) -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    seen.telemetry.faults.loud = False
    with pytest.raises(BrokenError), seen.telemetry.span(door.work):
        raise BrokenError
    assert seen.span("work").events[0].attributes["exception.type"].endswith("BrokenError")  # type: ignore[union-attr] # a text


def test_an_expected_exception_is_the_callers_to_judge(
    seen: Captured, door: SimpleNamespace
) -> None:
    with pytest.raises(KeyError), seen.telemetry.span(door.work, expected=LookupError):
        raise KeyError("not yet")
    record = seen.span("work")
    assert (record.status, record.events) == (OurStatusCode.UNSET, ())


def test_a_call_to_another_system_is_a_span_only_inside_of_a_trace(
    seen: Captured, door: SimpleNamespace
) -> None:
    with client_span(seen.telemetry, database.QUERY_SPAN, name="SELECT 1"):
        pass
    with seen.telemetry.span(door.work):
        carrier = seen.telemetry.inject()
        with client_span(seen.telemetry, database.QUERY_SPAN, name="SELECT 2"):
            pass
    with (
        seen.telemetry.continued(carrier),
        client_span(seen.telemetry, database.QUERY_SPAN, name="SELECT 3"),
    ):
        pass
    assert [span.name for span in seen.spans] == ["SELECT 2", "work", "SELECT 3"]


def test_what_is_untraced_leaves_no_spans_and_lines_without_a_trace(
    seen: Captured, door: SimpleNamespace
) -> None:
    with seen.telemetry.span(door.work, name="outer"):
        carrier = seen.telemetry.inject()
        with seen.telemetry.untraced(), seen.telemetry.span(door.work, name="hidden"):
            trace.get_tracer("other").start_span("hidden too").end()
            seen.telemetry.log(door.started, job_id="1")
            assert seen.telemetry.inject() == {}
            with seen.telemetry.continued(carrier), seen.telemetry.span(door.work, name="asked"):
                pass
    assert [span.name for span in seen.spans] == ["asked", "outer"]
    assert seen.log("work_started").trace_id == ""


async def test_the_global_tracer_decorates_async_functions_for_their_whole_time(
    seen: Captured,
) -> None:
    @trace.get_tracer("somebody.else").start_as_current_span("call")
    async def call() -> int:
        await asyncio.sleep(0)
        seen.clock.advance(2)
        return 7

    assert [await call(), await call()] == [7, 7]
    lengths = [span.end_ns - span.start_ns for span in seen.spans]
    assert lengths == [2_000_000_000, 2_000_000_000]


def test_the_global_tracer_may_leave_exceptions_and_ends_to_others(seen: Captured) -> None:
    tracer = trace.get_tracer("somebody.else")
    quiet = {"record_exception": False, "set_status_on_exception": False}
    with (
        suppress(OSError),
        tracer.start_as_current_span("call", end_on_exit=False, **quiet) as span,
    ):
        raise OSError("closed")
    assert span.is_recording()
    span.end()
    assert seen.span("call").events == ()
    assert seen.span("call").status is OurStatusCode.UNSET


@pytest.mark.parametrize(
    ("propagators", "travels"),
    [
        (("tracecontext", "baggage"), {"traceparent", "baggage"}),
        (("tracecontext",), {"traceparent"}),
        (("baggage",), {"baggage"}),
        ((), set()),
    ],
)
def test_only_the_chosen_headers_travel(
    propagators: tuple[str, ...], travels: set[str], door: SimpleNamespace
) -> None:
    with capture(door.contract, Settings(propagators=propagators)) as seen:
        telemetry = seen.telemetry
        carried = {"traceparent": f"00-{7:032x}-{8:016x}-01", "baggage": "shelf=B4"}
        with telemetry.continued(carried), telemetry.span(door.work):
            assert (telemetry.trace_id() == f"{7:032x}") is ("traceparent" in travels)
            assert (baggage.get_baggage("shelf") == "B4") is ("baggage" in travels)
        token = context.attach(baggage.set_baggage("shelf", "B4"))
        with telemetry.span(door.work):
            assert set(telemetry.inject()) == travels
        context.detach(token)


def test_a_variable_without_effect_is_told_at_the_start(
    door: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.from_environment(
        {"OTEL_BLRP_MAX_QUEUE_SIZE": "1", "WATCHKEEPER_LOG": "off"}
    )
    with Telemetry(door.contract, settings):
        pass
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith("OTEL_BLRP_MAX_QUEUE_SIZE has no effect")
