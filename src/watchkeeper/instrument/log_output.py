"""Where log lines go: standard output, or a file that is rotated by size."""

from __future__ import annotations

import fcntl
import os
import select
import sys
from pathlib import Path
from typing import Protocol

from watchkeeper.instrument.settings import LOG_OFF, LOG_STDOUT, Settings

WRITE_TIMEOUT_SECONDS = 5.0


class LogOutput(Protocol):
    """Takes lines, many at once."""

    def write(self, lines: bytes) -> None:
        """Write whole lines. Raises OSError."""
        ...


class NoOutput:
    """Lines go nowhere; they are still sent over OTLP."""

    def write(self, lines: bytes) -> None:
        pass


class StandardOutput:
    """One write a batch, past Python's buffers."""

    def write(self, lines: bytes) -> None:
        write_all(1, lines)


class RotatingFile:
    """A file that becomes `<name>.1` when it is full, for any number of processes.

    Every batch is appended under a lock of its own file, so that no line is torn or lost while
    another process rotates. At most `files` old ones are kept.
    """

    def __init__(self, path: Path, max_bytes: int, files: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._files = files

    def write(self, lines: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            file = self._open()
            try:
                size = os.fstat(file).st_size
                if size and size + len(lines) > self._max_bytes:
                    os.close(file)
                    self._rotate()
                    file = self._open()
                write_all(file, lines)
            finally:
                os.close(file)
        finally:
            os.close(lock)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            older = Path(f"{self._path}.{number}")
            if older.exists():
                older.replace(f"{self._path}.{number + 1}")
        self._path.replace(f"{self._path}.1")


def log_output(settings: Settings) -> LogOutput:
    """Return what `settings.log` asks for."""
    if settings.disabled or settings.log == LOG_OFF:
        return NoOutput()
    if settings.log == LOG_STDOUT:
        # Of a process that began without one, the first file it opens has that number.
        return NoOutput() if sys.__stdout__ is None else StandardOutput()
    return RotatingFile(Path(settings.log), settings.log_max_bytes, settings.log_files)


def write_all(file: int, data: bytes) -> None:
    """Write everything to a file descriptor. Raises OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(file, view) :]
        except BlockingIOError:
            # Whoever shares the pipe may have set it non-blocking.
            if not select.select([], [file], [], WRITE_TIMEOUT_SECONDS)[1]:
                raise
