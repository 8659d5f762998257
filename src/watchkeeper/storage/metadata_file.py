"""What targets said about metric families, as one small JSON file that is replaced whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from watchkeeper.model import MetricMetadata

_DECODER = msgspec.json.Decoder(list[MetricMetadata])


def load(path: Path) -> dict[str, MetricMetadata]:
    """Return metadata by family; none if the file is missing or cannot be read as such.

    It is said again with the next scrape, so that a loss is not worth refusing to start.
    """
    try:
        return {one.name: one for one in _DECODER.decode(path.read_bytes())}
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def save(path: Path, metadata: Mapping[str, MetricMetadata]) -> None:
    """Replace the file. Raises OSError."""
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(msgspec.json.encode(list(metadata.values())))
        file.flush()
        os.fdatasync(file.fileno())
    beside.replace(path)
