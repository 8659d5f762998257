"""Requests that are read as columns come to the same as if they were read record by record."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.watchkeeper.wire.test_otlp import LOG, SPAN, logs, spans

from watchkeeper.errors import DecodeError
from watchkeeper.ingest import otlp_columns
from watchkeeper.ingest.attribute_columns import FEWEST_ALIKE
from watchkeeper.ingest.message_fields import MOST_FIELDS
from watchkeeper.model import LogRecord, Scope, Severity, SpanKind, SpanRecord
from watchkeeper.storage import log_rows, span_rows
from watchkeeper.wire import attribute_text, otlp
from watchkeeper.wire.limits import AttributeLimits
from watchkeeper.wire.otlp_besides import TRACE_STATE
from watchkeeper.wire.record_columns import LogColumns, SpanColumns

LIMITS = AttributeLimits()
MANY = 3 * FEWEST_ALIKE

READERS = {
    "spans": (otlp_columns.spans, otlp.decode_spans, ExportTraceServiceRequest),
    "logs": (otlp_columns.logs, otlp.decode_logs, ExportLogsServiceRequest),
}

odd_values = (
    st.sampled_from(["", "plain", 'a "quoted" \\ text', "line\nend", "é", "\x00", "x" * 300])
    | st.sampled_from([0, 1, 127, 128, -1, 1 << 40, (1 << 63) - 1, -(1 << 63)])
    | st.sampled_from([0.5, float("nan"), float("inf"), -0.0, 1e300])
    | st.booleans()
    | st.sampled_from([(), ("a", "b"), (1, 2)])
)
keys = st.sampled_from(["a", "b", "http.request.method", "http.request.header.x-one.count", 'a"é'])
alike = st.lists(st.dictionaries(keys, odd_values, max_size=4), min_size=1, max_size=MANY)


def a_span(attributes, number=0):
    return SpanRecord(
        *(f"{number:032x}", f"{number:016x}", "cd" * 8, "GET /", SpanKind.SERVER, 1, 2, "s"),
        attributes=attributes,
    )


def a_log(attributes, number=0):
    return LogRecord(number + 1, Severity.INFO, f"line {number}", "s", attributes=attributes)


def stored(records):
    """Return what a store keeps of records: attributes as they are read back."""
    rows = (span_rows if isinstance(records[0], SpanRecord) else log_rows).columns(records)
    read = {
        name: list(map(attribute_text.decode, rows[name])) for name in ("attributes", "resource")
    }
    return rows | read


def read_as_columns(records):
    """Return the columns of a request of spans, which say what spans read one by one say."""
    body = otlp.encode_spans(records)
    columns = otlp_columns.spans(body, LIMITS)
    assert isinstance(columns, SpanColumns)
    assert stored(columns) == stored(otlp.decode_spans(body))
    return columns


@settings(deadline=None)
@given(st.lists(spans, min_size=1, max_size=4))
def test_spans_read_as_columns_are_those_that_were_sent(records):
    columns = read_as_columns(records)
    assert stored(list(columns)) == stored(columns)


told = st.builds(
    replace,
    spans,
    trace_state=st.sampled_from(["", "shop=a:1,other=b"]),
    scope=st.builds(Scope, st.sampled_from(["", "http"]), st.sampled_from(["", "1.2"])),
    dropped=st.tuples(*[st.sampled_from([0, 1, 300])] * 3),
    remote_parent=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(told, min_size=1, max_size=4))
def test_what_is_said_in_fields_of_its_own_is_kept_among_the_attributes(records):
    columns = read_as_columns(records)
    # Spans of one scope stand together in a request.
    states = sorted(span.attributes.get(TRACE_STATE, "") for span in columns)
    assert states == sorted(record.trace_state for record in records)


@settings(deadline=None)
@given(st.lists(logs, min_size=1, max_size=4))
def test_log_records_read_as_columns_are_those_that_were_sent(records):
    body = otlp.encode_logs(records)
    columns = otlp_columns.logs(body, LIMITS)
    assert isinstance(columns, LogColumns)
    assert stored(columns) == stored(otlp.decode_logs(body))
    assert stored(list(columns)) == stored(columns)


@settings(deadline=None)
@given(alike)
def test_attributes_of_many_records_are_those_that_were_sent(found):
    for make, encode, kind in (
        (a_span, otlp.encode_spans, "spans"),
        (a_log, otlp.encode_logs, "logs"),
    ):
        read, decode, _ = READERS[kind]
        body = encode([make(each, number) for number, each in enumerate(found)])
        assert stored(read(body, LIMITS)) == stored(decode(body))


@settings(deadline=None)
@given(
    st.one_of(
        st.lists(kind, min_size=2 * FEWEST_ALIKE, max_size=MANY)
        for kind in (
            st.text(st.characters(codec="utf-8"), max_size=4),
            st.text("ab", max_size=200),
            st.integers(-(1 << 63), (1 << 63) - 1),
            st.integers(0, 3),
            st.floats(),
            st.booleans(),
        )
    )
)
def test_values_of_one_kind_are_those_that_were_sent(values):
    # Keys that begin and end alike and are of one length.
    names = ["http.request.one.in.bytes", "http.request.two.in.bytes"]
    found = [a_log({names[n % 2]: value, "same": "x"}, n) for n, value in enumerate(values)]
    body = otlp.encode_logs(found)
    columns = otlp_columns.logs(body, LIMITS)
    assert columns is not None
    assert stored(columns) == stored(otlp.decode_logs(body))


@settings(deadline=None)
@given(st.sampled_from(["spans", "logs"]), st.data())
def test_what_is_broken_is_left_to_those_who_tell_what_is_wrong(kind, data):
    read, decode, _ = READERS[kind]
    whole = otlp.encode_spans([SPAN, SPAN]) if kind == "spans" else otlp.encode_logs([LOG, LOG])
    body = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=3)):
        if place < len(body):
            body[place] = data.draw(st.integers(0, 255))
    columns = read(bytes(body), LIMITS)
    if columns is not None:
        assert stored(columns) == stored(decode(bytes(body)))


def test_a_request_of_an_official_sender_is_read_as_columns():
    for kind, record in (("spans", SPAN), ("logs", LOG)):
        read, decode, message = READERS[kind]
        encode = otlp.encode_spans if kind == "spans" else otlp.encode_logs
        body = message.FromString(encode([record] * MANY)).SerializeToString()
        assert list(read(body, LIMITS)) == decode(body) == [record] * MANY


def test_records_beyond_a_limit_are_left_to_those_who_tell_which():
    body = otlp.encode_logs([a_log({"a": "1", "b": "2"})] * MANY)
    assert otlp_columns.logs(body, AttributeLimits(count=1)) is None
    assert otlp_columns.logs(body, AttributeLimits(value_length=5)) is None
    found = otlp_columns.read_logs(body, otlp.PROTOBUF_CONTENT_TYPE, AttributeLimits(count=1))
    assert (len(found.records), len(found.excesses)) == (0, MANY)


def test_of_a_key_that_a_record_has_twice_the_last_value_counts():
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number in range(MANY):
        record = scope.log_records.add(time_unix_nano=1)
        for value in ("first", f"last {number}"):
            record.attributes.add(key="key").value.string_value = value
    body = request.SerializeToString()
    assert otlp_columns.logs(body, LIMITS) is None
    found = otlp_columns.read_logs(body, otlp.PROTOBUF_CONTENT_TYPE, LIMITS)
    assert [record.attributes for record in found.records] == [
        {"key": f"last {number}"} for number in range(MANY)
    ]


def test_an_event_has_its_name_among_its_attributes():
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for name in ("paid", ""):
        scope.log_records.add(time_unix_nano=1, event_name=name)
    own = scope.log_records.add(time_unix_nano=1, event_name="paid")
    own.attributes.add(key="event.name").value.string_value = "mine"
    columns = otlp_columns.logs(request.SerializeToString(), LIMITS)
    assert [dict(record.attributes) for record in columns] == [
        {"event.name": "paid"},
        {},
        {"event.name": "mine"},
    ]


def test_a_record_of_very_many_fields_is_read_by_itself():
    record = a_log({f"key {number}": number for number in range(MOST_FIELDS)})
    body = otlp.encode_logs([record])
    limits = AttributeLimits(count=MOST_FIELDS)
    assert otlp_columns.logs(body, limits) is None
    assert otlp.read_logs(body, otlp.PROTOBUF_CONTENT_TYPE, limits).records == [record]


def test_a_body_that_is_no_text_is_one_as_json():
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    scope.log_records.add(time_unix_nano=1).body.string_value = "text"
    scope.log_records.add(time_unix_nano=1).body.int_value = 7
    scope.log_records.add(time_unix_nano=1)
    columns = otlp_columns.logs(request.SerializeToString(), LIMITS)
    assert columns.message == ["text", "7", ""]


def test_rows_are_records_from_either_end_and_in_slices():
    columns = otlp_columns.logs(
        otlp.encode_logs([a_log({}, number) for number in range(3)]), LIMITS
    )
    assert columns[-1] == a_log({}, 2)
    assert columns[1:] == [a_log({}, 1), a_log({}, 2)]
    with pytest.raises(IndexError):
        columns[3]


def test_a_small_request_is_read_record_by_record():
    found = otlp_columns.read_logs(otlp.encode_logs([LOG]), otlp.PROTOBUF_CONTENT_TYPE, LIMITS)
    assert found.records == [LOG]
    with pytest.raises(DecodeError):
        otlp_columns.read_logs(b"\xff", otlp.PROTOBUF_CONTENT_TYPE, LIMITS)


def test_a_large_request_is_read_as_columns_unless_it_is_json():
    body = otlp.encode_logs([a_log({"a": "x" * 100})] * 200)
    found = otlp_columns.read_logs(body, otlp.PROTOBUF_CONTENT_TYPE, LIMITS)
    assert isinstance(found.records, LogColumns)
    with pytest.raises(DecodeError, match="JSON"):
        otlp_columns.read_logs(body, otlp.JSON_CONTENT_TYPE, LIMITS)


def test_a_large_request_that_is_broken_is_told_so():
    body = otlp.encode_spans([a_span({"a": "x" * 100})] * 200)
    with pytest.raises(DecodeError, match="wants"):
        otlp_columns.read_spans(body[:-1], otlp.PROTOBUF_CONTENT_TYPE, LIMITS)
