"""One OTLP span, read from protobuf: the loop that every span goes through.

Source: opentelemetry-proto 1.x, trace.proto. The wire format is read in place, without a call
for each field; `protobuf.read_fields` says the same in fewer words.
"""

from __future__ import annotations

from struct import Struct

from watchkeeper.errors import DecodeError
from watchkeeper.model import (
    Attributes,
    AttributeValue,
    Scope,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
    StatusCode,
)
from watchkeeper.wire import otlp_ids
from watchkeeper.wire.message import Message
from watchkeeper.wire.otlp_attributes import decode_attributes
from watchkeeper.wire.otlp_besides import (
    DROPPED_ATTRIBUTES,
    DROPPED_KEYS,
    MASK_32,
    SCOPE_VERSION,
    TRACE_STATE,
)
from watchkeeper.wire.otlp_pair import known, read_pair
from watchkeeper.wire.protobuf import FIXED32, FIXED64, LENGTH, VARINT, key, read_varint
from watchkeeper.wire.record_making import maker

_TRACE_ID = key(1, LENGTH)
_SPAN_ID = key(2, LENGTH)
_TRACE_STATE = key(3, LENGTH)
_PARENT_SPAN_ID = key(4, LENGTH)
_NAME = key(5, LENGTH)
_KIND = key(6, VARINT)
_START = key(7, FIXED64)
_END = key(8, FIXED64)
_ATTRIBUTE = key(9, LENGTH)
_EVENT = key(11, LENGTH)
_LINK = key(13, LENGTH)
_STATUS = key(15, LENGTH)

# Nearly every encoder writes fields in the order of their numbers: ids, name, kind, times.
_unpack_ids = Struct("<2s16s2s8s").unpack_from
_TRACE_ID_FIRST = bytes((_TRACE_ID, otlp_ids.TRACE_ID_BYTES))
_SPAN_ID_NEXT = bytes((_SPAN_ID, otlp_ids.SPAN_ID_BYTES))
_IDS_BYTES = 28
_unpack_times = Struct("<BBBQBQ").unpack_from
_TIMES_BYTES = 20
_SHORTEST = _IDS_BYTES + _TIMES_BYTES
_make_span = maker(SpanRecord)

_FLAGS_FIRST = key(16, FIXED32) & 127 | 128
_FLAGS_BYTES = 6

_KINDS = {kind.value: kind for kind in SpanKind}
_STATUSES = {status.value: status for status in StatusCode}
_FIRST_KEY = 8


def decode_span(  # noqa: C901 - one branch a field: calls would double the time of every span
    message: bytes, service: str, resource: Attributes, scope: Scope
) -> SpanRecord:
    """Return the span of a Span message. Raises DecodeError, or IndexError if it ends early."""
    trace_id = span_id = parent = name = status = b""
    kind = start_ns = end_ns = 0
    attributes: dict[str, AttributeValue] = {}
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    offset = 0
    end = len(message)
    if end > _SHORTEST:
        first, found_trace, second, found_span = _unpack_ids(message)
        if first == _TRACE_ID_FIRST and second == _SPAN_ID_NEXT:
            trace_id, span_id, offset = found_trace, found_span, _IDS_BYTES
            if message[offset] == _PARENT_SPAN_ID and message[offset + 1] == len(span_id):
                parent = message[offset + 2 : offset + 10]
                offset += 10
            if message[offset] == _NAME and message[offset + 1] < 128:
                start = offset + 2
                offset = start + message[offset + 1]
                name = message[start:offset]
            if offset + _TIMES_BYTES < end:
                one, number, two, began, three, ended = _unpack_times(message, offset)
                if one == _KIND and number < 128 and two == _START and three == _END:
                    kind, start_ns, end_ns = number, began, ended
                    offset += _TIMES_BYTES
    while offset < end:
        field_key = message[offset]
        if field_key == _ATTRIBUTE and message[offset + 1] < 128:
            start = offset + 2
            offset = start + message[offset + 1]
            content = message[start:offset]
            attribute, value = known(content) or read_pair(content)
            attributes[attribute] = value
            continue
        if field_key == _FLAGS_FIRST and message[offset + 1] == 1:
            offset += _FLAGS_BYTES
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
            elif field_key == _TRACE_ID:
                trace_id = content
            elif field_key == _SPAN_ID:
                span_id = content
            elif field_key == _PARENT_SPAN_ID:
                parent = content
            elif field_key == _NAME:
                name = content
            elif field_key == _STATUS:
                status = content
            elif field_key == _TRACE_STATE and content:
                attributes[TRACE_STATE] = content.decode()
            elif field_key == _EVENT:
                events += (decode_event(content),)
            elif field_key == _LINK:
                links += (decode_link(content),)
        elif wire_type == FIXED64:
            offset += 8
            if field_key == _START:
                start_ns = int.from_bytes(message[offset - 8 : offset], "little")
            elif field_key == _END:
                end_ns = int.from_bytes(message[offset - 8 : offset], "little")
        elif wire_type == VARINT:
            number = message[offset]
            offset += 1
            if number > 127:
                number, offset = read_varint(message, offset - 1)
            if field_key == _KIND:
                kind = number
            elif number and field_key in DROPPED_KEYS:
                attributes[DROPPED_KEYS[field_key]] = number & MASK_32
        elif wire_type == FIXED32:
            offset += 4
        else:
            raise DecodeError(f"OTLP: a span has wire type {wire_type} before byte {offset}")
        if field_key < _FIRST_KEY:
            raise DecodeError(f"OTLP: a span has field number 0 before byte {offset}")
    if offset != end:
        raise DecodeError(f"OTLP: a span of {end} bytes ends inside a field")
    if scope.version:
        attributes[SCOPE_VERSION] = scope.version
        scope = Scope(scope.name)
    code, description = decode_status(status) if status else (StatusCode.UNSET, "")
    return _make_span(
        trace_id.hex() if len(trace_id) == 16 else otlp_ids.trace_id(trace_id),
        span_id.hex() if len(span_id) == 8 else otlp_ids.span_id(span_id),
        otlp_ids.span_id(parent) if parent else "",
        name.decode(),
        _KINDS.get(kind, SpanKind.UNSPECIFIED),
        start_ns,
        end_ns,
        service,
        code,
        description,
        attributes,
        events,
        links,
        resource,
        scope,
    )


def decode_status(message: bytes) -> tuple[StatusCode, str]:
    """Return the code and the description of a Status message."""
    fields = Message(message, ())
    return _STATUSES.get(fields.number(3), StatusCode.UNSET), fields.text(2)


def decode_event(message: bytes) -> SpanEvent:
    """Return the event of a Span.Event message."""
    fields = Message(message, (3,))
    attributes = decode_attributes(fields.repeated(3))
    if fields.number(4):
        attributes[DROPPED_ATTRIBUTES] = fields.number(4) & MASK_32
    return SpanEvent(fields.text(2), fields.time(1), attributes)


def decode_link(message: bytes) -> SpanLink:
    """Return the link of a Span.Link message."""
    fields = Message(message, (4,))
    attributes = decode_attributes(fields.repeated(4))
    if fields.content(3):
        attributes[TRACE_STATE] = fields.text(3)
    if fields.number(5):
        attributes[DROPPED_ATTRIBUTES] = fields.number(5) & MASK_32
    return SpanLink(
        otlp_ids.trace_id(fields.content(1)), otlp_ids.span_id(fields.content(2)), attributes
    )
