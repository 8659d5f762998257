"""One file that grows: its whole new lines, and the place up to which they are stored.

A file is known by its device and inode, so that a rename changes nothing; and by its first
bytes, since an inode is used again, and a file may be written anew in place.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

CHUNK_BYTES = 1 << 20
"""How much is read at once, and how long a line may be before it is cut."""
_HEAD_BYTES = 256
_GZIP_MAGIC = b"\x1f\x8b"

Identity = tuple[int, int]


class Position(msgspec.Struct, frozen=True):
    """How far a file was read. `head` is a digest of its first bytes, as far as they were read."""

    path: str
    device: int
    inode: int
    offset: int = 0
    head: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines without their ends, and the position after them."""

    lines: list[bytes]
    position: Position


class TailedFile:
    """An open file and its position. Methods raise OSError."""

    def __init__(self, path: Path, known: Position | None) -> None:
        self._file: BinaryIO = path.open("rb", buffering=0)
        status = os.fstat(self._file.fileno())
        fresh = Position(str(path), status.st_dev, status.st_ino)
        self.position = fresh if known is None else known
        if known is not None and self._is_another(known):
            self.position = fresh

    def read(self) -> Chunk:
        """Return the next whole lines; of a file that was cut or written anew, from its start."""
        if self._is_another(self.position):
            self.position = msgspec.structs.replace(self.position, offset=0, head="")
        start = self.position.offset
        data = os.pread(self._file.fileno(), CHUNK_BYTES, start)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == CHUNK_BYTES:
            whole = len(data)
        lines = data[:whole].removesuffix(b"\n").split(b"\n") if whole else []
        after = msgspec.structs.replace(
            self.position, offset=start + whole, head=self._digest(start + whole)
        )
        return Chunk(lines, after if whole else self.position)

    def is_compressed(self) -> bool:
        """Whether this is what rotation made of a file whose lines were read before."""
        return os.pread(self._file.fileno(), len(_GZIP_MAGIC), 0) == _GZIP_MAGIC

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _is_another(self, position: Position) -> bool:
        size = os.fstat(self._file.fileno()).st_size
        return size < position.offset or self._digest(position.offset) != position.head

    def _digest(self, offset: int) -> str:
        if not offset:
            return ""
        head = os.pread(self._file.fileno(), min(offset, _HEAD_BYTES), 0)
        return hashlib.blake2b(head, digest_size=16).hexdigest()
