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
from watchkeeper.storage.bloom import BLOCK_BYTES, Keys
from watchkeeper.storage.part import PartSummary

GRANULE_ROWS = 1 << 15
_MAGIC = b"WKINDEX\x01"
_START = struct.Struct("<8sII")


class _Head(msgspec.Struct, frozen=True):
    """`filters` has, by name, where each granule's filter begins and how many blocks it has."""

    rows: int
    first_ns: int
    last_ns: int
    values: tuple[tuple[str, ...], ...] | None
    filters: dict[str, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class RowRange:
    """Rows of a part from one number up to another, which is not in it any more."""

    first: int
    end: int


def key_of(text: str) -> int:
    """Return what stands for a text in filters: the lower half of its MD5, as DuckDB has it."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little")


def encode(summary: PartSummary, keys: Mapping[str, Sequence[Keys]]) -> bytes:
    """Return an index; `keys` has, by filter, the distinct keys of each granule."""
    blocks, where = bytearray(), dict[str, list[tuple[int, int]]]()
    for name, granules in keys.items():
        where[name] = []
        for granule in granules:
            data = bloom.build(granule)
            where[name].append((len(blocks), len(data) // BLOCK_BYTES))
            blocks += data
    head = msgspec.msgpack.encode(
        _Head(summary.rows, summary.first_ns, summary.last_ns, summary.values, where)
    )
    return _START.pack(_MAGIC, len(head), zlib.crc32(head)) + head + blocks


def read_summary(path: Path) -> PartSummary:
    """Return what an index says of its part. Raises StoreDamagedError, OSError."""
    with path.open("rb", buffering=0) as file:
        head, _ = _read_head(path, file.fileno())
    return PartSummary(head.rows, head.first_ns, head.last_ns, head.values)


def may_hold(path: Path, name: str, keys: Sequence[Sequence[int]]) -> list[RowRange]:
    """Return the rows that may have, of some sets of keys, all keys of one set.

    Raises StoreDamagedError, OSError; KeyError if there is no filter of that name.
    """
    found: list[RowRange] = []
    with path.open("rb", buffering=0) as file:
        descriptor = file.fileno()
        head, base = _read_head(path, descriptor)
        for granule, (offset, blocks) in enumerate(head.filters[name]):

            def has(key: int, start: int = base + offset, blocks: int = blocks) -> bool:
                place = start + bloom.block_of(key, blocks) * BLOCK_BYTES
                return bloom.may_hold(os.pread(descriptor, BLOCK_BYTES, place), key)

            if any(all(map(has, one)) for one in keys):
                _add(found, granule * GRANULE_ROWS, min((granule + 1) * GRANULE_ROWS, head.rows))
    return found


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


def _add(ranges: list[RowRange], first: int, end: int) -> None:
    if ranges and ranges[-1].end == first:
        first = ranges.pop().first
    ranges.append(RowRange(first, end))


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
