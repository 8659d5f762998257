"""The fields of many protobuf messages of one kind, found together: a step of arrays a field.

Source: protobuf.dev, "Encoding". Messages of one kind are alike: the first fields of all of them
are read at once, then the second ones ... and a thousand spans take two dozen steps. What is
broken or unusual raises NotAlikeError: whoever reads message by message tells what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.wire.protobuf import FIXED32, FIXED64, LENGTH, VARINT

Places = NDArray[np.int64]

MOST_FIELDS = 400
"""Of one message: beyond, steps would be for few messages each."""
_PADDING = bytes(16)
_MOST_VARINT_BYTES = 10
WORD_BYTES = 8
_BYTES = np.array([(1 << 8 * size) - 1 for size in range(WORD_BYTES + 1)], np.uint64)
"""What is left of a word of which fewer bytes count."""
_FIRST_KEY = 8


class NotAlikeError(Exception):
    """These messages are to be read one by one."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of many messages: which messages (by number), and where its content stands.

    In the order of the fields; where a message has it several times, its places ascend.
    """

    rows: Places
    starts: Places
    ends: Places


class Content:
    """A body, as bytes to slice and as arrays to compute with; places are offsets in it."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._padded = body + _PADDING
        self._bytes = np.frombuffer(self._padded, np.uint8)
        # Eight bytes from wherever one looks, aligned or not.
        self._words = np.ndarray(len(body) + 8, "<u8", self._padded, strides=(1,))
        self._latin = body.decode("latin-1")

    def fields(self, starts: Places, ends: Places) -> dict[int, Field]:
        """Return the fields of messages, by key. Raises NotAlikeError."""
        found: dict[int, list[tuple[Places, Places, Places]]] = {}
        rows, offsets = np.arange(len(starts)), starts
        for _ in range(MOST_FIELDS):
            more = offsets < ends
            if not more.all():
                rows, offsets, ends = rows[more], offsets[more], ends[more]
            if not len(rows):
                return {key: _joined(parts) for key, parts in found.items()}
            keys, contents = self._keys(offsets)
            offsets = np.empty_like(contents)
            for key in _distinct(keys):
                here = slice(None) if key is None else keys == key
                number = int(keys[0]) if key is None else key
                begins, stops = self._extent(number, contents[here])
                offsets[here] = stops
                found.setdefault(number, []).append((rows[here], begins, stops))
            if ((offsets > ends) | (offsets < contents)).any():
                raise NotAlikeError
        raise NotAlikeError

    def slices(self, starts: Places, ends: Places) -> list[bytes]:
        """Return what stands between places."""
        body = self.body
        return [body[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def texts(self, starts: Places, ends: Places) -> list[str]:
        """Return the texts between places. Raises UnicodeDecodeError."""
        latin = self._latin
        found = [
            latin[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        if "".join(found).isascii():
            return found
        return [content.decode() for content in self.slices(starts, ends)]

    def bytes_at(self, places: Places) -> NDArray[np.uint8]:
        """Return the byte at each place."""
        return self._bytes[places]

    def words_at(self, places: Places, sizes: Places | None = None) -> NDArray[np.uint64]:
        """Return the eight bytes from each place on, or fewer of them, as a number."""
        found = self._words[places]
        return found if sizes is None else found & _BYTES[sizes]

    def are_same(self, places: Places, size: int) -> bool:
        """Tell whether there are the same bytes at all places."""
        for done in range(0, size, WORD_BYTES):
            words = self._words[places + done] & _BYTES[min(size - done, WORD_BYTES)]
            if (words != words[0]).any():
                return False
        return True

    def hexes(self, starts: Places, size: int) -> list[str]:
        """Return `size` bytes from each place on, as hex."""
        digits = self._bytes[starts[:, None] + np.arange(size)].tobytes().hex()
        return [digits[place : place + 2 * size] for place in range(0, len(digits), 2 * size)]

    def varints(self, places: Places) -> tuple[Places, Places]:
        """Return the varints at places, as the signed numbers of 64 bits, and where they end."""
        first = self._bytes[places]
        values = (first & 127).astype(np.int64)
        ends = places + 1
        going = np.flatnonzero(first > 127)
        shift = 7
        while len(going):
            if shift > 7 * (_MOST_VARINT_BYTES - 1):
                raise NotAlikeError
            byte = self._bytes[ends[going]]
            values[going] |= (byte & 127).astype(np.int64) << shift
            ends[going] += 1
            going = going[byte > 127]
            shift += 7
        return values, ends

    def _keys(self, offsets: Places) -> tuple[Places, Places]:
        """Return the keys at offsets and where what follows them begins."""
        first = self._bytes[offsets]
        if first.max() < 128:
            return first, offsets + 1  # type: ignore[return-value]
        return self.varints(offsets)

    def _extent(self, key: int, places: Places) -> tuple[Places, Places]:
        """Return where the contents of fields begin and end, whose keys end at places."""
        wire_type = key & 7
        if key < _FIRST_KEY or places.max() > len(self.body):
            raise NotAlikeError
        if wire_type == LENGTH:
            sizes, starts = self.varints(places)
            return starts, starts + sizes
        if wire_type == VARINT:
            return places, self.varints(places)[1]
        if wire_type == FIXED64:
            return places, places + 8
        if wire_type == FIXED32:
            return places, places + 4
        raise NotAlikeError


def _distinct(keys: Places) -> list[int | None]:
    """Return the keys that are there; None alone where all are the same."""
    if (keys == keys[0]).all():
        return [None]
    return list(np.unique(keys).tolist())


def _joined(parts: list[tuple[Places, Places, Places]]) -> Field:
    if len(parts) == 1:
        return Field(*parts[0])
    return Field(*(np.concatenate(column) for column in zip(*parts, strict=True)))
