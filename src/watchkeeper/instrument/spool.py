"""The spool: encoded batches on disk while the backend is away, oldest first.

A batch is one file, `<sequence>.<signal>.<records>.<crc32>.otlp`: a gzipped OTLP request as it
will be posted. It is written under another name and renamed; whatever a crash tears in spite of
that has the wrong checksum, and is dropped and counted.

Each process locks a folder of its own. Folders that nobody locks are left from processes that
ended: whoever starts next takes their files over.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SUFFIX = ".otlp"
_UNFINISHED = ".part"
_LOCK = "lock"

OnDrop = Callable[[str, str, int], None]


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """An encoded request on disk."""

    path: Path
    signal: str
    records: int
    crc32: int
    size_bytes: int


class Spool:
    """Batches in order, at most `most_bytes` of them: the oldest go for the newest.

    `on_drop(signal, reason, records)` is told of what is lost: `spool_full`, `spool_torn`. Used by
    one thread at a time. Raises OSError if the directory cannot be used at all.
    """

    def __init__(self, directory: Path, most_bytes: int, on_drop: OnDrop) -> None:
        self._most_bytes = most_bytes
        self._on_drop = on_drop
        self._batches: list[SpooledBatch] = []
        self._bytes = 0
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._lock = _own_folder(directory)
        _take_over(directory, self._folder)
        self._load()

    def __len__(self) -> int:
        return len(self._batches)

    def waiting(self) -> dict[str, int]:
        """Return how many records of each signal are on disk."""
        counts: dict[str, int] = {}
        for batch in tuple(self._batches):
            counts[batch.signal] = counts.get(batch.signal, 0) + batch.records
        return counts

    def put(self, sequence: int, signal: str, records: int, body: bytes) -> None:
        """Keep a batch. A disk that refuses it is counted as full."""
        crc32 = zlib.crc32(body)
        path = self._folder / f"{sequence:020d}.{signal}.{records}.{crc32:08x}{_SUFFIX}"
        unfinished = path.with_suffix(_UNFINISHED)
        self._make_room(len(body))
        try:
            unfinished.write_bytes(body)
            unfinished.rename(path)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            self._on_drop(signal, "spool_full", records)
            return
        self._batches.append(SpooledBatch(path, signal, records, crc32, len(body)))
        self._batches.sort(key=lambda batch: batch.path.name)
        self._bytes += len(body)

    def oldest(self) -> tuple[SpooledBatch, bytes] | None:
        """Return the oldest batch that is whole, which stays until `remove`; None if empty."""
        while self._batches:
            batch = self._batches[0]
            try:
                body = batch.path.read_bytes()
            except OSError:
                body = b""
            if body and zlib.crc32(body) == batch.crc32:
                return batch, body
            self.remove(batch)
            self._on_drop(batch.signal, "spool_torn", batch.records)
        return None

    def remove(self, batch: SpooledBatch) -> None:
        """Let go of a batch."""
        if batch in self._batches:
            self._batches.remove(batch)
            self._bytes -= batch.size_bytes
        with suppress(OSError):
            batch.path.unlink()

    def close(self) -> None:
        """Unlock the folder, for whoever comes next."""
        os.close(self._lock)

    def _make_room(self, size_bytes: int) -> None:
        while self._batches and self._bytes + size_bytes > self._most_bytes:
            oldest = self._batches[0]
            self.remove(oldest)
            self._on_drop(oldest.signal, "spool_full", oldest.records)

    def _load(self) -> None:
        for path in sorted(self._folder.iterdir()):
            if path.name == _LOCK:
                continue
            batch = _parsed(path)
            if batch is not None and path.suffix == _SUFFIX:
                self._batches.append(batch)
                self._bytes += batch.size_bytes
                continue
            with suppress(OSError):
                path.unlink()
            if batch is not None:
                self._on_drop(batch.signal, "spool_torn", batch.records)
        self._make_room(0)


def _parsed(path: Path) -> SpooledBatch | None:
    parts = path.stem.split(".")
    if len(parts) != 4 or parts[1] not in ("spans", "logs"):
        return None
    try:
        size_bytes = path.stat().st_size
        return SpooledBatch(path, parts[1], int(parts[2]), int(parts[3], 16), size_bytes)
    except (OSError, ValueError):
        return None


def _own_folder(directory: Path) -> tuple[Path, int]:
    """Return a folder that no other process uses, and the descriptor that holds its lock."""
    number = 0
    while True:
        folder = directory / f"{number:04d}"
        folder.mkdir(exist_ok=True)
        lock = _locked(folder)
        if lock is not None:
            return folder, lock
        number += 1


def _take_over(directory: Path, own: Path) -> None:
    """Move what processes that ended have left into `own`."""
    for folder in sorted(directory.iterdir()):
        if folder == own or not folder.is_dir():
            continue
        lock = _locked(folder)
        if lock is None:
            continue
        try:
            for path in folder.iterdir():
                if path.name == _LOCK:
                    continue
                with suppress(OSError):
                    path.rename(own / path.name)
        finally:
            os.close(lock)


def _locked(folder: Path) -> int | None:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
