"""One OTLP log record, read from protobuf: the loop that every record goes through.

Source: opentelemetry-proto 1.x, logs.proto. The wire format is read in place, as in otlp_span.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.errors import DecodeError
from watchkeeper.model import Attributes, AttributeValue, LogRecord, Scope, Severity
from watchkeeper.wire import otlp_ids
from watchkeeper.wire.otlp_attributes import as_json, decode_value
from watchkeeper.wire.otlp_pair import known, read_pair
from watchkeeper.wire.protobuf import FIXED32, FIXED64, LENGTH, VARINT, key, read_varint
from watchkeeper.wire.record_making import maker

_TIME = key(1, FIXED64)
_SEVERITY = key(2, VARINT)
_BODY = key(5, LENGTH)
_ATTRIBUTE = key(6, LENGTH)
_TRACE_ID = key(9, LENGTH)
_SPAN_ID = key(10, LENGTH)
_OBSERVED = key(11, FIXED64)
_EVENT_NAME = key(12, LENGTH)

_STRING = key(1, LENGTH)
_FIRST_KEY = 8
_LEVELS = tuple(Severity)


def severity_of(number: int) -> Severity:
    """Return the level that a severity number belongs to (each has four); INFO if unset."""
    if not 1 <= number <= 24:
        return Severity.INFO
    return _LEVELS[(number - 1) // 4]


_make_log = maker(LogRecord)
_SEVERITIES = {number: severity_of(number) for number in range(25)}


def decode_log(  # noqa: C901 - one branch a field: calls would double the time of every record
    message: bytes, service: str, resource: Attributes, scope: Scope
) -> LogRecord:
    """Return the record of a LogRecord message; `timestamp_ns` is 0 if it says none.

    Raises DecodeError, or IndexError if the message ends early.
    """
    body = trace_id = span_id = event_name = b""
    time_ns = observed_ns = severity = 0
    attributes: dict[str, AttributeValue] = {}
    offset = 0
    end = len(message)
    while offset < end:
        field_key = message[offset]
        if field_key == _ATTRIBUTE and message[offset + 1] < 128:
            start = offset + 2
            offset = start + message[offset + 1]
            content = message[start:offset]
            attribute, value = known(content) or read_pair(content)
            attributes[attribute] = value
            continue
        offset += 1
        if field_key > 127:
            field_key, offset = read_varint(message, offset - 1)
        wire_type = field_key & 7
        if wire_type == LENGTH:
            size = message[offset]
            if size > 127:
                size, start = read_varint(message, offset)
            else:
                start = offset + 1
            offset = start + size
            content = message[start:offset]
            if field_key == _ATTRIBUTE:
                attribute, value = read_pair(content)
                attributes[attribute] = value
            elif field_key == _BODY:
                body = content
            elif field_key == _TRACE_ID:
                trace_id = content
            elif field_key == _SPAN_ID:
                span_id = content
            elif field_key == _EVENT_NAME:
                event_name = content
        elif wire_type == FIXED64:
            offset += 8
            if field_key == _TIME:
                time_ns = int.from_bytes(message[offset - 8 : offset], "little")
            elif field_key == _OBSERVED:
                observed_ns = int.from_bytes(message[offset - 8 : offset], "little")
        elif wire_type == VARINT:
            number, offset = read_varint(message, offset)
            if field_key == _SEVERITY:
                severity = number
        elif wire_type == FIXED32:
            offset += 4
        else:
            raise DecodeError(f"OTLP: a log record has wire type {wire_type} before byte {offset}")
        if field_key < _FIRST_KEY:
            raise DecodeError(f"OTLP: a log record has field number 0 before byte {offset}")
    if offset != end:
        raise DecodeError(f"OTLP: a log record of {end} bytes ends inside a field")
    if event_name:
        attributes.setdefault("event.name", event_name.decode())
    return _make_log(
        time_ns or observed_ns,
        _SEVERITIES.get(severity, Severity.INFO),
        read_body(body),
        service,
        scope.name,
        otlp_ids.trace_id(trace_id) if trace_id else "",
        otlp_ids.span_id(span_id) if span_id else "",
        attributes,
        resource,
    )


def read_body(message: bytes) -> str:
    """Return the body of a record, an AnyValue, as the message it is."""
    if len(message) > 1 and message[0] == _STRING:
        if message[1] < 128:
            size, start = message[1], 2
        else:
            size, start = read_varint(message, 1)
        if start + size == len(message):
            return message[start:].decode()
    return body_text(decode_value(message))


def body_text(value: Any) -> str:
    """Return a log body as the message it is: text as it stands, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else as_json(value)
