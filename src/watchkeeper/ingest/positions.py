"""Where tailing stopped, kept in a file that is either the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from watchkeeper.errors import ConfigError
from watchkeeper.ingest.tailed_file import Identity, Position


def load_positions(path: Path) -> dict[Identity, Position]:
    """Return the positions by file; none where there is no such file. Raises ConfigError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        found = msgspec.json.decode(content, type=list[Position])
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"the positions of tailed files cannot be read: {error}; without the file, "
            "all files are read from their start",
            source=str(path),
        ) from None
    return {(position.device, position.inode): position for position in found}


def save_positions(path: Path, positions: Iterable[Position]) -> None:
    """Write the positions, durably, before it returns. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(list(positions)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
