"""OTLP export requests of spans and logs, read from protobuf.

Source: opentelemetry-proto 1.x. Unknown fields are passed over; ids of the wrong length, text
that is not UTF-8 and broken framing are DecodeErrors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from watchkeeper.errors import DecodeError
from watchkeeper.model import Attributes, AttributeValue, LogRecord, Scope, SpanRecord
from watchkeeper.wire.limits import AttributeLimits, Excess
from watchkeeper.wire.otlp_attributes import decode_attributes
from watchkeeper.wire.otlp_besides import read_scope
from watchkeeper.wire.otlp_log import decode_log
from watchkeeper.wire.otlp_span import decode_span
from watchkeeper.wire.protobuf import LENGTH, key, read_fields

SERVICE_NAME = "service.name"
UNKNOWN_SERVICE = "unknown_service"

Record = TypeVar("Record", SpanRecord, LogRecord)
Decode = Callable[[bytes, str, Attributes, Scope], Record]

_RESOURCE_GROUP = key(1, LENGTH)
_RESOURCE = key(1, LENGTH)
_SCOPE_GROUP = key(2, LENGTH)
_SCOPE = key(1, LENGTH)
_RECORD = key(2, LENGTH)


def split_service(resource: dict[str, AttributeValue]) -> tuple[str, Attributes]:
    """Return the service's name and the other attributes of a resource."""
    service = resource.pop(SERVICE_NAME, "")
    return str(service) or UNKNOWN_SERVICE, resource


@dataclass(frozen=True, slots=True)
class Decoded(Generic[Record]):
    """Records, and for each that was left out the limit that it broke."""

    records: Sequence[Record] = field(default_factory=list)
    excesses: list[Excess] = field(default_factory=list)


def decode_spans(body: bytes, limits: AttributeLimits | None = None) -> Decoded[SpanRecord]:
    """Return the spans of an ExportTraceServiceRequest."""
    return _records(body, decode_span, limits)


def decode_logs(body: bytes, limits: AttributeLimits | None = None) -> Decoded[LogRecord]:
    """Return the records of an ExportLogsServiceRequest."""
    return _records(body, decode_log, limits)


def _records(
    body: bytes, decode: Decode[Record], limits: AttributeLimits | None
) -> Decoded[Record]:
    records: list[Record] = []
    excesses: list[Excess] = []
    try:
        for field_key, group in read_fields(body):
            if field_key == _RESOURCE_GROUP:
                records += _read_group(group, decode, limits, excesses)
    except IndexError:
        raise DecodeError("OTLP: a record ends inside a field") from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"OTLP: a string is not UTF-8: {error.reason}") from None
    return Decoded(records, excesses)


def _read_group(
    group: bytes, decode: Decode[Record], limits: AttributeLimits | None, excesses: list[Excess]
) -> list[Record]:
    found: list[Record] = []
    parts = read_fields(group)
    attributes: dict[str, AttributeValue] = {}
    for part_key, content in parts:
        if part_key == _RESOURCE:
            attributes = decode_attributes(_repeated(content, key(1, LENGTH)))
    service, resource = split_service(attributes)
    for part_key, content in parts:
        if part_key == _SCOPE_GROUP:
            members = read_fields(content)
            scope = scope_of(members)
            messages = [message for member_key, message in members if member_key == _RECORD]
            records = [decode(message, service, resource, scope) for message in messages]
            if limits is not None and _may_exceed(messages, records, limits):
                records = _within(records, limits, excesses)
            found += records
    return found


def _may_exceed(messages: list[bytes], records: list[Record], limits: AttributeLimits) -> bool:
    """Tell cheaply whether any record can be beyond the limits: nearly never one is."""
    return bool(messages) and (
        max(map(len, messages)) > limits.value_length
        or max([len(record.attributes) for record in records]) > limits.count
    )


def _within(records: list[Record], limits: AttributeLimits, excesses: list[Excess]) -> list[Record]:
    kept = []
    for record in records:
        excess = limits.broken_by(record.attributes)
        if excess is None:
            kept.append(record)
        else:
            excesses.append(excess)
    return kept


def scope_of(members: list[tuple[int, bytes]]) -> Scope:
    """Return the scope of the members of a group, by name and version."""
    for member_key, content in members:
        if member_key == _SCOPE:
            return read_scope(content)
    return Scope()


def _repeated(message: bytes, wanted: int) -> list[bytes]:
    return [content for field_key, content in read_fields(message) if field_key == wanted]
