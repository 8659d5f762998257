"""OTLP's attributes of many records, read to the texts that stores keep (wire.attribute_text).

Attributes of one key are read together, whichever records they are of: what they have in common,
their key and often their value, is read once.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import orjson
from numpy.typing import NDArray

from watchkeeper.ingest.message_fields import WORD_BYTES, Content, Field, NotAlikeError, Places
from watchkeeper.wire import attribute_text
from watchkeeper.wire.otlp_pair import read_pair
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, key

FEWEST_OF_A_KEY = 12
"""Fewer are read sooner one by one."""

_KEY = key(1, LENGTH)
_VALUE = key(2, LENGTH)
_STRING = key(1, LENGTH)
_BOOL = key(2, VARINT)
_INT = key(3, VARINT)
_DOUBLE = key(4, FIXED64)

# An odd number with bits all over; any would do.
_MIX = np.uint64(0x9E3779B97F4A7C15)


def attribute_texts(content: Content, field: Field | None, messages: int) -> list[str]:
    """Return the attributes of each message, where they have the given field of KeyValues.

    Raises NotAlikeError, UnicodeDecodeError and DecodeError.
    """
    if field is None:
        return [""] * messages
    order = np.argsort(field.rows, kind="stable")
    rows, starts, ends = field.rows[order], field.starts[order], field.ends[order]
    pairs: NDArray[np.object_] = np.empty(len(rows), object)
    for places in _by_key(content, starts, ends):
        pairs[places] = _pairs(content, rows[places], starts[places], ends[places])
    bounds = np.searchsorted(rows, np.arange(messages + 1)).tolist()
    listed = pairs.tolist()
    return [
        f",{''.join(listed[first:last])}" if first < last else ""
        for first, last in pairwise(bounds)
    ]


def _by_key(content: Content, starts: Places, ends: Places) -> list[Places]:
    """Return the places of the attributes of each key."""
    sizes = content.bytes_at(starts + 1).astype(np.int64)
    if (content.bytes_at(starts) != _KEY).any() or (starts + 2 + sizes > ends).any():
        raise NotAlikeError
    within = np.minimum(sizes, WORD_BYTES)
    first = content.words_at(starts + 2, within)
    last = content.words_at(starts + 2 + sizes - within, within)
    mixed = ((first * _MIX) ^ last) * _MIX + sizes.astype(np.uint64)
    # Of 16 bits, so that they are sorted by counting.
    folded = ((mixed * _MIX) >> np.uint64(48)).astype(np.uint16)
    order = np.argsort(folded, kind="stable")
    found: list[Places] = []
    for places in np.split(order, np.flatnonzero(np.diff(folded[order])) + 1):
        size = int(sizes[places[0]])
        if (sizes[places] == size).all() and content.are_same(starts[places] + 2, size):
            found.append(places)
        else:
            found += _by_name(content, places, starts[places] + 2, sizes[places])
    return found


def _by_name(content: Content, places: Places, starts: Places, sizes: Places) -> list[Places]:
    """Return places by the names at `starts`."""
    by_name: dict[bytes, list[int]] = {}
    for place, name in zip(places.tolist(), content.slices(starts, starts + sizes), strict=True):
        by_name.setdefault(name, []).append(place)
    return [np.array(of_name) for of_name in by_name.values()]


def _pairs(content: Content, rows: Places, starts: Places, ends: Places) -> list[str] | str:
    """Return attributes of one key as `"key":value,`, one text if all are the same."""
    if (rows[1:] == rows[:-1]).any():
        # Of a repeated key, the last counts.
        raise NotAlikeError
    if len(rows) < FEWEST_OF_A_KEY:
        return [_pair(message) for message in content.slices(starts, ends)]
    begin = int(starts[0]) + 2
    size = content.body[begin - 1]
    head = orjson.dumps(content.body[begin : begin + size].decode()).decode() + ":"
    values = starts + 2 + size
    length = int(ends[0] - values[0])
    alike = (ends - values == length).all() and content.are_same(values, length)
    if alike:
        return _pair(content.body[starts[0] : ends[0]])
    sizes, begins = content.varints(values + 1)
    kinds = content.bytes_at(begins)
    read = _PLAIN.get(int(kinds[0]))
    framed = (content.bytes_at(values) == _VALUE) & (begins + sizes == ends) & (sizes > 1)
    if read is None or not (framed & (kinds == kinds[0])).all():
        return [_pair(message) for message in content.slices(starts, ends)]
    texts = read(content, head, begins + 1, ends)
    if texts is None:
        return [_pair(message) for message in content.slices(starts, ends)]
    return texts


def _pair(message: bytes) -> str:
    name, value = read_pair(message)
    return attribute_text.encode({name: value})[1:]


def _strings(content: Content, head: str, starts: Places, ends: Places) -> list[str] | None:
    sizes, begins = content.varints(starts)
    if (begins + sizes != ends).any():
        return None
    texts = content.texts(begins, ends)
    joined = "".join(texts)
    if len(orjson.dumps(joined)) == len(joined.encode()) + 2:
        return [f'{head}"{text}",' for text in texts]
    return [f"{head}{orjson.dumps(text).decode()}," for text in texts]


def _integers(content: Content, head: str, starts: Places, ends: Places) -> list[str] | None:
    numbers, stops = content.varints(starts)
    if (stops != ends).any():
        return None
    least, most = int(numbers.min()), int(numbers.max())
    if most - least < len(numbers):
        texts = [f"{head}{number}," for number in range(least, most + 1)]
        return [texts[place] for place in (numbers - least).tolist()]
    return [f"{head}{number}," for number in numbers.tolist()]


def _booleans(content: Content, head: str, starts: Places, ends: Places) -> list[str] | None:
    numbers, stops = content.varints(starts)
    if (stops != ends).any():
        return None
    texts = (f"{head}false,", f"{head}true,")
    return [texts[number] for number in (numbers != 0).tolist()]


def _doubles(content: Content, head: str, starts: Places, ends: Places) -> list[str] | None:
    numbers = content.words_at(starts).view(np.float64)
    if (ends - starts != WORD_BYTES).any() or not np.isfinite(numbers).all():
        return None
    texts = orjson.dumps(numbers.tolist())[1:-1].decode().split(",")
    return [f"{head}{text}," for text in texts]


_PLAIN = {_STRING: _strings, _INT: _integers, _BOOL: _booleans, _DOUBLE: _doubles}
