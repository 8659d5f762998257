"""The version that a store's directory says it has, so that an older Watchkeeper lets it be."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.errors import StorageError
from watchkeeper.storage.disk import Disk

FORMAT_FILE = "format"
FORMAT = 3
"""Until 2, each signal had one DuckDB file a period. Since 3, logs and spans have parts, and
samples files of our own."""


def is_current(directory: Path) -> bool:
    """Tell whether everything was brought to this version already.

    Raises StorageError if the directory was written by a newer Watchkeeper, or says nothing.
    """
    path = directory / FORMAT_FILE
    try:
        text = path.read_bytes().strip()
    except FileNotFoundError:
        return False
    if not text.isdigit():
        raise StorageError(
            f"{path} does not say which format the store has: put the file of a backup there, or "
            "remove it if no newer Watchkeeper wrote here"
        )
    if int(text) > FORMAT:
        raise StorageError(
            f"the store in {directory} has format {int(text)}, this Watchkeeper reads up to "
            f"{FORMAT}: run the newer one that wrote it, or choose another directory"
        )
    return int(text) == FORMAT


def note(directory: Path, disk: Disk) -> None:
    """Write down that everything has this version. Raises OSError."""
    beside = directory / f"{FORMAT_FILE}.new"
    beside.write_bytes(b"%d\n" % FORMAT)
    beside.replace(directory / FORMAT_FILE)
    disk.synchronise_directory(directory)
