"""OTLP export requests of spans and logs, read from protobuf.

Source: opentelemetry-proto 1.x. Unknown fields are passed over; ids of the wrong length, text
that is not UTF-8 and broken framing are DecodeErrors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from watchkeeper.errors import DecodeError
from watchkeeper.model import Attributes, AttributeValue, LogRecord, SpanRecord
from watchkeeper.wire import protobuf
from watchkeeper.wire.otlp_attributes import decode_attributes
from watchkeeper.wire.otlp_log import decode_log
from watchkeeper.wire.otlp_span import decode_span
from watchkeeper.wire.protobuf import LENGTH, key, read_fields

SERVICE_NAME = "service.name"
UNKNOWN_SERVICE = "unknown_service"

Record = TypeVar("Record")
Decode = Callable[[bytes, str, Attributes, str], Record]

_RESOURCE_GROUP = key(1, LENGTH)
_RESOURCE = key(1, LENGTH)
_SCOPE_GROUP = key(2, LENGTH)
_SCOPE = key(1, LENGTH)
_RECORD = key(2, LENGTH)
_NAME = key(1, LENGTH)


def split_service(resource: dict[str, AttributeValue]) -> tuple[str, Attributes]:
    """Return the service's name and the other attributes of a resource."""
    service = resource.pop(SERVICE_NAME, "")
    return str(service) or UNKNOWN_SERVICE, resource


def decode_spans(body: bytes) -> list[SpanRecord]:
    """Return the spans of an ExportTraceServiceRequest."""
    return _records(body, decode_span)


def decode_logs(body: bytes) -> list[LogRecord]:
    """Return the records of an ExportLogsServiceRequest."""
    return _records(body, decode_log)


def _records(body: bytes, decode: Decode[Record]) -> list[Record]:
    found: list[Record] = []
    try:
        for field_key, group in read_fields(body):
            if field_key == _RESOURCE_GROUP:
                _read_group(group, decode, found)
    except IndexError:
        raise DecodeError("OTLP: a record ends inside a field") from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"OTLP: a string is not UTF-8: {error.reason}") from None
    return found


def _read_group(group: bytes, decode: Decode[Record], found: list[Record]) -> None:
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
            found += [
                decode(message, service, resource, scope)
                for member_key, message in members
                if member_key == _RECORD
            ]


def _scope_name(members: list[tuple[int, bytes]]) -> str:
    for member_key, content in members:
        if member_key == _SCOPE:
            for field_key, name in read_fields(content):
                if field_key == _NAME:
                    return protobuf.text(name)
    return ""


def _repeated(message: bytes, wanted: int) -> list[bytes]:
    return [content for field_key, content in read_fields(message) if field_key == wanted]
