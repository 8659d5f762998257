"""OTLP export requests of spans and logs, read from protobuf.

Source: opentelemetry-proto 1.x. Unknown fields are passed over; ids of the wrong length, text
that is not UTF-8 and broken framing are DecodeErrors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.errors import DecodeError
from watchkeeper.model import (
    Attributes,
    AttributeValue,
    LogRecord,
    Severity,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
    StatusCode,
)
from watchkeeper.wire import protobuf
from watchkeeper.wire.message import Message
from watchkeeper.wire.otlp_attributes import as_json, decode_attributes, decode_value
from watchkeeper.wire.protobuf import LENGTH, key, read_fields

SERVICE_NAME = "service.name"
UNKNOWN_SERVICE = "unknown_service"
_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8

_RESOURCE_GROUP = key(1, LENGTH)
_RESOURCE = key(1, LENGTH)
_SCOPE_GROUP = key(2, LENGTH)
_SCOPE = key(1, LENGTH)
_RECORD = key(2, LENGTH)
_NAME = key(1, LENGTH)

_KINDS = {kind.value: kind for kind in SpanKind}
_STATUSES = {status.value: status for status in StatusCode}
_LEVELS = tuple(Severity)


def severity_of(number: int) -> Severity:
    """Return the level that a severity number belongs to (each has four); INFO if unset."""
    if not 1 <= number <= 24:
        return Severity.INFO
    return _LEVELS[(number - 1) // 4]


def split_service(resource: dict[str, AttributeValue]) -> tuple[str, Attributes]:
    """Return the service's name and the other attributes of a resource."""
    service = resource.pop(SERVICE_NAME, "")
    return str(service) or UNKNOWN_SERVICE, resource


def checked_id(value: bytes, size: int, what: str) -> str:
    """Return an id as lower-case hex. Raises DecodeError unless it has `size` bytes."""
    if len(value) != size:
        raise DecodeError(f"OTLP: a {what} has {len(value)} bytes, not {size}")
    return value.hex()


def decode_spans(body: bytes) -> list[SpanRecord]:
    """Return the spans of an ExportTraceServiceRequest."""
    return [
        _decode_span(message, service, resource, scope)
        for service, resource, scope, message in records_of(body)
    ]


def decode_logs(body: bytes) -> list[LogRecord]:
    """Return the records of an ExportLogsServiceRequest."""
    return [
        _decode_log(message, service, resource, scope)
        for service, resource, scope, message in records_of(body)
    ]


def records_of(body: bytes) -> Iterator[tuple[str, Attributes, str, bytes]]:
    """Yield (service, resource, scope name, message) of every record in a request."""
    for field_key, group in read_fields(body):
        if field_key != _RESOURCE_GROUP:
            continue
        parts = read_fields(group)
        attributes: dict[str, AttributeValue] = {}
        for part_key, content in parts:
            if part_key == _RESOURCE:
                attributes = decode_attributes(_repeated(content, key(1, LENGTH)))
        service, resource = split_service(attributes)
        for part_key, content in parts:
            if part_key == _SCOPE_GROUP:
                members = read_fields(content)
                scope = _scope_name(members)
                for member_key, message in members:
                    if member_key == _RECORD:
                        yield service, resource, scope, message


def _scope_name(members: list[tuple[int, Any]]) -> str:
    for member_key, content in members:
        if member_key == _SCOPE:
            for field_key, name in read_fields(content):
                if field_key == _NAME:
                    return protobuf.text(name)
    return ""


def _repeated(message: bytes, wanted: int) -> list[bytes]:
    return [content for field_key, content in read_fields(message) if field_key == wanted]


def _decode_span(message: bytes, service: str, resource: Attributes, scope: str) -> SpanRecord:
    fields = Message(message, (9, 11, 13))
    parent = fields.content(4)
    status = fields.content(15)
    code, description = _decode_status(status) if status else (StatusCode.UNSET, "")
    return SpanRecord(
        trace_id=checked_id(fields.content(1), _TRACE_ID_BYTES, "trace id"),
        span_id=checked_id(fields.content(2), _SPAN_ID_BYTES, "span id"),
        parent_span_id=checked_id(parent, _SPAN_ID_BYTES, "parent span id") if parent else "",
        name=fields.text(5),
        kind=_KINDS.get(fields.number(6), SpanKind.UNSPECIFIED),
        start_ns=fields.time(7),
        end_ns=fields.time(8),
        service=service,
        status=code,
        status_message=description,
        attributes=decode_attributes(fields.repeated(9)),
        events=tuple([_decode_event(event) for event in fields.repeated(11)]),
        links=tuple([_decode_link(link) for link in fields.repeated(13)]),
        resource=resource,
        scope=scope,
    )


def _decode_status(message: bytes) -> tuple[StatusCode, str]:
    fields = Message(message, ())
    return _STATUSES.get(fields.number(3), StatusCode.UNSET), fields.text(2)


def _decode_event(message: bytes) -> SpanEvent:
    fields = Message(message, (3,))
    return SpanEvent(fields.text(2), fields.time(1), decode_attributes(fields.repeated(3)))


def _decode_link(message: bytes) -> SpanLink:
    fields = Message(message, (4,))
    return SpanLink(
        checked_id(fields.content(1), _TRACE_ID_BYTES, "link's trace id"),
        checked_id(fields.content(2), _SPAN_ID_BYTES, "link's span id"),
        decode_attributes(fields.repeated(4)),
    )


def _decode_log(message: bytes, service: str, resource: Attributes, scope: str) -> LogRecord:
    fields = Message(message, (6,))
    trace_id, span_id = fields.content(9), fields.content(10)
    attributes = decode_attributes(fields.repeated(6))
    event_name = fields.text(12)
    if event_name:
        attributes.setdefault("event.name", event_name)
    return LogRecord(
        timestamp_ns=fields.time(1) or fields.time(11),
        severity=severity_of(fields.number(2)),
        message=body_text(decode_value(fields.content(5))),
        service=service,
        logger=scope,
        trace_id=checked_id(trace_id, _TRACE_ID_BYTES, "trace id") if trace_id else "",
        span_id=checked_id(span_id, _SPAN_ID_BYTES, "span id") if span_id else "",
        attributes=attributes,
        resource=resource,
    )


def body_text(value: Any) -> str:
    """Return a log body as the message it is: text as it stands, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else as_json(value)
