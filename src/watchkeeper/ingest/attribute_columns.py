"""OTLP's attributes of many records, read to the texts that stores keep (wire.attribute_text).

Records that have the same keys in the same order differ in values only. These are read together,
key by key, and each text is put together from them and from what all have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import orjson
from numpy.typing import NDArray

from watchkeeper.ingest.message_fields import WORD_BYTES, Content, Field, NotAlikeError, Places
from watchkeeper.wire import attribute_text
from watchkeeper.wire.otlp_pair import read_pair
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, key

FEWEST_ALIKE = 12
"""Of records with the same keys; fewer are read sooner one by one."""

_KEY = key(1, LENGTH)
_VALUE = key(2, LENGTH)
_STRING = key(1, LENGTH)
_BOOL = key(2, VARINT)
_INT = key(3, VARINT)
_DOUBLE = key(4, FIXED64)

# An odd number with bits all over; any would do.
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class _Column:
    """Attributes of one key: each is `head`, its own text and `tail`. Without `texts` all of them
    are `head`."""

    head: str
    texts: Sequence[str] | None = None
    tail: str = ""


def attribute_texts(content: Content, field: Field | None, messages: int) -> list[str]:
    """Return the attributes of each message, where they have the given field of KeyValues.

    Raises NotAlikeError, UnicodeDecodeError and DecodeError.
    """
    found = [""] * messages
    if field is None:
        return found
    order = np.argsort(field.rows, kind="stable")
    starts, ends = field.starts[order], field.ends[order]
    bounds = np.searchsorted(field.rows[order], np.arange(messages + 1))
    for alike in _by_keys(_hashes(content, starts, ends), bounds):
        firsts, after = bounds[alike], bounds[alike + 1]
        if len(alike) < FEWEST_ALIKE:
            texts = [
                _text(content.slices(starts[first:last], ends[first:last]))
                for first, last in zip(firsts.tolist(), after.tolist(), strict=True)
            ]
        else:
            columns = _columns(content, starts, ends, firsts, after)
            texts = _texts(columns, len(alike))
        for message, text in zip(alike.tolist(), texts, strict=True):
            found[message] = text
    return found


def _hashes(content: Content, starts: Places, ends: Places) -> NDArray[np.uint64]:
    """Return numbers for the keys of attributes: of others, nearly always other ones."""
    sizes = content.bytes_at(starts + 1).astype(np.int64)
    if (content.bytes_at(starts) != _KEY).any() or (starts + 2 + sizes > ends).any():
        raise NotAlikeError
    within = np.minimum(sizes, WORD_BYTES)
    mixed = sizes.astype(np.uint64)
    for place in (0, (sizes - within) // 2, sizes - within):
        mixed = (mixed ^ content.words_at(starts + 2 + place, within)) * _MIX
    return mixed ^ (mixed >> np.uint64(32))


def _by_keys(hashes: NDArray[np.uint64], bounds: Places) -> list[Places]:
    """Return the messages with the same keys in the same order, those without any left out."""
    counts = np.diff(bounds)
    some = np.flatnonzero(counts)
    if not len(some):
        return []
    firsts = bounds[some]
    within = np.arange(len(hashes)) - np.repeat(firsts, counts[some])
    weights = np.multiply.accumulate(np.full(int(counts.max()), _MIX))
    shapes = np.add.reduceat(hashes * weights[within], firsts)
    if (shapes == shapes[0]).all():
        return [some]
    order = np.argsort(shapes, kind="stable")
    changes = np.flatnonzero(np.diff(shapes[order])) + 1
    return np.split(some[order], changes)


def _columns(
    content: Content, starts: Places, ends: Places, firsts: Places, after: Places
) -> list[_Column]:
    """Return the attributes of messages with the same keys, which stand from `firsts` on."""
    count = int(after[0] - firsts[0])
    if (after - firsts != count).any():
        raise NotAlikeError
    names = set()
    columns = []
    for place in range(count):
        own = starts[firsts + place]
        size = content.body[own[0] + 1]
        if not content.are_same(own + 1, size + 1):
            raise NotAlikeError
        name = content.body[own[0] + 2 : own[0] + 2 + size]
        names.add(name)
        columns.append(_column(content, name.decode(), own, ends[firsts + place]))
    if len(names) < count:
        # Of a repeated key, the last counts.
        raise NotAlikeError
    return columns


def _texts(columns: Sequence[_Column], count: int) -> list[str]:
    """Return the texts of so many messages, which are rows of columns."""
    pieces: list[Sequence[str] | repeat[str]] = []
    between = ","
    for column in columns:
        between += column.head
        if column.texts is not None:
            pieces += (repeat(between), column.texts)
            between = column.tail
    return list(map("".join, zip(*pieces, repeat(between, count), strict=False)))


def _text(attributes: Sequence[bytes]) -> str:
    return attribute_text.encode(dict(map(read_pair, attributes)))


def _column(content: Content, name: str, starts: Places, ends: Places) -> _Column:
    """Return attributes of one key."""
    head = orjson.dumps(name).decode() + ":"
    values = starts + 2 + content.body[starts[0] + 1]
    length = int(ends[0] - values[0])
    if (ends - values == length).all() and content.are_same(values, length):
        return _Column(_pair(content.body[starts[0] : ends[0]]))
    sizes, begins = content.varints(values + 1)
    kinds = content.bytes_at(begins)
    read = _PLAIN.get(int(kinds[0]))
    framed = (content.bytes_at(values) == _VALUE) & (begins + sizes == ends) & (sizes > 1)
    column = None
    if read is not None and (framed & (kinds == kinds[0])).all():
        column = read(content, head, begins + 1, ends)
    return column or _Column("", [_pair(message) for message in content.slices(starts, ends)])


def _pair(message: bytes) -> str:
    name, value = read_pair(message)
    return attribute_text.encode({name: value})[1:]


def _strings(content: Content, head: str, starts: Places, ends: Places) -> _Column | None:
    sizes, begins = content.varints(starts)
    if (begins + sizes != ends).any():
        return None
    texts = content.texts(begins, ends)
    joined = "".join(texts)
    if len(orjson.dumps(joined)) == len(joined.encode()) + 2:
        return _Column(f'{head}"', texts, '",')
    return _Column(head, [orjson.dumps(text).decode() for text in texts], ",")


def _integers(content: Content, head: str, starts: Places, ends: Places) -> _Column | None:
    numbers, stops = content.varints(starts)
    if (stops != ends).any():
        return None
    least, most = int(numbers.min()), int(numbers.max())
    if most - least < len(numbers):
        texts = list(map(str, range(least, most + 1)))
        return _Column(head, [texts[place] for place in (numbers - least).tolist()], ",")
    return _Column(head, list(map(str, numbers.tolist())), ",")


def _booleans(content: Content, head: str, starts: Places, ends: Places) -> _Column | None:
    numbers, stops = content.varints(starts)
    if (stops != ends).any():
        return None
    texts = ("false", "true")
    return _Column(head, [texts[number] for number in (numbers != 0).tolist()], ",")


def _doubles(content: Content, head: str, starts: Places, ends: Places) -> _Column | None:
    numbers = content.words_at(starts).view(np.float64)
    if (ends - starts != WORD_BYTES).any() or not np.isfinite(numbers).all():
        return None
    texts = orjson.dumps(numbers.tolist())[1:-1].decode().split(",")
    return _Column(head, texts, ",")


_PLAIN = {_STRING: _strings, _INT: _integers, _BOOL: _booleans, _DOUBLE: _doubles}
