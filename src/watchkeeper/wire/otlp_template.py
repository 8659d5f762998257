"""Spans and log records that are alike, in OTLP's protobuf: what they share is encoded once.

    SpanTemplate(name, kind, status, attributes, varying).encode(...) -> one span
    LogTemplate(severity, message, attributes, varying, measured).encode(...) -> one log record
    LineTemplate(severity, message).encode(...) -> one log record, with any attributes

What varies from one to the next is ids, times, the text of one attribute and, in a log record, a
number. Attributes beyond these are handed over encoded, by what `span_text(name)` and
`log_text(name)` return. The messages say the same as those of otlp_encode, in another order; each
is a field of its scope.

One `pack` and one `join` make a message.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import Struct

from watchkeeper.model import Attributes, Severity, SpanKind, StatusCode
from watchkeeper.wire.otlp_attributes import encode_attributes, encode_text, encode_value
from watchkeeper.wire.otlp_encode import (
    HEADS,
    LOCAL_PARENT,
    LOG_FLAGS,
    REMOTE_PARENT,
    encode_severity,
    framed,
)
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

_SPAN_ATTRIBUTE = tag(9, LENGTH)
_LOG_ATTRIBUTE = tag(6, LENGTH)

_TRACE_ID = tag(1, LENGTH) + varint(16)
_SPAN_ID = tag(2, LENGTH) + varint(8)
_REMOTE_PARENT = REMOTE_PARENT + tag(4, LENGTH) + varint(8)
NO_PARENT = LOCAL_PARENT
"""What a span says in place of a parent."""
_START = tag(7, FIXED64)
_END = tag(8, FIXED64)

_TIME = tag(1, FIXED64)
_OBSERVED = tag(11, FIXED64)
_LOG_TRACE_ID = tag(9, LENGTH) + varint(16)
_LOG_SPAN_ID = tag(10, LENGTH) + varint(8)

_COMMON = len(HEADS)
_COMMON_TEXT = 256


class _Template:
    """What is common to both: a part of fixed size, a text that varies, attributes that may."""

    __slots__ = ("_pack", "_size", "_text_heads", "_text_tag")

    def __init__(self, layout: Struct, text_tag: bytes, varying: str) -> None:
        self._pack = layout.pack
        self._size = layout.size
        self._text_tag = (text_tag, varying)
        self._text_heads = _text_heads(text_tag, varying)

    def _joined(self, packed: bytes, text: bytes, attributes: bytes) -> bytes:
        length = len(text)
        heads = self._text_heads
        if length < len(heads):
            head = heads[length]
            size = self._size + len(head) + length + len(attributes)
            if size < _COMMON:
                return b"".join((HEADS[size], packed, head, text, attributes))
        return framed(packed + _text_head(*self._text_tag, length) + text + attributes)


class SpanTemplate(_Template):
    """Spans that differ in their ids, times, the text of `varying`, and a few attributes."""

    __slots__ = ("_named", "_rest")

    def __init__(
        self,
        name: str,
        kind: SpanKind,
        status: StatusCode,
        attributes: Attributes,
        varying: str,
    ) -> None:
        named = delimited(tag(5, LENGTH), encode_text(name)) + tag(6, VARINT) + varint(kind)
        self._named = named + _START
        self._rest = encode_attributes(_SPAN_ATTRIBUTE, attributes)
        if status is not StatusCode.UNSET:
            self._rest += delimited(tag(15, LENGTH), tag(3, VARINT) + varint(status))
        layout = Struct(f"<2s16s2s8s{len(self._named)}sQ1sQ{len(self._rest)}s")
        super().__init__(layout, _SPAN_ATTRIBUTE, varying)

    def encode(
        self,
        trace_id: bytes,
        span_id: bytes,
        start_ns: int,
        end_ns: int,
        text: bytes,
        attributes: bytes,
    ) -> bytes:
        """Return a span. `text` (UTF-8) is the varying attribute's."""
        pack = self._pack
        packed = pack(
            _TRACE_ID, trace_id, _SPAN_ID, span_id, self._named, start_ns, _END, end_ns, self._rest
        )
        return self._joined(packed, text, attributes)


class LogTemplate(_Template):
    """Log records that differ in their time, ids, the text of `varying`, the float `measured`,
    and a few attributes."""

    __slots__ = ("_fixed", "_measured")

    def __init__(
        self,
        severity: Severity,
        message: str,
        attributes: Attributes,
        varying: str,
        measured: str,
    ) -> None:
        self._fixed = b"".join(
            (
                _severity_and_body(severity, message),
                encode_attributes(_LOG_ATTRIBUTE, attributes),
                _LOG_TRACE_ID,
            )
        )
        number = encode_attributes(_LOG_ATTRIBUTE, {measured: 0.0})
        self._measured = number[: -len(pack_double(0.0))]
        layout = Struct(f"<1sQ1sQ{len(self._fixed)}s16s2s8s5s{len(self._measured)}sd")
        super().__init__(layout, _LOG_ATTRIBUTE, varying)

    def encode(
        self,
        timestamp_ns: int,
        trace_id: bytes,
        span_id: bytes,
        sampled: bool,
        number: float,
        text: bytes,
        attributes: bytes,
    ) -> bytes:
        """Return a log record. `text` (UTF-8) and `number` are the varying attributes'."""
        pack = self._pack
        packed = pack(
            _TIME,
            timestamp_ns,
            _OBSERVED,
            timestamp_ns,
            self._fixed,
            trace_id,
            _LOG_SPAN_ID,
            span_id,
            LOG_FLAGS[sampled],
            self._measured,
            number,
        )
        return self._joined(packed, text, attributes)


class LineTemplate:
    """Log records that differ in their time, ids and attributes."""

    __slots__ = ("_fixed", "_pack", "_size")

    def __init__(self, severity: Severity, message: str) -> None:
        self._fixed = _severity_and_body(severity, message)
        layout = Struct(f"<1sQ1sQ{len(self._fixed)}s")
        self._pack = layout.pack
        self._size = layout.size

    def encode(self, timestamp_ns: int, ids: bytes, attributes: Attributes) -> bytes:
        """Return a log record; `ids` are what `log_ids` returned, or empty."""
        pack = self._pack
        packed = pack(_TIME, timestamp_ns, _OBSERVED, timestamp_ns, self._fixed)
        encoded = encode_attributes(_LOG_ATTRIBUTE, attributes)
        size = self._size + len(ids) + len(encoded)
        if size < _COMMON:
            return b"".join((HEADS[size], packed, ids, encoded))
        return framed(packed + ids + encoded)


def log_ids(trace_id: bytes, span_id: bytes, sampled: bool) -> bytes:
    """Return a log record's fields that name its trace and span."""
    return _LOG_TRACE_ID + trace_id + _LOG_SPAN_ID + span_id + LOG_FLAGS[sampled]


def span_text(name: str) -> EncodeText:
    """Return what encodes a text attribute of spans."""
    return lambda value: encode_attributes(_SPAN_ATTRIBUTE, {name: value})


def log_text(name: str) -> EncodeText:
    """Return what encodes a text attribute of log records."""
    return lambda value: encode_attributes(_LOG_ATTRIBUTE, {name: value})


def remote_parent(span_id: int) -> bytes:
    """Return a span's fields that tell of its parent, in another process."""
    return _REMOTE_PARENT + span_id.to_bytes(8, "big")


def _severity_and_body(severity: Severity, message: str) -> bytes:
    return encode_severity(severity) + delimited(tag(5, LENGTH), encode_value(message))


@cache
def _text_heads(tag_bytes: bytes, name: str) -> tuple[bytes, ...]:
    return tuple([_text_head(tag_bytes, name, size) for size in range(_COMMON_TEXT)])


def _text_head(tag_bytes: bytes, name: str, size: int) -> bytes:
    """Return what stands before the text of an attribute, of so many bytes in UTF-8."""
    key = delimited(tag(1, LENGTH), encode_text(name))
    value = tag(1, LENGTH) + varint(size)
    value = tag(2, LENGTH) + varint(len(value) + size) + value
    return tag_bytes + varint(len(key) + len(value) + size) + key + value
