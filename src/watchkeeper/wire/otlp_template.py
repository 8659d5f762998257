"""Spans and log records that are alike, in OTLP's protobuf: what they share is encoded once.

    SpanTemplate(name, kind, status, attributes).encode(...) -> one Span message
    LogTemplate(severity, message, attributes).encode(...) -> one LogRecord message

Attributes that vary are handed over encoded, by `SPAN_TEXT(name)`, `LOG_TEXT(name)` and
`log_number(name)`: functions that know their attribute's name already. The messages say the same
as those of otlp_encode, in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from watchkeeper.model import Attributes, Severity, SpanKind, StatusCode
from watchkeeper.wire.otlp_attributes import encode_attributes, encode_text, encode_value
from watchkeeper.wire.protobuf import (
    FIXED64,
    LENGTH,
    VARINT,
    delimited,
    pack_double,
    tag,
    varint,
)

EncodeText = Callable[[str], bytes]
EncodeNumber = Callable[[float], bytes]

_SPAN_ATTRIBUTE = tag(9, LENGTH)
_LOG_ATTRIBUTE = tag(6, LENGTH)

_TRACE_ID = tag(1, LENGTH) + varint(16)
_SPAN_ID = tag(2, LENGTH) + varint(8)
_PARENT_ID = tag(4, LENGTH) + varint(8)
_START = tag(7, FIXED64)
_END = tag(8, FIXED64)

_TIME = tag(1, FIXED64)
_OBSERVED = tag(11, FIXED64)
_LOG_TRACE_ID = tag(9, LENGTH) + varint(16)
_LOG_SPAN_ID = tag(10, LENGTH) + varint(8)

_PLAIN_BYTES = 128
"""Below this a length fits one byte."""


class SpanTemplate:
    """Spans that differ in their ids, times and a few attributes."""

    __slots__ = ("_named", "_pack", "_rest")

    def __init__(
        self, name: str, kind: SpanKind, status: StatusCode, attributes: Attributes
    ) -> None:
        named = delimited(tag(5, LENGTH), encode_text(name)) + tag(6, VARINT) + varint(kind)
        self._named = named + _START
        self._rest = encode_attributes(_SPAN_ATTRIBUTE, attributes)
        if status is not StatusCode.UNSET:
            self._rest += delimited(tag(15, LENGTH), tag(3, VARINT) + varint(status))
        self._pack = Struct(f"<2s16s2s8s{len(self._named)}sQ1sQ{len(self._rest)}s").pack

    def encode(
        self,
        trace_id: bytes,
        span_id: bytes,
        parent_span_id: bytes,
        start_ns: int,
        end_ns: int,
        attributes: bytes,
    ) -> bytes:
        """Return a Span message. `parent_span_id` is empty at a trace's root."""
        if parent_span_id:
            attributes += _PARENT_ID + parent_span_id
        packed = self._pack(
            _TRACE_ID, trace_id, _SPAN_ID, span_id, self._named, start_ns, _END, end_ns, self._rest
        )
        return packed + attributes


class LogTemplate:
    """Log records that differ in their time, ids and a few attributes."""

    __slots__ = ("_fixed", "_pack")

    def __init__(self, severity: Severity, message: str, attributes: Attributes) -> None:
        self._fixed = b"".join(
            (
                tag(2, VARINT) + varint(severity),
                delimited(tag(3, LENGTH), severity.name.encode()),
                delimited(tag(5, LENGTH), encode_value(message)),
                encode_attributes(_LOG_ATTRIBUTE, attributes),
                _LOG_TRACE_ID,
            )
        )
        self._pack = Struct(f"<1sQ1sQ{len(self._fixed)}s16s2s8s").pack

    def encode(
        self, timestamp_ns: int, trace_id: bytes, span_id: bytes, attributes: bytes
    ) -> bytes:
        """Return a LogRecord message."""
        packed = self._pack(
            _TIME,
            timestamp_ns,
            _OBSERVED,
            timestamp_ns,
            self._fixed,
            trace_id,
            _LOG_SPAN_ID,
            span_id,
        )
        return packed + attributes


def span_text(name: str) -> EncodeText:
    """Return what encodes a text attribute of spans."""
    return _text(_SPAN_ATTRIBUTE, name)


def log_text(name: str) -> EncodeText:
    """Return what encodes a text attribute of log records."""
    return _text(_LOG_ATTRIBUTE, name)


def log_number(name: str) -> EncodeNumber:
    """Return what encodes a float attribute of log records."""
    whole = encode_attributes(_LOG_ATTRIBUTE, {name: 0.0})
    head = whole[: -len(pack_double(0.0))]
    return lambda value: head + pack_double(value)


def _text(tag_bytes: bytes, name: str) -> EncodeText:
    heads = tuple(_text_heads(tag_bytes, encode_text(name)))

    def encode(value: str) -> bytes:
        text = encode_text(value)
        if len(text) < len(heads):
            return heads[len(text)] + text
        return encode_attributes(tag_bytes, {name: value})

    return encode


def _text_heads(tag_bytes: bytes, name: bytes) -> list[bytes]:
    """Return what stands before a value of 0, 1, 2 ... bytes, while all lengths fit one byte."""
    heads = []
    key = delimited(tag(1, LENGTH), name)
    for size in range(_PLAIN_BYTES):
        value = tag(2, LENGTH) + varint(size + 2) + tag(1, LENGTH) + varint(size)
        if len(key) + len(value) + size >= _PLAIN_BYTES:
            break
        heads.append(tag_bytes + varint(len(key) + len(value) + size) + key + value)
    return heads
