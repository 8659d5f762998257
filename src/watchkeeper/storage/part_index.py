"""The index beside a part: its summary, and Bloom filters by which most of it is passed over.

`magic (8) length (4) crc (4) head`, then the blocks of the filters. The head is msgpack, its
CRC-32 covers it whole; every block of a filter has a checksum of its own, so that looking up a
key reads one block for each granule (`GRANULE_ROWS` rows in the part's order) and no more.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage import bloom
from watchkeeper.storage.bloom import BLOCK_BYTES
from watchkeeper.storage.part import PartSummary

GRANULE_ROWS = 1 << 15
_MAGIC = b"WKINDEX\x02"
_START = struct.Struct("<8sII")


class _Head(msgspec.Struct, frozen=True):
    """`filters` has, by name, where each granule's filter begins and how many blocks it has, 0 if
    it may have anything; `times_ns` the first and last time of each granule."""

    rows: int
    first_ns: int
    last_ns: int
    values: tuple[tuple[str, ...], ...] | None
    times_ns: list[tuple[int, int]]
    filters: dict[str, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Granule:
    """Some neighbouring rows of a part: from one number up to another, which is not in it any
    more, with their first and last time."""

    first: int
    end: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What rows are asked for, by the filter of that name: one of some sets, all of its keys."""

    filter: str
    keys: Sequence[Sequence[int]]


def key_of(text: str) -> int:
    """Return what stands for a text in filters: the lower half of its MD5, as DuckDB has it."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little")


def encode(
    summary: PartSummary,
    times_ns: Sequence[tuple[int, int]],
    filters: Mapping[str, Sequence[bytes]],
) -> bytes:
    """Return an index; `filters` has each granule's, by name, b"" if it may have anything."""
    blocks, where = bytearray(), dict[str, list[tuple[int, int]]]()
    for name, granules in filters.items():
        where[name] = []
        for data in granules:
            where[name].append((len(blocks), len(data) // BLOCK_BYTES))
            blocks += data
    head = msgspec.msgpack.encode(
        _Head(
            *(summary.rows, summary.first_ns, summary.last_ns, summary.values),
            list(times_ns),
            where,
        )
    )
    return _START.pack(_MAGIC, len(head), zlib.crc32(head)) + head + blocks


def read_summary(path: Path) -> PartSummary:
    """Return what an index says of its part. Raises StoreDamagedError, OSError."""
    with path.open("rb", buffering=0) as file:
        head, _ = _read_head(path, file.fileno())
    return PartSummary(head.rows, head.first_ns, head.last_ns, head.values)


def granules(path: Path, wanted: Sequence[Wanted]) -> list[Granule]:
    """Return the granules of a part that may have what is wanted, in the part's order.

    Raises StoreDamagedError, OSError.
    """
    with path.open("rb", buffering=0) as file:
        head, base = _read_head(path, file.fileno())
        return [
            Granule(first, min(first + GRANULE_ROWS, head.rows), *head.times_ns[number])
            for number, first in enumerate(range(0, head.rows, GRANULE_ROWS))
            if all(_may_hold(file.fileno(), base, head, number, one) for one in wanted)
        ]


def _may_hold(descriptor: int, base: int, head: _Head, granule: int, wanted: Wanted) -> bool:
    offset, blocks = head.filters[wanted.filter][granule]

    def has(key: int) -> bool:
        place = base + offset + bloom.block_of(key, blocks) * BLOCK_BYTES
        return bloom.may_hold(os.pread(descriptor, BLOCK_BYTES, place), key)

    return not blocks or any(all(map(has, keys)) for keys in wanted.keys)


def damage(path: Path) -> str:
    """Return what is wrong with an index, read whole; '' if nothing is. Raises OSError."""
    try:
        with path.open("rb", buffering=0) as file:
            _, base = _read_head(path, file.fileno())
        data = path.read_bytes()[base:]
    except StoreDamagedError as error:
        return str(error)
    damaged = list(bloom.damaged_blocks(data))
    return f"{len(damaged)} blocks of its filters fail their checksum" if damaged else ""


def _read_head(path: Path, descriptor: int) -> tuple[_Head, int]:
    """Return the head, and where the blocks begin."""
    start = os.pread(descriptor, _START.size, 0)
    if len(start) < _START.size:
        raise StoreDamagedError(f"{path} is torn: it has no head")
    magic, length, crc = _START.unpack(start)
    head = os.pread(descriptor, length, _START.size) if magic == _MAGIC else b""
    if magic != _MAGIC or len(head) != length or zlib.crc32(head) != crc:
        raise StoreDamagedError(f"{path} is not an index, or its checksum differs")
    return msgspec.msgpack.decode(head, type=_Head), _START.size + length
