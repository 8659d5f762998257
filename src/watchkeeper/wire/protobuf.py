"""The protobuf wire format: varints, tags, lengths and fixed-width numbers.

Source: protobuf.dev, "Encoding". A key is a field's number and wire type in one number, as it
stands on the wire; `key` makes it. Decoders raise DecodeError and nothing else.
"""

from __future__ import annotations

import struct
from typing import Any

from watchkeeper.errors import DecodeError

VARINT = 0
FIXED64 = 1
LENGTH = 2
FIXED32 = 5

_UINT64 = struct.Struct("<Q")
_INT64 = struct.Struct("<q")
_DOUBLE = struct.Struct("<d")
_ONE_BYTE = tuple(bytes((value,)) for value in range(128))
_MASK_64 = (1 << 64) - 1
_DEEPEST_SHIFT = 63

pack_fixed64 = _UINT64.pack
pack_double = _DOUBLE.pack


def key(field: int, wire_type: int) -> int:
    """Return a field's key."""
    return field << 3 | wire_type


def tag(field: int, wire_type: int) -> bytes:
    """Return a field's key as the bytes that stand before its value."""
    return varint(key(field, wire_type))


def varint(value: int) -> bytes:
    """Return a varint; a negative number becomes its 64-bit two's complement."""
    if 0 <= value < 128:
        return _ONE_BYTE[value]
    value &= _MASK_64
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited(tag_bytes: bytes, payload: bytes) -> bytes:
    """Return a length-delimited field: tag, length, payload."""
    return tag_bytes + varint(len(payload)) + payload


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """Return the unsigned varint at `offset`, cut to 64 bits, and the offset after it."""
    value = shift = 0
    end = len(data)
    while offset < end:
        byte = data[offset]
        offset += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & _MASK_64, offset
        shift += 7
        if shift > _DEEPEST_SHIFT:
            raise DecodeError(f"protobuf: varint longer than 10 bytes before byte {offset}")
    raise DecodeError(f"protobuf: the message ends inside a varint at byte {offset}")


def read_fields(data: bytes) -> list[tuple[int, Any]]:
    """Return the (key, value) pairs of one message, in the order they stand.

    A value is an unsigned int for VARINT and bytes for all others (8 or 4 of them, little
    endian, for FIXED64 and FIXED32). A field of unexpected wire type has a key of its own, so
    that a reader that looks for known keys passes it over, as protobuf asks. Groups, which
    proto3 does not have, are refused.
    """
    found: list[tuple[int, Any]] = []
    offset = 0
    end = len(data)
    while offset < end:
        field_key = data[offset]
        offset += 1
        if field_key > 127:
            field_key, offset = read_varint(data, offset - 1)
        if field_key < 8:
            raise DecodeError(f"protobuf: field number 0 before byte {offset}")
        wire_type = field_key & 7
        if wire_type == LENGTH:
            # Most lengths fit one byte: spare them the call.
            size = data[offset] if offset < end else 128
            if size < 128:
                offset += 1
            else:
                size, offset = read_varint(data, offset)
        elif wire_type == VARINT:
            value, offset = read_varint(data, offset)
            found.append((field_key, value))
            continue
        else:
            size = _fixed_size(wire_type, offset)
        stop = offset + size
        if stop > end:
            raise DecodeError(
                f"protobuf: field {field_key >> 3} at byte {offset} wants {size} bytes, "
                f"{end - offset} are left"
            )
        found.append((field_key, data[offset:stop]))
        offset = stop
    return found


def _fixed_size(wire_type: int, offset: int) -> int:
    if wire_type == FIXED64:
        return 8
    if wire_type == FIXED32:
        return 4
    raise DecodeError(f"protobuf: wire type {wire_type} before byte {offset} is not known")


def read_packed_fixed64(data: bytes) -> list[int]:
    """Return the unsigned numbers of a packed repeated fixed64 field."""
    return [value for (value,) in _UINT64.iter_unpack(_whole_words(data))]


def read_packed_doubles(data: bytes) -> list[float]:
    """Return the numbers of a packed repeated double field."""
    return [value for (value,) in _DOUBLE.iter_unpack(_whole_words(data))]


def _whole_words(data: bytes) -> bytes:
    if len(data) % 8:
        raise DecodeError(f"protobuf: {len(data)} bytes are not a whole number of 64-bit values")
    return data


def signed(value: int) -> int:
    """Return a varint's 64 bits as a signed number (int64, not zigzag)."""
    return value - (1 << 64) if value >> 63 else value


def zigzag(value: int) -> int:
    """Return a varint's 64 bits as the signed number of a sint32 or sint64."""
    return (value >> 1) ^ -(value & 1)


def read_packed_varints(data: bytes) -> list[int]:
    """Return the unsigned numbers of a packed repeated field of varints."""
    if data.isascii():
        return list(data)
    numbers: list[int] = []
    offset = 0
    while offset < len(data):
        number, offset = read_varint(data, offset)
        numbers.append(number)
    return numbers


def text(value: bytes) -> str:
    """Return a string field's text."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"protobuf: a string is not UTF-8: {error.reason}") from None


def fixed64(value: bytes) -> int:
    """Return eight bytes as an unsigned number."""
    return int(_UINT64.unpack(value)[0])


def sfixed64(value: bytes) -> int:
    """Return eight bytes as a signed number."""
    return int(_INT64.unpack(value)[0])


def double(value: bytes) -> float:
    """Return eight bytes as a float64."""
    return float(_DOUBLE.unpack(value)[0])
