"""OTLP/JSON, rewritten as the protobuf that it stands for, so that one decoder reads both.

Source: opentelemetry-proto 1.x and "OTLP/HTTP, JSON Protobuf Encoding": ids are hex, 64-bit
numbers may be text, unknown keys are passed over.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import orjson

from watchkeeper.errors import DecodeError
from watchkeeper.wire.protobuf import (
    FIXED64,
    LENGTH,
    VARINT,
    delimited,
    pack_double,
    tag,
    varint,
)

Write = Callable[[int, Any], bytes]
Shape = dict[str, tuple[int, Any]]

_DEEPEST = 32


def _text(field: int, value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return delimited(tag(field, LENGTH), value.encode())


def _hex(field: int, value: Any) -> bytes:
    return delimited(tag(field, LENGTH), bytes.fromhex(value))


def _base64(field: int, value: Any) -> bytes:
    return delimited(tag(field, LENGTH), b64decode(value, validate=True))


def _integer(field: int, value: Any) -> bytes:
    return tag(field, VARINT) + varint(_within(value, -(1 << 63), 1 << 64))


def _zigzag(field: int, value: Any) -> bytes:
    number = _within(value, -(1 << 31), 1 << 31)
    return tag(field, VARINT) + varint(number << 1 ^ number >> 31)


def _bool(field: int, value: Any) -> bytes:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {value!r}")
    return tag(field, VARINT) + varint(value)


def _fixed(field: int, value: Any) -> bytes:
    return tag(field, FIXED64) + struct.pack("<Q", _within(value, 0, 1 << 64))


def _signed(field: int, value: Any) -> bytes:
    return tag(field, FIXED64) + struct.pack("<q", _within(value, -(1 << 63), 1 << 63))


def _double(field: int, value: Any) -> bytes:
    return tag(field, FIXED64) + pack_double(float(value))


def _within(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"expected a whole number, got {value!r}")
    number = int(value)
    if not low <= number < high:
        raise ValueError(f"{number} is out of range")
    return number


def _enumeration(prefix: str, *names: str) -> Write:
    numbers = {prefix + name: number for number, name in enumerate(names)}

    def write(field: int, value: Any) -> bytes:
        return _integer(field, numbers.get(value, value) if isinstance(value, str) else value)

    return write


_VALUE: Shape = {
    "stringValue": (1, _text),
    "boolValue": (2, _bool),
    "intValue": (3, _integer),
    "doubleValue": (4, _double),
    "bytesValue": (7, _base64),
}
_ATTRIBUTE: Shape = {"key": (1, _text), "value": (2, _VALUE)}
_VALUE["arrayValue"] = (5, {"values": (1, _VALUE)})
_VALUE["kvlistValue"] = (6, {"values": (1, _ATTRIBUTE)})
_RESOURCE: Shape = {"attributes": (1, _ATTRIBUTE)}
_SCOPE: Shape = {"name": (1, _text), "version": (2, _text)}
_DROPPED = "droppedAttributesCount"

_KIND = _enumeration(
    "SPAN_KIND_", "UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"
)
_SPAN: Shape = {
    "traceId": (1, _hex),
    "spanId": (2, _hex),
    "traceState": (3, _text),
    "parentSpanId": (4, _hex),
    "name": (5, _text),
    "kind": (6, _KIND),
    "startTimeUnixNano": (7, _fixed),
    "endTimeUnixNano": (8, _fixed),
    "attributes": (9, _ATTRIBUTE),
    _DROPPED: (10, _integer),
    "events": (
        11,
        {
            "timeUnixNano": (1, _fixed),
            "name": (2, _text),
            "attributes": (3, _ATTRIBUTE),
            _DROPPED: (4, _integer),
        },
    ),
    "droppedEventsCount": (12, _integer),
    "links": (
        13,
        {
            "traceId": (1, _hex),
            "spanId": (2, _hex),
            "traceState": (3, _text),
            "attributes": (4, _ATTRIBUTE),
            _DROPPED: (5, _integer),
        },
    ),
    "droppedLinksCount": (14, _integer),
    "status": (
        15,
        {
            "message": (2, _text),
            "code": (3, _enumeration("STATUS_CODE_", "UNSET", "OK", "ERROR")),
        },
    ),
}
_LOG: Shape = {
    "timeUnixNano": (1, _fixed),
    "severityNumber": (2, _integer),
    "severityText": (3, _text),
    "body": (5, _VALUE),
    "attributes": (6, _ATTRIBUTE),
    "traceId": (9, _hex),
    "spanId": (10, _hex),
    "observedTimeUnixNano": (11, _fixed),
    "eventName": (12, _text),
}
_EXEMPLAR: Shape = {
    "timeUnixNano": (2, _fixed),
    "asDouble": (3, _double),
    "spanId": (4, _hex),
    "traceId": (5, _hex),
    "asInt": (6, _signed),
    "filteredAttributes": (7, _ATTRIBUTE),
}
_POINT: Shape = {"startTimeUnixNano": (2, _fixed), "timeUnixNano": (3, _fixed)}
_NUMBER: Shape = _POINT | {
    "asDouble": (4, _double),
    "exemplars": (5, _EXEMPLAR),
    "asInt": (6, _signed),
    "attributes": (7, _ATTRIBUTE),
    "flags": (8, _integer),
}
_HISTOGRAM: Shape = _POINT | {
    "count": (4, _fixed),
    "sum": (5, _double),
    "bucketCounts": (6, _fixed),
    "explicitBounds": (7, _double),
    "exemplars": (8, _EXEMPLAR),
    "attributes": (9, _ATTRIBUTE),
    "flags": (10, _integer),
}
_SUMMARY: Shape = _POINT | {
    "count": (4, _fixed),
    "sum": (5, _double),
    "quantileValues": (6, {"quantile": (1, _double), "value": (2, _double)}),
    "attributes": (7, _ATTRIBUTE),
    "flags": (8, _integer),
}
_BUCKETS: Shape = {"offset": (1, _zigzag), "bucketCounts": (2, _integer)}
_EXPONENTIAL: Shape = _POINT | {
    "attributes": (1, _ATTRIBUTE),
    "count": (4, _fixed),
    "sum": (5, _double),
    "scale": (6, _zigzag),
    "zeroCount": (7, _fixed),
    "positive": (8, _BUCKETS),
    "negative": (9, _BUCKETS),
    "flags": (10, _integer),
    "exemplars": (11, _EXEMPLAR),
    "zeroThreshold": (14, _double),
}
_TEMPORALITY = _enumeration("AGGREGATION_TEMPORALITY_", "UNSPECIFIED", "DELTA", "CUMULATIVE")
_TEMPORAL: Shape = {"aggregationTemporality": (2, _TEMPORALITY), "isMonotonic": (3, _bool)}
_METRIC: Shape = {
    "name": (1, _text),
    "description": (2, _text),
    "unit": (3, _text),
    "gauge": (5, {"dataPoints": (1, _NUMBER)}),
    "sum": (7, _TEMPORAL | {"dataPoints": (1, _NUMBER)}),
    "histogram": (9, _TEMPORAL | {"dataPoints": (1, _HISTOGRAM)}),
    "exponentialHistogram": (10, _TEMPORAL | {"dataPoints": (1, _EXPONENTIAL)}),
    "summary": (11, {"dataPoints": (1, _SUMMARY)}),
}


def _request(groups: str, scopes: str, records: str, record: Shape) -> Shape:
    scope_group: Shape = {"scope": (1, _SCOPE), records: (2, record)}
    return {groups: (1, {"resource": (1, _RESOURCE), scopes: (2, scope_group)})}


TRACES = _request("resourceSpans", "scopeSpans", "spans", _SPAN)
LOGS = _request("resourceLogs", "scopeLogs", "logRecords", _LOG)
METRICS = _request("resourceMetrics", "scopeMetrics", "metrics", _METRIC)


def to_protobuf(body: bytes, shape: Shape) -> bytes:
    """Return the protobuf of a JSON request: TRACES, LOGS or METRICS. Raises DecodeError."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"OTLP: the body is not JSON: {error}") from None
    return _message(document, shape, "$", 0)


def _message(document: Any, shape: Shape, where: str, depth: int) -> bytes:
    if not isinstance(document, dict):
        raise DecodeError(f"OTLP: {where} is not an object")
    if depth > _DEEPEST:
        raise DecodeError(f"OTLP: {where[:80]}... is nested more than {_DEEPEST} levels deep")
    parts: list[bytes] = []
    for name, content in document.items():
        known = shape.get(name)
        if known is None or content is None:
            continue
        number, kind = known
        items = content if isinstance(content, list) else [content]
        parts += [_field(number, kind, item, f"{where}.{name}", depth) for item in items]
    return b"".join(parts)


def _field(number: int, kind: Any, value: Any, where: str, depth: int) -> bytes:
    if isinstance(kind, dict):
        return delimited(tag(number, LENGTH), _message(value, kind, where, depth + 1))
    try:
        return bytes(kind(number, value))
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise DecodeError(f"OTLP: {where}: {error}") from None
