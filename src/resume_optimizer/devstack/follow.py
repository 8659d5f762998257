"""A file that somebody else adds lines to, read as it grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Follow:
    """The lines that are added to a file from now on."""

    path: Path
    position: int = -1

    def new_lines(self) -> Iterator[str]:
        """Yield what was added since the last call; at the first, nothing."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            file.seek(0, os.SEEK_END) if self.position < 0 else file.seek(self.position)
            yield from (line.rstrip("\n") for line in file)
            self.position = file.tell()
