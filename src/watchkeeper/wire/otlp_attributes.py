"""OTLP attributes (KeyValue, AnyValue) in protobuf, written and read.

Source: opentelemetry-proto 1.x, common.proto. Attributes repeat from record to record, so both
directions remember the bytes of short ones.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import orjson

from watchkeeper.errors import DecodeError
from watchkeeper.model import Attributes, AttributeValue
from watchkeeper.wire import protobuf
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, key, tag

REMEMBERED = 16_384
_LONGEST_REMEMBERED_BYTES = 256
_DEEPEST = 32

_KEY = tag(1, LENGTH)
_VALUE = tag(2, LENGTH)
_STRING = tag(1, LENGTH)
_BOOL = tag(2, VARINT)
_INT = tag(3, VARINT)
_DOUBLE = tag(4, FIXED64)
_ARRAY = tag(5, LENGTH)
_ELEMENT = tag(1, LENGTH)

_STRING_KEY = key(1, LENGTH)
_BOOL_KEY = key(2, VARINT)
_INT_KEY = key(3, VARINT)
_DOUBLE_KEY = key(4, FIXED64)
_ARRAY_KEY = key(5, LENGTH)
_MAP_KEY = key(6, LENGTH)
_BYTES_KEY = key(7, LENGTH)


def encode_text(text: str) -> bytes:
    """Return UTF-8; what UTF-8 cannot hold (a lone surrogate) becomes a question mark."""
    return text.encode("utf-8", "replace")


def encode_attributes(tag_bytes: bytes, attributes: Attributes) -> bytes:
    """Return the attributes as one repeated KeyValue field with the given tag."""
    return b"".join(
        [
            _short_attribute(tag_bytes, name, value)
            if type(value) is int or (type(value) is str and len(value) < _LONGEST_REMEMBERED_BYTES)
            else _attribute(tag_bytes, name, value)
            for name, value in attributes.items()
        ]
    )


@lru_cache(maxsize=REMEMBERED)
def _short_attribute(tag_bytes: bytes, name: str, value: str | int) -> bytes:
    return _attribute(tag_bytes, name, value)


@lru_cache(maxsize=REMEMBERED)
def _name(name: str) -> bytes:
    return delimited(_KEY, encode_text(name))


def _attribute(tag_bytes: bytes, name: str, value: AttributeValue) -> bytes:
    return delimited(tag_bytes, _name(name) + delimited(_VALUE, encode_value(value)))


def encode_value(value: AttributeValue) -> bytes:
    """Return an AnyValue. What OTLP cannot hold is written as text."""
    if isinstance(value, str):
        return delimited(_STRING, encode_text(value))
    if isinstance(value, bool):
        return _BOOL + (b"\x01" if value else b"\x00")
    if isinstance(value, int):
        if -(1 << 63) <= value < 1 << 63:
            return _INT + protobuf.varint(value)
        return delimited(_STRING, str(value).encode())
    if isinstance(value, float):
        return _DOUBLE + protobuf.pack_double(value)
    if isinstance(value, tuple | list):
        elements = b"".join([delimited(_ELEMENT, encode_value(element)) for element in value])
        return delimited(_ARRAY, elements)
    return delimited(_STRING, encode_text(str(value)))


def decode_attributes(messages: Iterable[bytes]) -> dict[str, AttributeValue]:
    """Return the attributes of KeyValue messages; of a repeated key, the last counts."""
    return dict(
        [
            _remembered(message)
            if len(message) < _LONGEST_REMEMBERED_BYTES
            else decode_attribute(message)
            for message in messages
        ]
    )


def decode_attribute(message: bytes) -> tuple[str, AttributeValue]:
    """Return the key and value of one KeyValue message."""
    name, value = "", b""
    for field_key, content in protobuf.read_fields(message):
        if field_key == key(1, LENGTH):
            name = protobuf.text(content)
        elif field_key == key(2, LENGTH):
            value = content
    return name, as_attribute(decode_value(value))


_remembered = lru_cache(maxsize=REMEMBERED)(decode_attribute)


def decode_value(message: bytes, depth: int = 0) -> Any:
    """Return an AnyValue as plain Python: str, bool, int, float, list, dict, bytes or None."""
    if depth > _DEEPEST:
        raise DecodeError(f"OTLP: a value is nested more than {_DEEPEST} levels deep")
    value: Any = None
    for field_key, content in protobuf.read_fields(message):
        if field_key == _STRING_KEY:
            value = protobuf.text(content)
        elif field_key == _INT_KEY:
            value = protobuf.signed(content)
        elif field_key == _BOOL_KEY:
            value = content != 0
        elif field_key == _DOUBLE_KEY:
            value = protobuf.double(content)
        elif field_key in _COMPOUND:
            value = _COMPOUND[field_key](content, depth)
    return value


def _decode_array(message: bytes, depth: int) -> list[Any]:
    return [
        decode_value(element, depth + 1)
        for field_key, element in protobuf.read_fields(message)
        if field_key == key(1, LENGTH)
    ]


def _decode_map(message: bytes, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field_key, entry in protobuf.read_fields(message):
        if field_key == key(1, LENGTH):
            parts = dict(protobuf.read_fields(entry))
            name = protobuf.text(parts.get(key(1, LENGTH), b""))
            found[name] = decode_value(parts.get(key(2, LENGTH), b""), depth + 1)
    return found


def _decode_bytes(content: bytes, depth: int) -> bytes:
    return content


_COMPOUND: dict[int, Callable[[bytes, int], Any]] = {
    _ARRAY_KEY: _decode_array,
    _MAP_KEY: _decode_map,
    _BYTES_KEY: _decode_bytes,
}


def as_attribute(value: Any) -> AttributeValue:
    """Return a plain value as the model holds it: maps and mixed arrays become JSON text."""
    if isinstance(value, str | bool | int | float):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list) and _is_uniform(value):
        return tuple(value)
    return as_json(value)


def as_json(value: Any) -> str:
    """Return a plain value as JSON text; bytes as base64."""
    return orjson.dumps(value, default=lambda content: b64encode(content).decode()).decode()


def _is_uniform(values: Sequence[Any]) -> bool:
    kinds = {type(value) for value in values}
    return not kinds or (len(kinds) == 1 and kinds <= {str, bool, int, float})
