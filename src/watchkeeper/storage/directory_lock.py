"""One process a store: an advisory lock on its directory that dies with its holder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from watchkeeper.errors import StorageError

LOCK_FILE = "lock"


class DirectoryLock:
    """Holds `directory/lock` exclusively; the file names the holder's process id.

    Raises StorageError when another process, or another store of this one, holds it.
    """

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise StorageError(
                f"the store in {directory} is in use by process {holder or '(unknown)'}: "
                "stop that process, or choose another directory"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let the directory go."""
        os.close(self._descriptor)
