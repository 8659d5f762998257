"""A copy of a store at one moment, and the list by which one sees that the copy is whole.

A backup is a directory that a store can be opened on. Its `backup.json` names every file with
size and SHA-256; it is written last, and goes when a store is opened there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from watchkeeper.errors import StorageError
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.limits import DamageReport

MANIFEST = "backup.json"
_PIECE_BYTES = 1 << 20


class BackedUpFile(msgspec.Struct, frozen=True):
    """A file of a backup, its path relative to the directory."""

    path: str
    size_bytes: int
    sha256: str


def copy(source: Path, files: Iterable[Path], target: Path, disk: Disk) -> list[BackedUpFile]:
    """Copy files of a store that do not change meanwhile into an empty or new directory.

    Raises StorageError if something is there already; OSError.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise StorageError(f"{target} is not empty: name a new directory for the backup")
    copied = []
    for file in files:
        relative = file.relative_to(source)
        copy_of_file = target / relative
        copy_of_file.parent.mkdir(mode=0o700, exist_ok=True)
        copied.append(_copy_file(file, copy_of_file, str(relative), disk))
        disk.synchronise_directory(copy_of_file.parent)
    (target / MANIFEST).write_bytes(msgspec.json.encode(copied))
    disk.synchronise_directory(target)
    return copied


def check(directory: Path) -> list[DamageReport]:
    """Compare a backup with its list; nothing to say where there is none."""
    path = directory / MANIFEST
    try:
        listed = msgspec.json.decode(path.read_bytes(), type=list[BackedUpFile])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        return [DamageReport(str(path), f"it is not the list of a backup: {error}")]
    return [
        DamageReport(str(directory / file.path), reason)
        for file in listed
        if (reason := _difference(directory / file.path, file))
    ]


def _difference(path: Path, file: BackedUpFile) -> str:
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return "" if found == file.sha256 else "it is not what was backed up: its SHA-256 differs"


def _copy_file(source: Path, target: Path, name: str, disk: Disk) -> BackedUpFile:
    digest, size_bytes = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with source.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                size_bytes += len(piece)
                disk.write(descriptor, piece)
        disk.synchronise(descriptor)
    finally:
        os.close(descriptor)
    return BackedUpFile(name, size_bytes, digest.hexdigest())
