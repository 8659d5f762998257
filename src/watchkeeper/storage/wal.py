"""The write-ahead log: a batch is acknowledged once it is here and synchronised.

Threads that append at the same time share one fdatasync: the first to wait does it for all
that is written by then (group commit).
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.errors import StorageError, StoreFullError
from watchkeeper.storage import wal_format
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.wal_format import FILE_HEADER_BYTES, RecordKind


@dataclass(frozen=True, slots=True)
class _ClosedFile:
    path: Path
    last_sequence: int


class WriteAheadLog:
    """Appends records to the newest file of a directory.

    `next_sequence` MUST be above every sequence that the directory or a segment holds;
    `older_files` are those found at start, kept until `discard` covers them.
    """

    def __init__(
        self, directory: Path, *, next_sequence: int, disk: Disk, reserve_bytes: int = 0
    ) -> None:
        self._directory = directory
        self._disk = disk
        self._reserve_bytes = reserve_bytes
        self._changed = threading.Condition(threading.Lock())
        self._closed = [
            _ClosedFile(path, next_sequence - 1) for path in wal_format.log_files(directory)
        ]
        self._next_sequence = next_sequence
        self._path: Path | None = None
        self._descriptor = -1
        self._seed = 0
        self._end = 0
        self._synchronised = 0
        self._synchronising = False
        self._failures = 0
        self._is_closed = False
        self._size_bytes = sum(file.path.stat().st_size for file in self._closed)
        self._open()

    def append(self, kind: RecordKind, payload: bytes) -> int:
        """Write a record, wait until it is on the medium, return its sequence.

        Raises StoreFullError when the disk does not take it; nothing of it is kept then.
        """
        with self._changed:
            sequence = self._write(kind, payload)
            end, failures = self._end, self._failures
            while self._synchronised < end and self._failures == failures:
                if self._synchronising:
                    self._changed.wait()
                else:
                    self._synchronise()
            if self._failures != failures:
                raise StoreFullError(
                    f"the disk under {self._directory} did not synchronise; nothing was kept, "
                    "send it again"
                )
            return sequence

    def rotate(self) -> int:
        """Go on in a new file; return the last sequence of the old ones.

        No append may be under way.
        """
        with self._changed:
            if self._end > FILE_HEADER_BYTES or self._path is None:
                self._close_file()
                self._open()
            return self._next_sequence - 1

    def discard(self, last_sequence: int) -> None:
        """Unlink the closed files that hold nothing above `last_sequence`."""
        with self._changed:
            if self._path is None:
                return
            kept = []
            for file in self._closed:
                if file.last_sequence > last_sequence:
                    kept.append(file)
                elif file.path != self._path:
                    self._disk.unlink(file.path)
            self._closed = kept
            files = [*(file.path for file in kept), self._path]
            self._size_bytes = sum(path.stat().st_size for path in files)

    @property
    def size_bytes(self) -> int:
        """How much the log takes on disk: what hot memory holds, and would be replayed."""
        return self._size_bytes

    @property
    def has_records(self) -> bool:
        """Whether any file has more than its header."""
        return self._size_bytes > FILE_HEADER_BYTES

    def close(self) -> None:
        """Close the newest file; everything acknowledged is on disk already."""
        with self._changed:
            self._close_file()
            self._is_closed = True

    def _open(self) -> None:
        """Start a file named by its first sequence."""
        path = self._directory / f"{self._next_sequence:020d}{wal_format.SUFFIX}"
        salt = os.urandom(8)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._disk.write(descriptor, wal_format.FILE_MAGIC + salt)
            self._disk.synchronise(descriptor)
            self._disk.synchronise_directory(self._directory)
        except OSError:
            os.close(descriptor)
            raise
        self._path, self._descriptor = path, descriptor
        self._seed = wal_format.seed(salt)
        self._end = self._synchronised = FILE_HEADER_BYTES

    def _close_file(self) -> None:
        if self._path is None:
            return
        os.close(self._descriptor)
        self._closed.append(_ClosedFile(self._path, self._next_sequence - 1))
        self._path = None

    def _write(self, kind: RecordKind, payload: bytes) -> int:
        sequence = self._next_sequence
        if self._is_closed:
            raise StorageError(f"the store over {self._directory} is closed: open it again")
        try:
            self._require_room(len(payload))
            if self._path is None:
                self._open()
            self._disk.write(
                self._descriptor, wal_format.encode(self._seed, sequence, kind, payload)
            )
        except OSError as error:
            self._cut(self._end)
            raise StoreFullError(
                f"the disk under {self._directory} takes no more ({error.strerror}); nothing was "
                "kept: free space or shorten the retention, then send it again"
            ) from error
        written = os.lseek(self._descriptor, 0, os.SEEK_CUR) - self._end
        self._end += written
        self._size_bytes += written
        self._next_sequence += 1
        return sequence

    def _require_room(self, size_bytes: int) -> None:
        if self._reserve_bytes:
            free = self._disk.room(self._directory).free_bytes
            if free < self._reserve_bytes + size_bytes:
                raise OSError(
                    0, f"{free} bytes are free, {self._reserve_bytes} are kept in reserve"
                )

    def _synchronise(self) -> None:
        """Synchronise what is written, with the lock let go meanwhile."""
        self._synchronising = True
        end, failed = self._end, False
        self._changed.release()
        try:
            self._disk.synchronise(self._descriptor)
        except OSError:
            failed = True
        finally:
            self._changed.acquire()
            self._synchronising = False
            self._changed.notify_all()
        if failed:
            self._abandon()
        else:
            self._synchronised = end

    def _abandon(self) -> None:
        """After a failed fdatasync nobody knows what is on the medium: cut, and start anew.

        The kernel may have dropped the dirty pages, so that a second fdatasync would lie.
        """
        self._failures += 1
        self._cut(self._synchronised)
        self._close_file()

    def _cut(self, length_bytes: int) -> None:
        if self._path is None:
            return
        try:
            self._disk.truncate(self._descriptor, length_bytes)
        except OSError:
            self._close_file()
