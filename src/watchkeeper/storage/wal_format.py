"""The bytes of the write-ahead log, and how they are read back after a crash.

A file is `magic (7) format (1) salt (8)` and then records: `magic (4) length (4) crc (4)
sequence (8) kind (1) payload`, little-endian. The CRC-32 covers what follows it and the length,
and starts from the salt, so that no sender can put bytes into a payload that pass for a record.
After the last record `END` may stand: what follows is from the file's former life, as its
sequences, which are below the number in the file's name, say as well.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from watchkeeper.errors import StorageError
from watchkeeper.storage.limits import DamageReport

FORMAT = 1
_FAMILY = b"WKLOG\x00\x00"
FILE_MAGIC = _FAMILY + bytes([FORMAT])
FILE_HEADER_BYTES = 16
_RECORD_MAGIC = b"\xa7WK\x9e"
_HEADER = struct.Struct("<4sIIQB")
_AFTER_CRC = struct.Struct("<IQB")
SUFFIX = ".wal"
END = b"\xa7WK-end\n"


class RecordKind(IntEnum):
    """Whose record it is. SAMPLES_WITH_LABELS, which spelled out every label set, is read only."""

    SAMPLES_WITH_LABELS = 1
    LOGS = 2
    SPANS = 3
    SAMPLES = 4


_KINDS = frozenset(RecordKind)


@dataclass(frozen=True, slots=True)
class WalRecord:
    """One acknowledged batch. Sequences rise through all files of a log."""

    sequence: int
    kind: RecordKind
    payload: bytes


def seed(salt: bytes) -> int:
    """Return what the checksums of a file start from."""
    return zlib.crc32(salt)


def encode(seed: int, sequence: int, kind: RecordKind, payload: bytes) -> bytes:
    """Return the bytes of a record."""
    crc = _checksum(seed, len(payload), sequence, kind, payload)
    return _HEADER.pack(_RECORD_MAGIC, len(payload), crc, sequence, kind) + payload


def _checksum(seed: int, length: int, sequence: int, kind: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_AFTER_CRC.pack(length, sequence, kind), seed))


def log_files(directory: Path) -> list[Path]:
    """Return the files of a log, oldest first: their names are their first sequences."""
    return sorted(path for path in directory.glob(f"*{SUFFIX}") if path.stem.isdigit())


def is_alien(path: Path) -> bool:
    """Tell whether a file does not begin as a log does, and is too long for a torn header.

    Raises StorageError if it is of a newer format.
    """
    with path.open("rb") as file:
        header = file.read(FILE_HEADER_BYTES)
    if header[:7] == _FAMILY and header[7:8] > bytes([FORMAT]):
        raise StorageError(
            f"{path} has format {header[7]}, this Watchkeeper reads up to {FORMAT}: run the newer "
            "one that wrote it; what it holds is in no segment yet"
        )
    return len(header) == FILE_HEADER_BYTES and header[:8] != FILE_MAGIC


def read_file(path: Path, damage: list[DamageReport]) -> Iterator[WalRecord]:
    """Yield the whole records of a file in order; what lies between them goes to `damage`.

    Raises StorageError at a record of a kind that only a newer Watchkeeper writes.
    """
    data = path.read_bytes()
    if data[:8] != FILE_MAGIC or len(data) < FILE_HEADER_BYTES:
        if data:
            damage.append(DamageReport(str(path), "the file header is torn; no record was read"))
        return
    start = seed(data[8:16])
    offset, last = FILE_HEADER_BYTES, int(path.stem) - 1
    while offset < len(data):
        record = _record_at(data, offset, start, last)
        if record is not None:
            yield record
            last = record.sequence
            offset += _HEADER.size + len(record.payload)
            continue
        following = _next_record(data, offset + 1, start, last)
        if following == len(data) and data.startswith(END, offset):
            return
        damage.append(
            DamageReport(str(path), f"{following - offset} bytes at {offset} are not a record")
        )
        offset = following


def _record_at(data: bytes, offset: int, start: int, last: int) -> WalRecord | None:
    """Return the record at a place if there is one that follows sequence `last`."""
    if offset + _HEADER.size > len(data):
        return None
    magic, length, crc, sequence, kind = _HEADER.unpack_from(data, offset)
    end = offset + _HEADER.size + length
    if magic != _RECORD_MAGIC or end > len(data) or sequence <= last:
        return None
    payload = data[offset + _HEADER.size : end]
    if _checksum(start, length, sequence, kind, payload) != crc:
        return None
    if kind not in _KINDS:
        raise StorageError(
            f"record {sequence} of the write-ahead log is of the unknown kind {kind}: run the "
            "newer Watchkeeper that wrote it; what it holds is in no segment yet"
        )
    return WalRecord(sequence, RecordKind(kind), payload)


def _next_record(data: bytes, offset: int, start: int, last: int) -> int:
    """Return where the next whole record begins, or the end of the data."""
    while (offset := data.find(_RECORD_MAGIC, offset)) >= 0:
        if _record_at(data, offset, start, last) is not None:
            return offset
        offset += 1
    return len(data)
