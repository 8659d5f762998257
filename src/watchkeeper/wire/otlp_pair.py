"""One OTLP attribute, read in the few ways that nearly all of them are written.

Attributes repeat from record to record, keys more so than values: both are remembered by their
bytes. Whatever is written in another way goes to `otlp_attributes.decode_attribute`.
"""

from __future__ import annotations

import struct

from watchkeeper.model import AttributeValue
from watchkeeper.wire.otlp_attributes import REMEMBERED, decode_attribute

_PLAIN_BYTES = 128
"""Below this every length inside a pair fits one byte."""
_KEY = 0x0A
_VALUE = 0x12
_STRING = 0x0A
_BOOL = 0x10
_INT = 0x18
_DOUBLE = 0x21

_unpack_double = struct.Struct("<d").unpack_from

Pair = tuple[str, AttributeValue]

_remembered: dict[bytes, Pair] = {}
known = _remembered.get
"""Return the pair of a KeyValue message that `read_pair` remembers; hot loops ask it first."""
_keys: dict[bytes, str] = {}
_values: dict[str, int] = {}
"""How many values of a key were read: one with many has new ones always."""
MOST_VALUES = 256


def read_pair(message: bytes) -> Pair:
    """Return the key and value of a KeyValue message. Raises DecodeError."""
    if len(message) >= _PLAIN_BYTES:
        return decode_attribute(message)
    try:
        pair = _plain_pair(message) or decode_attribute(message)
    except (IndexError, UnicodeDecodeError, struct.error):
        pair = decode_attribute(message)
    name = pair[0]
    values = _values.get(name, 0)
    if values < MOST_VALUES:
        _remember(message, pair, values)
    return pair


def _remember(message: bytes, pair: Pair, values: int) -> None:
    if len(_remembered) >= REMEMBERED or len(_values) >= REMEMBERED:
        _remembered.clear()
        _values.clear()
    _remembered[message] = pair
    _values[pair[0]] = values + 1


def _plain_pair(message: bytes) -> Pair | None:
    """Return a pair of a key and one scalar, each once and in this order; None for others."""
    start = 2 + message[1]
    size = len(message) - start - 2
    if message[0] != _KEY or message[start] != _VALUE or message[start + 1] != size or size < 2:
        return None
    kind = message[start + 2]
    content = start + 3
    value: AttributeValue
    if kind == _STRING and message[content] == size - 2:
        value = message[content + 1 :].decode()
    elif kind == _INT and size == 2 and message[content] < 128:
        value = message[content]
    elif kind == _INT and size == 3 and message[content] > 127 > message[content + 1]:
        value = message[content] & 127 | message[content + 1] << 7
    elif kind == _DOUBLE and size == 9:
        (value,) = _unpack_double(message, content)
    elif kind == _BOOL and size == 2 and message[content] < 128:
        value = message[content] != 0
    else:
        return None
    key = message[2:start]
    return _keys.get(key) or _read_key(key), value


def _read_key(content: bytes) -> str:
    if len(_keys) >= REMEMBERED:
        _keys.clear()
    found = _keys[content] = content.decode()
    return found
