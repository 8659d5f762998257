"""The segment files of samples in a directory: which there are, and who replaces whom.

A flush writes one more file for each period that it has samples of; a merge writes one in the
place of several. Files never change, so that readers need no lock: they hold on to the tuple
that they were given. A name says the beginning of the period and the sequences of the log that
the file has: a file whose sequences lie within another's was merged into that one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.sample_file import SUFFIX, SampleFile
from watchkeeper.storage.sample_writing import UNFINISHED

_NAME = re.compile(r".+Z-\d+-\d+" + re.escape(SUFFIX))


class SampleFiles:
    """The files of one directory. Methods are safe from several threads."""

    def __init__(
        self, directory: Path, *, period_ns: int, disk: Disk, damage: list[DamageReport]
    ) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.directory = directory
        self.period_ns = period_ns
        self.disk = disk
        self._damage = damage
        self._lock = threading.Lock()
        self._reported: set[tuple[Path, str]] = set()
        for path in directory.glob(f"*{SUFFIX}{UNFINISHED}"):
            path.unlink()
        self._files: tuple[SampleFile, ...] = ()
        self.add(*self._found())

    def all(self) -> tuple[SampleFile, ...]:
        """Return the files that serve, by period, and within it from old to new."""
        return self._files

    def of_period(self, start_ns: int) -> list[SampleFile]:
        """Return the files of a period (by its start) from old to new."""
        return [file for file in self._files if file.contents.period_ns == start_ns]

    def period_start(self, time_ns: int) -> int:
        """Return the beginning of a moment's period."""
        return time_ns // self.period_ns * self.period_ns

    def watermark(self, time_ns: int) -> int:
        """Return up to which sequence the files of a moment's period are complete, or -1."""
        own = self.of_period(self.period_start(time_ns))
        return max((file.contents.last_sequence for file in own), default=-1)

    def last_sequence(self) -> int:
        """Return the highest sequence that any file has, or -1."""
        return max((file.contents.last_sequence for file in self._files), default=-1)

    def path(self, start_ns: int, first_sequence: int, last_sequence: int) -> Path:
        """Return what a file of a period is to be called."""
        moment = str(np.datetime64(start_ns // 1_000_000_000, "s")).replace(":", "")
        name = f"{moment}Z-{first_sequence:012d}-{last_sequence:012d}{SUFFIX}"
        return self.directory / name

    def add(self, *files: SampleFile) -> None:
        """Take in files that were written; those within the sequences of others leave."""
        with self._lock:
            every = [*self._files, *files]
            gone = [one for one in every if any(_replaces(other, one) for other in every)]
            kept = [one for one in every if one not in gone]
            self._files = tuple(sorted(kept, key=_order))
        for file in gone:
            file.path.unlink(missing_ok=True)

    def load(self, path: Path) -> None:
        """Open a file that was written, and take it in. Raises StoreDamagedError, OSError."""
        self.add(SampleFile.open(path))

    def drop(self, files: Iterable[SampleFile]) -> None:
        """Unlink files; whoever still reads them goes on."""
        gone = set(files)
        with self._lock:
            self._files = tuple(file for file in self._files if file not in gone)
        for file in gone:
            file.path.unlink(missing_ok=True)

    def drop_before(self, time_ns: int) -> int:
        """Unlink the files whose whole period is before a moment; return how many."""
        old = [file for file in self._files if self._end_ns(file) <= time_ns]
        self.drop(old)
        return len(old)

    def drop_above(self, maximum_bytes: int) -> int:
        """Unlink the files of the oldest periods, but never of the newest, while all take more
        than so many bytes; return how many."""
        dropped = 0
        while self._files and self.size_bytes() > maximum_bytes:
            oldest, newest = self._files[0].contents, self._files[-1].contents
            if oldest.period_ns == newest.period_ns:
                break
            own = self.of_period(oldest.period_ns)
            self.drop(own)
            dropped += len(own)
        return dropped

    def size_bytes(self) -> int:
        """Return what the files take on disk, those set aside included."""
        size_bytes = 0
        for path in self.directory.iterdir():
            try:
                size_bytes += path.stat().st_size
            except FileNotFoundError:
                continue
        return size_bytes

    def report(self, file: SampleFile, error: StoreDamagedError, *, useless: bool) -> None:
        """Note that a part of a file cannot be read, once for each reason; one without which
        the rest is useless sets it aside."""
        if useless:
            if file in self._files:
                self.set_aside(file.path, str(error))
            return
        key = file.path, str(error)
        with self._lock:
            if key not in self._reported:
                self._reported.add(key)
                self._damage.append(DamageReport(str(file.path), str(error)))

    def set_aside(self, path: Path, reason: str) -> None:
        """Move a damaged file out of the way, with its report."""
        with self._lock:
            self._files = tuple(file for file in self._files if file.path != path)
        aside, number = path.with_suffix(".damaged"), 1
        while aside.exists():
            number += 1
            aside = path.with_suffix(f".damaged-{number}")
        path.rename(aside)
        self._damage.append(DamageReport(str(path), reason, str(aside)))

    def is_damaged(self, file: SampleFile) -> bool:
        """Tell whether a part of a file could not be read."""
        return any(path == file.path for path, _ in self._reported)

    def _found(self) -> list[SampleFile]:
        found = []
        for path in sorted(self.directory.glob(f"*{SUFFIX}")):
            if not _NAME.fullmatch(path.name):
                continue
            try:
                found.append(SampleFile.open(path))
            except StoreDamagedError as error:
                self.set_aside(path, str(error))
            except IsADirectoryError:
                continue
        return found

    def _end_ns(self, file: SampleFile) -> int:
        return file.contents.period_ns + self.period_ns


def _order(file: SampleFile) -> tuple[int, int]:
    return file.contents.period_ns, file.contents.first_sequence


def _replaces(other: SampleFile, file: SampleFile) -> bool:
    """Tell whether a file has all that another has."""
    new, old = other.contents, file.contents
    return (
        file is not other
        and new.period_ns == old.period_ns
        and new.first_sequence <= old.first_sequence
        and old.last_sequence <= new.last_sequence
        and (new.first_sequence, new.last_sequence) != (old.first_sequence, old.last_sequence)
    )
