"""Where the numbers of a process live: plain memory, or a file that its siblings can read.

A file is a header and entries that are only ever appended:

    offset 0   8 bytes   magic `WKVALUE1`
           8   uint64    bytes in use, written after the entry that they cover
          16   uint64    process id
          24   uint64    start time of the process in clock ticks since boot
          32   float64   when the file was made, seconds since the Unix epoch
          64   entries   uint32 key length, uint32 number of values, the key padded to 8 bytes,
                         the values (float64); a key length of 2**32 - 1 skips to the next
                         segment

Little-endian, every value at a multiple of 8, so that a reader never sees half a number. The
file grows by whole segments, each mapped by itself: a mapping in use cannot be resized.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from watchkeeper.errors import DecodeError

MAGIC = b"WKVALUE1"
HEADER_BYTES = 64
SEGMENT_BYTES = 256 * 1024
_HEADER = struct.Struct("<8sQQQd")
_USED = struct.Struct("<Q")
_ENTRY = struct.Struct("<II")
_SKIP = 2**32 - 1


class Values(Protocol):
    """Gives out cells: arrays of numbers that start at zero."""

    def allocate(self, key: bytes, count: int) -> memoryview[float]:
        """Return `count` cells, which `key` identifies among the processes of a service.

        Raises OSError when there is no room.
        """
        ...

    def close(self) -> None:
        """Let go; cells that were given out stay usable."""
        ...


class MemoryValues:
    """Numbers of this process alone."""

    def allocate(self, key: bytes, count: int) -> memoryview[float]:
        return memoryview(bytearray(8 * count)).cast("d")

    def close(self) -> None:
        pass


class FileValues:
    """Numbers in a shared file mapping, which outlive the process that wrote them."""

    def __init__(self, path: Path, *, process_id: int, start_ticks: int, now_seconds: float):
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._segments: list[mmap.mmap] = []
        self._used = HEADER_BYTES
        self._grow()
        _HEADER.pack_into(
            self._segments[0], 0, MAGIC, HEADER_BYTES, process_id, start_ticks, now_seconds
        )

    def allocate(self, key: bytes, count: int) -> memoryview[float]:
        padded = (len(key) + 7) // 8 * 8
        size = _ENTRY.size + padded + 8 * count
        if size > SEGMENT_BYTES - HEADER_BYTES:
            raise ValueError(f"an entry of {size} bytes is larger than a segment")
        at = self._used % SEGMENT_BYTES
        if self._used == len(self._segments) * SEGMENT_BYTES:
            self._grow()
            at = 0
        elif at + size > SEGMENT_BYTES:
            _ENTRY.pack_into(self._segments[-1], at, _SKIP, 0)
            self._used = len(self._segments) * SEGMENT_BYTES
            self._grow()
            at = 0
        segment = self._segments[-1]
        _ENTRY.pack_into(segment, at, len(key), count)
        segment[at + _ENTRY.size : at + _ENTRY.size + len(key)] = key
        start = at + _ENTRY.size + padded
        cells = memoryview(segment)[start : start + 8 * count].cast("d")
        self._used += size
        _USED.pack_into(self._segments[0], 8, self._used)
        return cells

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _grow(self) -> None:
        offset = len(self._segments) * SEGMENT_BYTES
        # A sparse file would kill the process (SIGBUS) when the disk is full; this raises OSError.
        os.posix_fallocate(self._file, offset, SEGMENT_BYTES)
        self._segments.append(mmap.mmap(self._file, SEGMENT_BYTES, offset=offset))


@dataclass(frozen=True, slots=True)
class StoredValues:
    """What a file holds: whose it is, since when (Unix time), and its cells by key."""

    process_id: int
    start_ticks: int
    made_seconds: float
    entries: dict[bytes, tuple[float, ...]]


def read_values(path: Path) -> StoredValues | None:
    """Return what the file holds now, or None if it is no file of values (or is gone).

    Raises DecodeError if what it holds makes no sense.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < HEADER_BYTES:
        return None
    magic, used, process_id, start_ticks, made_seconds = _HEADER.unpack_from(data)
    if magic != MAGIC or used > len(data):
        return None
    try:
        entries = _read_entries(data, used)
    except (struct.error, ValueError):
        raise DecodeError(f"{path} is damaged") from None
    return StoredValues(process_id, start_ticks, made_seconds, entries)


def _read_entries(data: bytes, used: int) -> dict[bytes, tuple[float, ...]]:
    entries: dict[bytes, tuple[float, ...]] = {}
    at = HEADER_BYTES
    while at < used:
        key_length, count = _ENTRY.unpack_from(data, at)
        if key_length == _SKIP:
            at = (at // SEGMENT_BYTES + 1) * SEGMENT_BYTES
            continue
        start = at + _ENTRY.size
        cells = start + (key_length + 7) // 8 * 8
        if cells + 8 * count > used:
            raise ValueError(at)
        entries[data[start : start + key_length]] = struct.unpack_from(f"<{count}d", data, cells)
        at = cells + 8 * count
    return entries
