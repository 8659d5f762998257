"""The segment files of samples in a directory: which there are, and who replaces whom.

A flush writes one more file for each period that it has samples of; a merge writes one in the
place of several. Files never change, so that readers need no lock: they hold on to the tuple
that they were given. A name says the beginning of the period and the sequences of the log that
the file has: a file whose sequences lie within another's was merged into that one.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.part import PartName
from watchkeeper.storage.sample_file import SUFFIX, SampleFile
from watchkeeper.storage.sample_writing import UNFINISHED


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
        self._holders = 0
        self._gone: list[SampleFile] = []
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

    def add(self, *files: SampleFile) -> None:
        """Take in files that were written; those within the sequences of others leave.

        Raises OSError if one could not be unlinked; that is tried again.
        """
        with self._lock:
            every = [*self._files, *files]
            self._files = _without_replaced(every)
            self._gone += set(every).difference(self._files)
        self._unlink_gone()

    def load(self, path: Path) -> None:
        """Open a file that was written, and take it in. Raises StoreDamagedError, OSError."""
        self.add(SampleFile.open(path))

    def replace(self, files: Collection[SampleFile], file: SampleFile) -> bool:
        """Put a file that was written in the place of others; say whether they were still here.

        Raises OSError if one could not be unlinked; that is tried again.
        """
        with self._lock:
            here = set(files) <= set(self._files)
            if here:
                self._files = _without_replaced([*self._files, file])
            self._gone += files if here else [file]
        self._unlink_gone()
        return here

    @contextmanager
    def held(self) -> Iterator[tuple[SampleFile, ...]]:
        """Give the files; until the end, none of them is unlinked."""
        with self._lock:
            self._holders += 1
            files = self._files
        try:
            yield files
        finally:
            with self._lock:
                self._holders -= 1
            self._unlink_gone()

    def drop(self, files: Collection[SampleFile]) -> None:
        """Unlink files; whoever still reads them goes on. Raises OSError."""
        with self._lock:
            self._files = tuple(file for file in self._files if file not in files)
            self._gone += files
        self._unlink_gone()

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

    def has_room(self, size_bytes: int) -> bool:
        """Tell whether so many bytes can be written and as many are left."""
        return self.disk.room(self.directory).free_bytes >= 2 * size_bytes

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
        aside = _aside(path)
        path.rename(aside)
        self._damage.append(DamageReport(str(path), reason, str(aside)))

    def is_damaged(self, file: SampleFile) -> bool:
        """Tell whether a part of a file could not be read."""
        return any(path == file.path for path, _ in self._reported)

    def _found(self) -> list[SampleFile]:
        found = []
        for path in sorted(self.directory.glob(f"*{SUFFIX}")):
            if PartName.parse(path.stem) is None:
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

    def _unlink_gone(self) -> None:
        """Unlink what nobody holds; files with damage are put aside, for what else they have."""
        with self._lock:
            while self._gone and not self._holders:
                file = self._gone[-1]
                if self.is_damaged(file):
                    file.path.rename(_aside(file.path))
                else:
                    self.disk.unlink(file.path)
                self._gone.pop()


def _without_replaced(files: Sequence[SampleFile]) -> tuple[SampleFile, ...]:
    """Return the files that no other has all of, in order."""
    kept = [one for one in files if not any(other.name.replaces(one.name) for other in files)]
    return tuple(sorted(kept, key=lambda file: (file.name.start_ns, file.name.first_sequence)))


def _aside(path: Path) -> Path:
    """Return a name that is free for a damaged file."""
    aside, number = path.with_suffix(".damaged"), 1
    while aside.exists():
        number += 1
        aside = path.with_suffix(f".damaged-{number}")
    return aside
