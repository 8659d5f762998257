"""Spans and logs as OTLP export requests, in protobuf built by hand.

Source: opentelemetry-proto 1.x, trace.proto and logs.proto. Ids must be proper hex: records
are trusted, they were made inside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from struct import Struct
from typing import TypeVar

from watchkeeper.model import (
    Attributes,
    LogRecord,
    Scope,
    Severity,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
    StatusCode,
)
from watchkeeper.wire.otlp_attributes import encode_attributes, encode_text, encode_value
from watchkeeper.wire.protobuf import (
    FIXED32,
    FIXED64,
    LENGTH,
    VARINT,
    delimited,
    pack_fixed64,
    tag,
    varint,
)

Record = TypeVar("Record", SpanRecord, LogRecord)

Messages = Mapping[str | Scope, Sequence[bytes]]
"""Spans or LogRecords as fields of their scopes, by these, or their names if that is all."""

_FIELD = tuple(tag(number, LENGTH) if number else b"" for number in range(17))
_TRACE_ID = _FIELD[1] + varint(16)
_SPAN_ID = _FIELD[2] + varint(8)
_PARENT_ID = _FIELD[4] + varint(8)
_REMEMBERED_MESSAGES = 1024
HEADS = tuple([_FIELD[2] + varint(size) for size in range(2048)])
"""What stands before a span or log record within its scope, by its size."""

_DROPPED = (tag(10, VARINT), tag(12, VARINT), tag(14, VARINT))
"""Of attributes, events and links."""

_EVENT_DROPPED = tag(4, VARINT)
_LINK_DROPPED = tag(5, VARINT)
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200


def _flags(number: int, *values: int) -> tuple[bytes, ...]:
    """Return a field of flags, by its number, for each of some values."""
    return tuple([tag(number, FIXED32) + value.to_bytes(4, "little") for value in values])


LOCAL_PARENT, REMOTE_PARENT = _flags(16, _HAS_IS_REMOTE, _HAS_IS_REMOTE | _IS_REMOTE)
"""A span's flags, by whether its parent is of another process; it may have none. The SDK sends no
more of them, not whether the span is sampled: it is, or it would not be sent."""

_LOCAL_LINK, _REMOTE_LINK = _flags(6, _HAS_IS_REMOTE, _HAS_IS_REMOTE | _IS_REMOTE)

_KINDS = tuple([tag(6, VARINT) + varint(kind) for kind in range(max(SpanKind) + 1)])
_START = tag(7, FIXED64)
_END = tag(8, FIXED64)
_pack_span = Struct("<2s16s2s8s1sQ1sQ").pack
_STATUS_CODE = tag(3, VARINT)
_TIME = tag(1, FIXED64)
LOG_FLAGS = _flags(8, 0, 1)
"""A log record's flags, W3C's sampled bit alone, by whether its span is sampled."""

_SEVERITY = tag(2, VARINT)
_SEVERITY_TEXTS = {Severity.WARNING: "WARN", Severity.CRITICAL: "FATAL"}
"""Levels that Python calls otherwise than OpenTelemetry does (its data model of logs)."""
_OBSERVED = tag(11, FIXED64)
_LOG_TRACE_ID = _FIELD[9] + varint(16)
_LOG_SPAN_ID = _FIELD[10] + varint(8)


def encode_spans(spans: Sequence[SpanRecord]) -> bytes:
    """Return an ExportTraceServiceRequest. `service` is written as `service.name`."""
    return _encode_request(spans, lambda span: span.scope, encode_span)


def encode_logs(records: Sequence[LogRecord]) -> bytes:
    """Return an ExportLogsServiceRequest. `logger` is written as the scope's name."""
    return _encode_request(records, lambda record: record.logger, encode_log)


def framed(message: bytes) -> bytes:
    """Return a Span or LogRecord message as a field of its scope."""
    size = len(message)
    return (HEADS[size] if size < len(HEADS) else _FIELD[2] + varint(size)) + message


def encode_span(span: SpanRecord) -> bytes:
    """Return one span, as a field of its scope."""
    parts = [
        _pack_span(
            _TRACE_ID,
            bytes.fromhex(span.trace_id),
            _SPAN_ID,
            bytes.fromhex(span.span_id),
            _START,
            span.start_ns,
            _END,
            span.end_ns,
        ),
        _name(span.name),
        _KINDS[span.kind],
        REMOTE_PARENT if span.remote_parent else LOCAL_PARENT,
        encode_attributes(_FIELD[9], span.attributes),
    ]
    if span.parent_span_id:
        parts.append(_PARENT_ID + bytes.fromhex(span.parent_span_id))
    if span.trace_state:
        parts.append(delimited(_FIELD[3], encode_text(span.trace_state)))
    if span.events:
        parts += [delimited(_FIELD[11], _encode_event(event)) for event in span.events]
    if span.links:
        parts += [delimited(_FIELD[13], _encode_link(link)) for link in span.links]
    if span.status is not StatusCode.UNSET or span.status_message:
        parts.append(delimited(_FIELD[15], _encode_status(span)))
    if any(span.dropped):
        parts += [
            number + varint(count)
            for number, count in zip(_DROPPED, span.dropped, strict=True)
            if count
        ]
    return framed(b"".join(parts))


def encode_log(record: LogRecord) -> bytes:
    """Return one log record, as a field of its scope."""
    time = pack_fixed64(record.timestamp_ns)
    parts = [
        _TIME,
        time,
        _OBSERVED,
        time,
        encode_severity(record.severity),
        _body(record.message),
        encode_attributes(_FIELD[6], record.attributes),
    ]
    if record.trace_id:
        parts.append(_LOG_TRACE_ID + bytes.fromhex(record.trace_id))
    if record.span_id:
        parts.append(_LOG_SPAN_ID + bytes.fromhex(record.span_id))
    if record.sampled:
        parts.append(LOG_FLAGS[True])
    return framed(b"".join(parts))


@cache
def encode_severity(severity: Severity) -> bytes:
    """Return a log record's fields that tell its level, by number and by OpenTelemetry's name."""
    name = _SEVERITY_TEXTS.get(severity, severity.name)
    return _SEVERITY + varint(severity) + delimited(_FIELD[3], name.encode())


@lru_cache(maxsize=_REMEMBERED_MESSAGES)
def _name(name: str) -> bytes:
    return delimited(_FIELD[5], encode_text(name))


@lru_cache(maxsize=_REMEMBERED_MESSAGES)
def _body(message: str) -> bytes:
    return delimited(_FIELD[5], encode_value(message))


def _encode_event(event: SpanEvent) -> bytes:
    name = delimited(_FIELD[2], encode_text(event.name))
    attributes = encode_attributes(_FIELD[3], event.attributes)
    dropped = _EVENT_DROPPED + varint(event.dropped_attributes) if event.dropped_attributes else b""
    return _TIME + pack_fixed64(event.timestamp_ns) + name + attributes + dropped


def _encode_link(link: SpanLink) -> bytes:
    ids = _TRACE_ID + bytes.fromhex(link.trace_id) + _SPAN_ID + bytes.fromhex(link.span_id)
    parts = [ids, encode_attributes(_FIELD[4], link.attributes)]
    if link.trace_state:
        parts.append(delimited(_FIELD[3], encode_text(link.trace_state)))
    if link.dropped_attributes:
        parts.append(_LINK_DROPPED + varint(link.dropped_attributes))
    parts.append(_REMOTE_LINK if link.remote else _LOCAL_LINK)
    return b"".join(parts)


def _encode_status(span: SpanRecord) -> bytes:
    code = _STATUS_CODE + varint(span.status)
    if span.status_message:
        return delimited(_FIELD[2], encode_text(span.status_message)) + code
    return code


def encode_request(service: str, resource: Attributes, messages: Messages) -> bytes:
    """Return the export request of one resource's messages: all of spans, or all of logs."""
    attributes = encode_attributes(_FIELD[1], {**resource, "service.name": service})
    # Joined once: a request is large, and to copy it at every level takes longer than all else.
    parts = [delimited(_FIELD[1], attributes)]
    size = len(parts[0])
    for scope, members in messages.items():
        said = _encode_scope(scope if isinstance(scope, Scope) else Scope(scope))
        inner = len(said) + sum(map(len, members))
        head = _FIELD[2] + varint(inner) + said
        size += len(head) - len(said) + inner
        parts.append(head)
        parts += members
    parts.insert(0, _FIELD[1] + varint(size))
    return b"".join(parts)


def _encode_scope(scope: Scope) -> bytes:
    """Return what a group of records says of its scope."""
    said = delimited(_FIELD[1], encode_text(scope.name))
    if scope.version:
        said += delimited(_FIELD[2], encode_text(scope.version))
    said += encode_attributes(_FIELD[3], dict(scope.attributes))
    head = delimited(_FIELD[1], said)
    return head + delimited(_FIELD[3], encode_text(scope.schema_url)) if scope.schema_url else head


def _encode_request(
    records: Sequence[Record],
    scope_of: Callable[[Record], str | Scope],
    encode: Callable[[Record], bytes],
) -> bytes:
    resources: dict[tuple[str, int], tuple[Attributes, defaultdict[str | Scope, list[bytes]]]] = {}
    for record in records:
        # Records of one process share one resource object: its identity spares the comparison.
        identity = (record.service, id(record.resource))
        known = resources.setdefault(identity, (record.resource, defaultdict(list)))
        known[1][scope_of(record)].append(encode(record))
    return b"".join(
        [
            encode_request(service, resource, messages)
            for (service, _), (resource, messages) in resources.items()
        ]
    )
