"""The write-ahead log: a batch is acknowledged once it is here and synchronised.

Threads that append at the same time share one fdatasync: the first to wait does it for all
that is written by then (group commit). Records are written over blocks that the file has already,
so that an fdatasync does not have to wait until the file system has written its own journal, and
all that others have just written (as PostgreSQL does): over those of a file that is not needed any
more, or over zeros that were written ahead.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.errors import StorageError, StoreFullError
from watchkeeper.storage import wal_format
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.wal_format import END, FILE_HEADER_BYTES, RecordKind

REUSED_BYTES = 1 << 20, 64 << 20
"""How large a file must, and may, be to be written over: a small one would only have to grow."""

_SPARE = "spare"
_AHEAD_BYTES = 1 << 16, 1 << 20
"""How many zeros are written ahead at least, and at most: as many as there are records."""


@dataclass(frozen=True, slots=True)
class _ClosedFile:
    path: Path
    last_sequence: int
    size_bytes: int
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class _OpenFile:
    path: Path
    descriptor: int
    seed: int


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
            _ClosedFile(path, next_sequence - 1, path.stat().st_size)
            for path in wal_format.log_files(directory)
        ]
        self._next_sequence = next_sequence
        self._file: _OpenFile | None = None
        self._following: _OpenFile | None = None
        self._spare: Path | None = None
        (directory / _SPARE).unlink(missing_ok=True)
        self._end = 0
        self._size = 0
        self._synchronised = 0
        self._synchronising = False
        self._failures = 0
        self._is_closed = False
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

    def prepare(self) -> None:
        """Make the next file ready, so that `rotate` has nothing to wait for. Raises OSError.

        Not to be called by several threads at once, nor together with `rotate` or `discard`.
        """
        with self._changed:
            if self._following is not None or self._end <= FILE_HEADER_BYTES:
                return
            number = self._next_sequence
            spare, self._spare = self._spare, None
        following = self._create(number, spare)
        with self._changed:
            self._following = following

    def rotate(self) -> int:
        """Go on in a new file; return the last sequence of the old ones.

        No append may be under way.
        """
        with self._changed:
            if self._end > FILE_HEADER_BYTES or self._file is None:
                self._close_file(is_whole=True)
                self._open()
            return self._next_sequence - 1

    def discard(self, last_sequence: int) -> None:
        """Remove the closed files that hold nothing above `last_sequence`; one may be kept to be
        written over. Raises OSError; what is still there is removed another time."""
        with self._changed:
            if self._file is None:
                return
            used = {one.path for one in (self._file, self._following) if one is not None}
            old = [file for file in self._closed if file.last_sequence <= last_sequence]
        for file in old:
            if file.path not in used:
                self._remove(file)
            with self._changed:
                self._closed.remove(file)

    @property
    def size_bytes(self) -> int:
        """How many bytes of records there are: what hot memory holds, and would be replayed."""
        return self._end + sum(file.size_bytes for file in tuple(self._closed))

    @property
    def has_records(self) -> bool:
        """Whether any file has more than its header."""
        return self.size_bytes > FILE_HEADER_BYTES

    @property
    def end(self) -> tuple[Path, int] | None:
        """The newest file and where its records end, if it can be written to."""
        with self._changed:
            return None if self._file is None else (self._file.path, self._end)

    def close(self) -> None:
        """Close the newest file; everything acknowledged is on disk already."""
        with self._changed:
            with suppress(OSError):
                if self._file is not None:
                    self._disk.truncate(self._file.descriptor, self._end)
                if self._following is not None:
                    os.close(self._following.descriptor)
                    self._following.path.unlink()
                (self._directory / _SPARE).unlink(missing_ok=True)
            self._following = None
            self._close_file()
            self._is_closed = True

    def _open(self) -> _OpenFile:
        """Go on in the file that was prepared, or in one that is made now."""
        following, self._following = self._following, None
        self._file = following or self._create(self._next_sequence, None)
        self._end = self._synchronised = FILE_HEADER_BYTES
        self._size = os.fstat(self._file.descriptor).st_size
        return self._file

    def _create(self, number: int, spare: Path | None) -> _OpenFile:
        """Start a file whose name is not above its first sequence, perhaps over a spare one.

        Everything in the spare file is in segments, and its records do not pass for records of
        the new one: their sequences are lower, and their checksums start from another salt.
        """
        path = self._directory / f"{number:020d}{wal_format.SUFFIX}"
        salt = os.urandom(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (0 if spare else os.O_TRUNC)
        descriptor = os.open(spare or path, flags, 0o600)
        try:
            self._disk.write(descriptor, wal_format.FILE_MAGIC + salt + END)
            self._disk.synchronise(descriptor)
            if spare:
                self._disk.rename(spare, path)
            self._disk.synchronise_directory(self._directory)
            os.lseek(descriptor, FILE_HEADER_BYTES, os.SEEK_SET)
        except OSError:
            os.close(descriptor)
            raise
        return _OpenFile(path, descriptor, wal_format.seed(salt))

    def _remove(self, file: _ClosedFile) -> None:
        least, most = REUSED_BYTES
        spare = self._directory / _SPARE
        try:
            size_bytes = file.path.stat().st_size
        except FileNotFoundError:
            return
        if file.is_whole and self._spare is None and least <= size_bytes <= most:
            self._disk.rename(file.path, spare)
            self._spare = spare
        else:
            self._disk.unlink(file.path)

    def _close_file(self, *, is_whole: bool = False) -> None:
        if self._file is None:
            return
        os.close(self._file.descriptor)
        last = self._next_sequence - 1
        self._closed.append(_ClosedFile(self._file.path, last, self._end, is_whole))
        self._file, self._end = None, 0

    def _write(self, kind: RecordKind, payload: bytes) -> int:
        sequence = self._next_sequence
        if self._is_closed:
            raise StorageError(f"the store over {self._directory} is closed: open it again")
        try:
            self._require_room(len(payload))
            file = self._file or self._open()
            record = wal_format.encode(file.seed, sequence, kind, payload)
            self._disk.write(file.descriptor, record + END)
            written = self._end + len(record) + len(END)
            if written > self._size:
                self._write_ahead(file, written)
            # The next record goes over the mark.
            os.lseek(file.descriptor, self._end + len(record), os.SEEK_SET)
        except OSError as error:
            self._cut(self._end)
            raise StoreFullError(
                f"the disk under {self._directory} takes no more ({error.strerror}); nothing was "
                "kept: free space or shorten the retention, then send it again"
            ) from error
        self._end += len(record)
        self._next_sequence += 1
        return sequence

    def _write_ahead(self, file: _OpenFile, written: int) -> None:
        """Put zeros after what is written; a disk that does not take them may take records."""
        least, most = _AHEAD_BYTES
        ahead = min(max(written, least), most)
        try:
            self._disk.write(file.descriptor, bytes(ahead))
            self._size = written + ahead
        except OSError:
            self._disk.truncate(file.descriptor, written)
            self._size = written

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
        file, end, failed = self._file, self._end, False
        self._changed.release()
        try:
            self._disk.synchronise(-1 if file is None else file.descriptor)
        except OSError:
            failed = True
        finally:
            self._changed.acquire()
            self._synchronising = False
            self._changed.notify_all()
        if failed or file is not self._file:
            self._abandon(file)
        else:
            self._synchronised = end

    def _abandon(self, file: _OpenFile | None) -> None:
        """After a failed fdatasync nobody knows what is on the medium: cut, and start anew.

        The kernel may have dropped the dirty pages, so that a second fdatasync would lie.
        """
        self._failures += 1
        if file is self._file:
            self._cut(self._synchronised)
            self._close_file()

    def _cut(self, length_bytes: int) -> None:
        if self._file is None:
            return
        try:
            self._disk.truncate(self._file.descriptor, length_bytes)
            self._end = self._size = length_bytes
        except OSError:
            # Who waits for the file to be synchronised waits in vain.
            self._failures += 1
            self._close_file()
