"""The few things that the store asks of a disk, in one place so that tests can make them fail."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Room:
    """A file system: how large it is, and how much an ordinary user may still write."""

    size_bytes: int
    free_bytes: int


class Disk:
    """The machine's disk. Every method raises OSError as the operating system does."""

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of `data` at the descriptor's position."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def synchronise(self, descriptor: int) -> None:
        """Return once everything written to the descriptor is on the medium."""
        os.fdatasync(descriptor)

    def truncate(self, descriptor: int, length_bytes: int) -> None:
        """Cut the file and go on writing at its new end."""
        os.ftruncate(descriptor, length_bytes)
        os.lseek(descriptor, length_bytes, os.SEEK_SET)

    def room(self, directory: Path) -> Room:
        """Return how large the directory's file system is, and what is left of it."""
        status = os.statvfs(directory)
        return Room(status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, in place of whatever had it."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Remove a file's name, if it is there; its room is free once nobody has it open."""
        path.unlink(missing_ok=True)

    def synchronise_directory(self, directory: Path) -> None:
        """Return once the names in the directory are on the medium."""
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
