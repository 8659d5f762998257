"""One protobuf message by field numbers: the last of each field, and all of those that repeat."""

from __future__ import annotations

from typing import Any

from watchkeeper.wire import protobuf
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, read_fields


class Message:
    """The fields of a message. `repeated` names the field numbers that repeat.

    A missing field reads as proto3's default. A field of the wrong wire type counts as missing.
    Raises DecodeError when the bytes are no message.
    """

    __slots__ = ("_last", "_repeated")

    def __init__(self, content: bytes, repeated: tuple[int, ...]) -> None:
        self._last: dict[int, Any] = {}
        self._repeated: dict[int, list[Any]] = {}
        for field_key, value in read_fields(content):
            if field_key >> 3 in repeated:
                self._repeated.setdefault(field_key, []).append(value)
            else:
                self._last[field_key] = value

    def has(self, field: int) -> bool:
        """Return whether a length-delimited field is there, even if empty."""
        return field << 3 | LENGTH in self._last

    def number(self, field: int) -> int:
        """Return a varint, unsigned."""
        return int(self._last.get(field << 3 | VARINT, 0))

    def fixed(self, field: int) -> bytes:
        """Return the eight bytes of a fixed-width field, or none."""
        return bytes(self._last.get(field << 3 | FIXED64, b""))

    def time(self, field: int) -> int:
        """Return a fixed64, unsigned."""
        content = self._last.get(field << 3 | FIXED64)
        return protobuf.fixed64(content) if content else 0

    def double(self, field: int) -> float:
        """Return a float64."""
        content = self._last.get(field << 3 | FIXED64)
        return protobuf.double(content) if content else 0.0

    def content(self, field: int) -> bytes:
        """Return a length-delimited field as it is."""
        return bytes(self._last.get(field << 3 | LENGTH, b""))

    def text(self, field: int) -> str:
        """Return a string field."""
        return protobuf.text(self.content(field))

    def repeated(self, field: int) -> list[bytes]:
        """Return all occurrences of a length-delimited field."""
        return self._repeated.get(field << 3 | LENGTH, [])

    def fixed64s(self, field: int) -> list[int]:
        """Return a repeated fixed64 field, packed or not."""
        packed = b"".join(self._numbers(field))
        return protobuf.read_packed_fixed64(packed)

    def doubles(self, field: int) -> list[float]:
        """Return a repeated double field, packed or not."""
        return protobuf.read_packed_doubles(b"".join(self._numbers(field)))

    def varints(self, field: int) -> list[int]:
        """Return a repeated field of varints, unsigned, packed or not."""
        packed = protobuf.read_packed_varints(b"".join(self.repeated(field)))
        return packed + self._repeated.get(field << 3 | VARINT, [])

    def zigzags(self, field: int) -> list[int]:
        """Return a repeated field of sint32 or sint64, packed or not."""
        return [protobuf.zigzag(number) for number in self.varints(field)]

    def _numbers(self, field: int) -> list[bytes]:
        return self.repeated(field) + self._repeated.get(field << 3 | FIXED64, [])
