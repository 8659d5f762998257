"""What we send is what OpenTelemetry's SDK would have sent, attribute by attribute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
    use_span,
)

from watchkeeper.instrument.middleware import RequestMiddleware
from watchkeeper.instrument.tracing import LiveTracerProvider
from watchkeeper.testing import capture
from watchkeeper.wire import otlp

LINKED = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1))
CALLER = SpanContext(9, 10, True, TraceFlags(1), TraceState([("shop", "a:1"), ("other", "b")]))
SCHEMA = "https://opentelemetry.io/schemas/1.30.0"
Work = Callable[[Tracer], None]


def tracer_of(provider: TracerProvider | LiveTracerProvider) -> Tracer:
    about = {"team": "doors", "ports": (1, 2), "beta": True}
    return provider.get_tracer("somebody.else", "1.2.3", SCHEMA, about)


def by_the_sdk(work: Work) -> Any:
    """Return the official message of what the SDK sends."""
    provider = TracerProvider()
    memory = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    work(tracer_of(provider))
    provider.shutdown()
    body = encode_spans(memory.get_finished_spans()).SerializeToString()
    return ExportTraceServiceRequest.FromString(body)


def by_us(work: Work, contract: Any) -> Any:
    """Return the official message of what we send."""
    with capture(contract) as seen:
        work(tracer_of(LiveTracerProvider(seen.telemetry.tracing)))
        return ExportTraceServiceRequest.FromString(otlp.encode_spans(seen.spans))


def told(request: Any) -> list[dict[str, Any]]:
    """Return all that is said of each span, but times and the ids that chance gave."""
    [resource] = request.resource_spans
    [scope] = resource.scope_spans
    names = {span.span_id: span.name for span in scope.spans}
    return [
        {
            "scope": (scope.scope.name, scope.scope.version, scope.schema_url),
            "scope attributes": values(scope.scope.attributes),
            "name": span.name,
            "state": span.trace_state,
            "flags": span.flags,
            "kind": span.kind,
            "parent": names.get(span.parent_span_id, span.parent_span_id),
            "attributes": values(span.attributes),
            "events": [
                (event.name, values(event.attributes), event.dropped_attributes_count)
                for event in span.events
            ],
            "links": [
                (
                    link.trace_id,
                    link.span_id,
                    values(link.attributes),
                    link.dropped_attributes_count,
                    link.flags,
                )
                for link in span.links
            ],
            "status": (span.status.code, span.status.message),
            "dropped": (
                span.dropped_attributes_count,
                span.dropped_events_count,
                span.dropped_links_count,
            ),
        }
        for span in scope.spans
    ]


def values(attributes: Any) -> dict[str, Any]:
    found = {each.key: each.value for each in attributes}
    # Whose stack it is differs, by the frames of whoever called.
    found.pop("exception.stacktrace", None)
    # Deprecated, and always "False".
    found.pop("exception.escaped", None)
    return found


def nested(tracer: Tracer) -> None:
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER, attributes={"a": 1}) as span:
        span.set_attributes({"b": True, "c": [1.5, 2.5], "d": ("x", "y"), "e": "ü"})
        span.set_attribute("b", False)
        with tracer.start_as_current_span("inner", kind=SpanKind.CLIENT):
            pass


def told_of(tracer: Tracer) -> None:
    links = [Link(LINKED, {"why": "batch"})]
    with tracer.start_as_current_span("work", links=links) as span:
        span.add_event("half", {"bytes": 12})
        span.add_event("bare")
        span.update_name("renamed")
        span.add_link(LINKED)


def failed(tracer: Tracer) -> None:
    with suppress(ValueError), tracer.start_as_current_span("work"):
        raise ValueError("no")


def judged(tracer: Tracer) -> None:
    with tracer.start_as_current_span("well") as span:
        span.set_status(Status(StatusCode.OK, "ignored"))
        span.set_status(StatusCode.ERROR, "too late")
    with tracer.start_as_current_span("ill") as span:
        span.set_status(StatusCode.ERROR, "why")
        span.set_status(StatusCode.UNSET)
    span = tracer.start_span("manual", kind=SpanKind.PRODUCER)
    span.record_exception(KeyError("k"), {"more": 1})
    span.end()
    span.set_attribute("late", 1)


def overfull(tracer: Tracer) -> None:
    with tracer.start_as_current_span("work") as span:
        for _ in range(130):
            span.add_event("event")
            span.add_link(LINKED)
        # Which ones stay differs: ours are the first, as the specification has it.
        span.set_attributes({f"a{number}": number for number in range(128)})
        span.set_attribute("a0", 0)


def overfull_within(tracer: Tracer) -> None:
    many = {f"a{number}": "same" for number in range(131)}
    with tracer.start_as_current_span("work") as span:
        span.add_event("event", many)
        span.add_link(LINKED, many)


def continued(tracer: Tracer) -> None:
    above = set_span_in_context(NonRecordingSpan(CALLER))
    with tracer.start_as_current_span("far", above) as span:
        span.add_link(SpanContext(7, 8, is_remote=False))
        with tracer.start_as_current_span("near"):
            pass


@pytest.mark.parametrize(
    "work", [nested, told_of, failed, judged, overfull, overfull_within, continued]
)
def test_spans_say_the_same(work: Work, door: Any) -> None:
    ours, theirs = told(by_us(work, door.contract)), told(by_the_sdk(work))
    if work is overfull_within:
        # Which ones stay differs: ours are the first, as the specification has it.
        for span in (*ours, *theirs):
            for _, attributes, *_ in span["events"]:
                attributes.clear()
            for _, _, attributes, *_ in span["links"]:
                attributes.clear()
    assert ours == theirs


def test_a_link_says_its_trace_state_which_the_sdk_leaves_out(door: Any) -> None:
    def work(tracer: Tracer) -> None:
        with tracer.start_as_current_span("work", links=[Link(CALLER)]):
            pass

    [group] = by_us(work, door.contract).resource_spans
    [link] = group.scope_spans[0].spans[0].links
    assert link.trace_state == "shop=a:1,other=b"


def test_a_request_says_of_its_caller_what_the_sdk_says(door: Any) -> None:
    headers = [
        (b"traceparent", b"00-%032x-%016x-01" % (9, 10)),
        (b"tracestate", b"shop=a:1,other=b"),
    ]
    below, alone = request_spans(door, headers), request_spans(door, [])
    [theirs] = told(by_the_sdk(continued))[1:]
    assert (below.trace_state, below.flags) == (theirs["state"], theirs["flags"])
    assert (alone.trace_state, alone.flags) == ("", 0x100)


def request_spans(door: Any, headers: list[tuple[bytes, bytes]]) -> Any:
    """Return the span of a request as it leaves."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def nothing(*_: Any) -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "path": "/", "method": "GET", "headers": headers}
    with capture(door.contract) as seen:
        asyncio.run(RequestMiddleware(app, seen.telemetry)(scope, nothing, nothing))
        body = otlp.encode_spans(seen.spans)
    [group] = ExportTraceServiceRequest.FromString(body).resource_spans
    [span] = group.scope_spans[0].spans
    return span


NAMES = st.text("abcdefgh._", min_size=1, max_size=20).map(lambda name: f"k.{name}")
VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text("abcäöü \n\"'\\{}0", max_size=20)
    | st.lists(st.booleans(), min_size=1, max_size=4)
    | st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4)
    | st.lists(st.floats(allow_nan=False), min_size=1, max_size=4)
    | st.lists(st.text("abc", max_size=9), min_size=1, max_size=4)
)


@given(st.dictionaries(NAMES, VALUES, max_size=12))
def test_attributes_of_every_type_say_the_same(attributes: dict[str, Any]) -> None:
    from watchkeeper import Contract

    def work(tracer: Tracer) -> None:
        with tracer.start_as_current_span("work", attributes=attributes) as span:
            span.add_event("event", attributes)

    assert told(by_us(work, Contract(service="s", version="1"))) == told(by_the_sdk(work))


def logged(logger: logging.Logger) -> None:
    logger.warning("shelf %s is empty", "B4", extra={"shelf": "B4", "left": 0, "ratio": 0.5})
    logger.critical("nothing is left")
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("it failed")


def lines_of(request: Any) -> list[dict[str, Any]]:
    [resource] = request.resource_logs
    return [
        {
            "logger": scope.scope.name,
            "body": record.body,
            "span": (record.trace_id, record.span_id, record.flags),
            "severity": (record.severity_number, record.severity_text),
            "attributes": {
                name: value
                for name, value in values(record.attributes).items()
                if not name.startswith("code.")
            },
        }
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


# The handler is deprecated, and what it says is what its successor says.
@pytest.mark.filterwarnings("ignore:.LoggingHandler.:DeprecationWarning")
@pytest.mark.parametrize("span", [SpanContext(7, 8, False, TraceFlags(0)), LINKED, None])
def test_lines_say_the_same(door: Any, span: SpanContext | None) -> None:
    provider = LoggerProvider()
    memory = InMemoryLogRecordExporter()
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    logger = logging.getLogger("beside")
    handler = LoggingHandler(logger_provider=provider)
    logger.addHandler(handler)
    try:
        with capture(door.contract) as seen:
            with use_span(NonRecordingSpan(span)) if span else nullcontext():
                logged(logger)
            ours = ExportLogsServiceRequest.FromString(otlp.encode_logs(seen.logs))
    finally:
        logger.removeHandler(handler)
    sdk = encode_logs(memory.get_finished_logs()).SerializeToString()
    provider.shutdown()
    assert lines_of(ours) == lines_of(ExportLogsServiceRequest.FromString(sdk))
