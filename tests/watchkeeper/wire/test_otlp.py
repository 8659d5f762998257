"""OTLP: what we send the official library reads; what others send we read; garbage is refused."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchkeeper.errors import DecodeError
from watchkeeper.model import (
    LogRecord,
    Scope,
    Severity,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
    StatusCode,
)
from watchkeeper.wire import otlp

texts = st.text(st.characters(codec="utf-8"), max_size=8)
whole = st.integers(-(1 << 63), (1 << 63) - 1)
real = st.floats(allow_nan=False)
values = (
    texts
    | st.booleans()
    | whole
    | real
    | st.lists(texts, max_size=3).map(tuple)
    | st.lists(whole, max_size=3).map(tuple)
    | st.lists(st.booleans(), max_size=3).map(tuple)
    | st.lists(real, max_size=3).map(tuple)
)
attributes = st.dictionaries(texts, values, max_size=4)
resources = st.dictionaries(texts.map("r.{}".format), values, max_size=3)
times = st.integers(1, (1 << 63) - 1)
trace_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
span_ids = st.binary(min_size=8, max_size=8).map(bytes.hex)
services = st.sampled_from(["api", "worker"])

spans = st.builds(
    SpanRecord,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=span_ids | st.just(""),
    name=texts,
    kind=st.sampled_from(SpanKind),
    start_ns=times,
    end_ns=times,
    service=services,
    status=st.sampled_from(StatusCode),
    status_message=texts,
    attributes=attributes,
    events=st.lists(st.builds(SpanEvent, texts, times, attributes), max_size=2).map(tuple),
    links=st.lists(st.builds(SpanLink, trace_ids, span_ids, attributes), max_size=2).map(tuple),
    resource=resources,
    scope=texts.map(Scope),
)
logs = st.builds(
    LogRecord,
    timestamp_ns=times,
    severity=st.sampled_from(Severity),
    message=texts,
    service=services,
    logger=texts,
    trace_id=trace_ids | st.just(""),
    span_id=span_ids | st.just(""),
    attributes=attributes,
    resource=resources,
)

SPAN = SpanRecord(
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="b7ad6b7169203331",
    parent_span_id="00f067aa0ba902b7",
    name="GET /jobs",
    kind=SpanKind.SERVER,
    start_ns=1_000,
    end_ns=2_000,
    service="api",
    status=StatusCode.ERROR,
    status_message="no database",
    attributes={"http.route": "/jobs", "tries": -3, "slow": True, "parts": (0.5, 1.5)},
    events=(SpanEvent("exception", 1_500, {"exception.type": "OSError"}),),
    links=(SpanLink("ab" * 16, "cd" * 8, {"why": "retry"}),),
    resource={"host.name": "one"},
    scope=Scope("http"),
)
LOG = LogRecord(
    timestamp_ns=1_500,
    severity=Severity.ERROR,
    message="no database",
    service="api",
    logger="jobs",
    trace_id=SPAN.trace_id,
    span_id=SPAN.span_id,
    attributes={"event": "job_failed"},
)


def by_identity(records):
    return sorted(records, key=repr)


@given(st.lists(spans, max_size=4))
def test_spans_are_read_back_as_they_were_written(records):
    assert by_identity(otlp.decode_spans(otlp.encode_spans(records))) == by_identity(records)


@given(st.lists(logs, max_size=4))
def test_logs_are_read_back_as_they_were_written(records):
    assert by_identity(otlp.decode_logs(otlp.encode_logs(records))) == by_identity(records)


@given(st.lists(spans, min_size=1, max_size=4))
def test_the_official_library_rewrites_our_spans_without_loss(records):
    request = ExportTraceServiceRequest.FromString(otlp.encode_spans(records))
    again = otlp.decode_spans(request.SerializeToString())
    assert by_identity(again) == by_identity(records)


@given(st.lists(logs, min_size=1, max_size=4))
def test_the_official_library_rewrites_our_logs_without_loss(records):
    request = ExportLogsServiceRequest.FromString(otlp.encode_logs(records))
    assert by_identity(otlp.decode_logs(request.SerializeToString())) == by_identity(records)


def test_the_official_library_sees_each_field_in_its_place():
    request = ExportTraceServiceRequest.FromString(otlp.encode_spans([SPAN, SPAN]))
    (group,) = request.resource_spans
    assert {item.key: item.value.string_value for item in group.resource.attributes} == {
        "service.name": "api",
        "host.name": "one",
    }
    (scope,) = group.scope_spans
    assert scope.scope.name == "http"
    first, _ = scope.spans
    assert first.trace_id.hex() == SPAN.trace_id
    assert first.parent_span_id.hex() == SPAN.parent_span_id
    assert (first.start_time_unix_nano, first.end_time_unix_nano) == (1_000, 2_000)
    assert (first.kind, first.status.code, first.status.message) == (2, 2, "no database")
    assert [event.name for event in first.events] == ["exception"]
    assert first.links[0].span_id.hex() == "cd" * 8
    assert {item.key: item.value.WhichOneof("value") for item in first.attributes} == {
        "http.route": "string_value",
        "tries": "int_value",
        "slow": "bool_value",
        "parts": "array_value",
    }


def test_json_means_the_same_as_protobuf():
    document = {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [
                        {"key": "service.name", "value": {"stringValue": "api"}},
                        {"key": "host.name", "value": {"stringValue": "one"}},
                    ]
                },
                "scopeSpans": [
                    {
                        "scope": {"name": "http"},
                        "spans": [
                            {
                                "traceId": SPAN.trace_id.upper(),
                                "spanId": SPAN.span_id,
                                "parentSpanId": SPAN.parent_span_id,
                                "name": SPAN.name,
                                "kind": "SPAN_KIND_SERVER",
                                "startTimeUnixNano": "1000",
                                "endTimeUnixNano": 2000,
                                "attributes": [
                                    {"key": "http.route", "value": {"stringValue": "/jobs"}},
                                    {"key": "tries", "value": {"intValue": "-3"}},
                                    {"key": "slow", "value": {"boolValue": True}},
                                    {
                                        "key": "parts",
                                        "value": {
                                            "arrayValue": {
                                                "values": [
                                                    {"doubleValue": 0.5},
                                                    {"doubleValue": 1.5},
                                                ]
                                            }
                                        },
                                    },
                                ],
                                "events": [
                                    {
                                        "timeUnixNano": "1500",
                                        "name": "exception",
                                        "attributes": [
                                            {
                                                "key": "exception.type",
                                                "value": {"stringValue": "OSError"},
                                            }
                                        ],
                                    }
                                ],
                                "links": [
                                    {
                                        "traceId": "ab" * 16,
                                        "spanId": "cd" * 8,
                                        "attributes": [
                                            {"key": "why", "value": {"stringValue": "retry"}}
                                        ],
                                    }
                                ],
                                "status": {"code": 2, "message": "no database"},
                                "unknownField": {"is": "passed over"},
                            }
                        ],
                    }
                ],
            }
        ]
    }
    assert otlp.decode_spans(json.dumps(document).encode(), "application/json") == [SPAN]


def test_json_log_bodies_that_are_no_text_become_json_text():
    record = {
        "observedTimeUnixNano": "7",
        "severityNumber": 18,
        "body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}},
        "eventName": "job_failed",
    }
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    (read,) = otlp.decode_logs(json.dumps(document).encode(), "application/json; charset=utf-8")
    assert read == LogRecord(
        timestamp_ns=7,
        severity=Severity.ERROR,
        message='{"a":1}',
        service="unknown_service",
        attributes={"event.name": "job_failed"},
    )


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{",
        b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": "SPAN_KIND_ODD"}]}]}]}',
    ],
)
def test_json_that_is_no_request_is_a_decode_error(document):
    with pytest.raises(DecodeError, match="OTLP"):
        otlp.decode_spans(document, "application/json")


def test_ids_of_the_wrong_length_are_refused():
    request = ExportTraceServiceRequest.FromString(otlp.encode_spans([SPAN]))
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b"four"
    with pytest.raises(DecodeError, match="span id has 4 bytes"):
        otlp.decode_spans(request.SerializeToString())


def test_another_content_type_is_refused_and_told_what_to_send():
    with pytest.raises(DecodeError, match="application/x-protobuf"):
        otlp.decode_spans(b"", "text/plain")


@given(st.binary(max_size=120), st.integers(0, 400), st.integers(0, 255))
@pytest.mark.parametrize("decode", [otlp.decode_spans, otlp.decode_logs, otlp.decode_metrics])
def test_broken_bodies_are_decode_errors_and_nothing_else(decode, noise, cut, byte):
    good = otlp.encode_spans([SPAN]) if decode is otlp.decode_spans else otlp.encode_logs([LOG])
    changed = bytearray(good)
    changed[cut % len(changed)] = byte
    for body in (noise, good[:cut], bytes(changed)):
        with contextlib.suppress(DecodeError):
            decode(body)


def test_what_utf8_cannot_hold_does_not_stop_the_rest():
    (read,) = otlp.decode_logs(
        otlp.encode_logs(
            [LogRecord(1, Severity.INFO, "lone \ud800", "api", attributes={"n": 1 << 70})]
        )
    )
    assert read.message == "lone ?"
    assert read.attributes == {"n": str(1 << 70)}
