"""A segment file of samples: written once from front to end, then only read.

`magic (8) blocks and directories ... label sets, contents, size of contents (4) magic (8)`.
Everything between bears a checksum of its own. Contents say which windows of two hours there
are, and of which sequences of the write-ahead log the file has every sample of its period.
"""

from __future__ import annotations

import itertools
import os
import struct
import weakref
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage import column_codec, label_table, sample_window
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.part import PartName
from watchkeeper.storage.sample_window import SampleWindow

MAGIC = b"WKSAMP\x00\x01"
SUFFIX = ".samples"
_TAIL = struct.Struct("<I8s")


class WindowPlace(msgspec.Struct, frozen=True, array_like=True):
    """A window's directory: where it is, the range and the number of the window's samples."""

    start_ms: int
    first_ms: int
    last_ms: int
    samples: int
    rows: int
    offset: int
    size_bytes: int


class Contents(msgspec.Struct, frozen=True, array_like=True):
    """What a file has. Sequences from `first_sequence` to `last_sequence` are complete."""

    period_ns: int
    first_sequence: int
    last_sequence: int
    series: int
    labels_offset: int
    labels_bytes: int
    windows: list[WindowPlace]

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return sum(window.samples for window in self.windows)

    def encode(self) -> bytes:
        """Return the end of a file."""
        encoded = column_codec.squeeze(msgspec.msgpack.encode(self))
        return encoded + _TAIL.pack(len(encoded), MAGIC)


_DECODER = msgspec.msgpack.Decoder(Contents)


_NUMBERS = itertools.count()


@dataclass(eq=False)
class SampleFile:
    """An open file. Reading is safe from several threads; it closes when nobody has it.

    `number` is its own as long as the process lives.
    """

    path: Path
    size_bytes: int
    contents: Contents
    descriptor: int
    number: int = field(default_factory=lambda: next(_NUMBERS))

    @property
    def name(self) -> PartName:
        """Which period and which stretch of the log it has."""
        own = self.contents
        return PartName(own.period_ns, own.first_sequence, own.last_sequence)

    @classmethod
    def open(cls, path: Path) -> SampleFile:
        """Open a file. Raises StoreDamagedError if it is not whole or not one, OSError."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size_bytes = os.fstat(descriptor).st_size
            file = cls(path, size_bytes, _contents(descriptor, size_bytes), descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        weakref.finalize(file, os.close, descriptor)
        return file

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Tell whether there may be samples or exemplars of a range."""
        return any(
            place.first_ms <= end_ms and place.last_ms >= start_ms
            for place in self.contents.windows
        )

    def read(self, offset: int, size_bytes: int) -> bytes:
        """Return bytes of the file. Raises StoreDamagedError if it ends before."""
        return _read(self.descriptor, offset, size_bytes)

    def labels(self) -> LabelTable:
        """Return the label sets. Raises StoreDamagedError."""
        place = self.contents
        table = label_table.decode(self.read(place.labels_offset, place.labels_bytes))
        if len(table) != place.series:
            raise StoreDamagedError(f"{len(table)} label sets, {place.series} expected")
        return table

    def window(self, place: WindowPlace) -> SampleWindow:
        """Return the directory of a window. Raises StoreDamagedError."""
        return sample_window.decode(self.read(place.offset, place.size_bytes))


def _contents(descriptor: int, size_bytes: int) -> Contents:
    smallest = len(MAGIC) + _TAIL.size
    if size_bytes < smallest or _read(descriptor, 0, len(MAGIC))[:6] != MAGIC[:6]:
        raise StoreDamagedError("it does not begin as a segment of samples does")
    length, magic = _TAIL.unpack(_read(descriptor, size_bytes - _TAIL.size, _TAIL.size))
    if magic[:6] == MAGIC[:6] and magic > MAGIC:
        raise StoreDamagedError("a newer Watchkeeper wrote it: run that one")
    if magic != MAGIC or length > size_bytes - smallest:
        raise StoreDamagedError("its end is not that of a segment of samples")
    data = _read(descriptor, size_bytes - _TAIL.size - length, length)
    try:
        return _DECODER.decode(column_codec.unsqueeze(data))
    except msgspec.DecodeError as error:
        raise StoreDamagedError(f"its contents cannot be understood: {error}") from error


def _read(descriptor: int, offset: int, size_bytes: int) -> bytes:
    try:
        data = os.pread(descriptor, size_bytes, offset)
    except OSError as error:
        raise StoreDamagedError(
            f"{size_bytes} bytes at {offset} cannot be read: {error}"
        ) from error
    if len(data) != size_bytes:
        raise StoreDamagedError(f"it ends before byte {offset + size_bytes}")
    return data
