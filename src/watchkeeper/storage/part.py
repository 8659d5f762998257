"""One file of rows of a signal: which period and which stretch of the log it holds.

A part is written beside, renamed when it is whole, and never changed. Its name says that it has
every row of its period (`start_ns`, a multiple of the period's length) that the write-ahead log
held from one sequence to another, both included; so no part needs opening to know whether a
record of the log is in a part already, or whether a part was merged into a larger one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SUFFIX = ".part"
INDEX_SUFFIX = ".index"
UNFINISHED_SUFFIX = ".new"
_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d{6})Z-(\d{12,20})-(\d{12,20})")


@dataclass(frozen=True, slots=True)
class PartName:
    """What a part's name says."""

    start_ns: int
    first_sequence: int
    last_sequence: int

    def __str__(self) -> str:
        moment = str(np.datetime64(self.start_ns // 1_000_000_000, "s")).replace(":", "")
        return f"{moment}Z-{self.first_sequence:012}-{self.last_sequence:012}"

    @staticmethod
    def parse(text: str) -> PartName | None:
        """Return what a name says, or None if it is not a part's."""
        found = _NAME.fullmatch(text)
        if found is None:
            return None
        start_ns = period_start(found[1])
        if start_ns is None:
            return None
        return PartName(start_ns, int(found[2]), int(found[3]))

    def has(self, sequence: int) -> bool:
        """Tell whether a record of the log is within."""
        return self.first_sequence <= sequence <= self.last_sequence

    def replaces(self, other: PartName) -> bool:
        """Tell whether everything that another part has is in this one too."""
        return (
            self != other
            and self.start_ns == other.start_ns
            and self.first_sequence <= other.first_sequence
            and self.last_sequence >= other.last_sequence
        )


@dataclass(frozen=True, slots=True)
class PartSummary:
    """What is known of a part without opening it: times are those of its rows, both included.

    `values` has the distinct rows of the columns that lists are made of (services and their
    operations); None if they are too many to be listed here.
    """

    rows: int
    first_ns: int
    last_ns: int
    values: tuple[tuple[str, ...], ...] | None = ()


@dataclass(eq=False, slots=True)
class Part:
    """A part in its directory. `users` counts readers, `catalog` is its name while it is open."""

    name: PartName
    directory: Path
    summary: PartSummary
    size_bytes: int
    catalog: str = ""
    users: int = 0
    retired: bool = False
    damaged: str = ""
    files: tuple[Path, Path] = field(init=False)

    def __post_init__(self) -> None:
        self.files = paths(self.directory, self.name)

    @property
    def path(self) -> Path:
        """The file of the rows."""
        return self.files[0]


def paths(directory: Path, name: PartName) -> tuple[Path, Path]:
    """Return where the rows of a part and its index are."""
    return directory / f"{name}{SUFFIX}", directory / f"{name}{INDEX_SUFFIX}"


def period_start(text: str) -> int | None:
    """Return the beginning of a period as names have it, `2023-11-14T000000`, in ns."""
    day, _, clock = text.partition("T")
    try:
        moment = np.datetime64(f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}", "s")
    except ValueError:
        return None
    return int(moment.astype(np.int64)) * 1_000_000_000
