"""The segment files of one signal: one DuckDB file a period, opened when they are needed.

A file is complete in itself. Its table `watermark` says up to which sequence of the
write-ahead log it has every record of its period; whatever a crash left behind in DuckDB's
own log is thrown away, since the records are still in the store's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from watchkeeper.errors import StorageError, StoreDamagedError
from watchkeeper.storage.engine import (
    Cursor,
    Engine,
    EngineError,
    is_damage,
    is_interrupted,
)
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.segment_format import SegmentFormat

SUFFIX = ".duckdb"

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Segment:
    """One file: its period (`end_ns` is not in it any more), and what is known while it is open.

    `derived` holds what a store worked out from the file; it is emptied when the file changes.
    """

    path: Path
    start_ns: int
    end_ns: int
    catalog: str = ""
    users: int = 0
    damaged: str = ""
    watermark: int = -1
    writing: bool = False
    derived: dict[str, object] = field(default_factory=dict)


class Segments:
    """The files of one directory. Methods are safe from several threads unless they say so."""

    def __init__(
        self,
        engine: Engine,
        directory: Path,
        *,
        period_ns: int,
        form: SegmentFormat,
        open_at_most: int,
        damage: list[DamageReport],
    ) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.period_ns = period_ns
        self._engine = engine
        self._directory = directory
        self._form = form
        self._open_at_most = open_at_most
        self._damage = damage
        self._lock = threading.Lock()
        self._segments: dict[int, Segment] = {}
        for path in sorted(directory.glob(f"*{SUFFIX}")):
            start_ns = _start_ns(path)
            if start_ns is not None:
                self._segments[start_ns] = Segment(path, start_ns, start_ns + period_ns)

    def overlapping(self, start_ns: int, end_ns: int) -> list[Segment]:
        """Return the segments that hold times of the range, newest first."""
        with self._lock:
            found = [
                segment
                for segment in self._segments.values()
                if segment.start_ns <= end_ns and segment.end_ns > start_ns and not segment.damaged
            ]
        return sorted(found, key=lambda segment: segment.start_ns, reverse=True)

    def all(self) -> list[Segment]:
        """Return every segment that serves, newest first."""
        with self._lock:
            found = [segment for segment in self._segments.values() if not segment.damaged]
        return sorted(found, key=lambda segment: segment.start_ns, reverse=True)

    def read(self, segment: Segment, question: Callable[[Cursor, str], T]) -> T | None:
        """Ask one segment, by a cursor and the name of its catalog; None if it is damaged.

        Raises EngineError when it is the question or the memory that is at fault.
        """
        try:
            catalog = self._acquire(segment)
        except (EngineError, StoreDamagedError) as error:
            self._note_damage(segment, error)
            return None
        try:
            with self._engine.cursor() as cursor:
                return question(cursor, catalog)
        except EngineError as error:
            self._note_damage(segment, error)
            return None
        finally:
            self._release(segment)

    def watermark(self, time_ns: int) -> int:
        """Return up to which sequence the file of a moment's period is complete, or -1."""
        segment = self._segments.get(self.period_start(time_ns))
        if segment is None or segment.damaged:
            return -1
        if not segment.catalog:
            self.read(segment, lambda cursor, catalog: None)
        return -1 if segment.damaged else segment.watermark

    def period_start(self, time_ns: int) -> int:
        """Return the beginning of a moment's period."""
        return time_ns // self.period_ns * self.period_ns

    def cursor(self) -> Cursor:
        """Return a connection of its own for a transaction."""
        return self._engine.cursor()

    def begin_writing(self, start_ns: int) -> Segment:
        """Return the open segment of a period, made if need be; `end_writing` ends it.

        Nobody may be reading. Raises EngineError, OSError.
        """
        segment = self._segments.get(start_ns)
        if segment is not None:
            try:
                self._acquire(segment)
            except (EngineError, StoreDamagedError) as error:
                self._note_damage(segment, error)
                self.set_aside(segment)
                segment = None
        if segment is None:
            segment = Segment(self._path(start_ns), start_ns, start_ns + self.period_ns)
            self._create(segment)
            with self._lock:
                self._segments[start_ns] = segment
        segment.writing = True
        return segment

    def end_writing(self, segment: Segment, sequence: int, *, failed: bool) -> bool:
        """Show what was written up to a sequence; return whether the file has it.

        Nobody may be reading. A file whose write failed is closed, so that it is opened again
        as it was before, or as it is if the write got through after all.
        """
        segment.writing = False
        segment.derived = {}
        if failed:
            with suppress(EngineError, StoreDamagedError), self._lock:
                self._close(segment)
                self._open(segment)
        else:
            segment.watermark = sequence
        written = bool(segment.catalog) and segment.watermark >= sequence
        self._release(segment)
        return written

    def set_aside(self, segment: Segment) -> None:
        """Move a damaged file out of the way, with its report. Nobody may be reading it."""
        with self._lock:
            self._segments.pop(segment.start_ns, None)
        self._close(segment)
        aside = self._directory / f"{segment.path.stem}.damaged"
        number = 1
        while aside.exists():
            number += 1
            aside = self._directory / f"{segment.path.stem}.damaged-{number}"
        if segment.path.exists():
            segment.path.rename(aside)
        self._damage.append(DamageReport(str(segment.path), segment.damaged, str(aside)))

    def damaged(self) -> list[Segment]:
        """Return the segments that failed and were not set aside yet."""
        with self._lock:
            return [segment for segment in self._segments.values() if segment.damaged]

    def drop_before(self, time_ns: int) -> int:
        """Unlink the files whose whole period is before a moment; return how many.

        Nobody may be reading them.
        """
        old = [segment for segment in self.all() if segment.end_ns <= time_ns]
        for segment in old:
            self._drop(segment)
        return len(old)

    def drop_above(self, maximum_bytes: int) -> int:
        """Unlink the oldest files, but never the newest, while all take more; return how many.

        Nobody may be reading them.
        """
        total = self.size_bytes()
        dropped = 0
        for segment in self.all()[:0:-1]:
            if total <= maximum_bytes:
                break
            total -= segment.path.stat().st_size
            self._drop(segment)
            dropped += 1
        return dropped

    def size_bytes(self) -> int:
        """Return what the files take on disk, those set aside included."""
        size_bytes = 0
        for path in self._directory.iterdir():
            with suppress(FileNotFoundError):
                size_bytes += path.stat().st_size
        return size_bytes

    def close(self) -> None:
        """Close every file."""
        for segment in list(self._segments.values()):
            self._close(segment)

    def _drop(self, segment: Segment) -> None:
        with self._lock:
            del self._segments[segment.start_ns]
        self._close(segment)
        segment.path.unlink(missing_ok=True)

    def _path(self, start_ns: int) -> Path:
        moment = str(np.datetime64(start_ns // 1_000_000_000, "s")).replace(":", "")
        return self._directory / f"{moment}Z{SUFFIX}"

    def _acquire(self, segment: Segment) -> str:
        with self._lock:
            if not segment.catalog:
                self._close_idle(self._open_at_most - 1)
                self._open(segment)
            segment.users += 1
            # The newest use goes last: the first idle one is the longest idle.
            if self._segments.get(segment.start_ns) is segment:
                self._segments[segment.start_ns] = self._segments.pop(segment.start_ns)
            return segment.catalog

    def _release(self, segment: Segment) -> None:
        with self._lock:
            segment.users -= 1
            self._close_idle(self._open_at_most)

    def _open(self, segment: Segment) -> None:
        _own_log(segment.path).unlink(missing_ok=True)
        segment.catalog = self._engine.attach(segment.path)
        try:
            with self._engine.cursor() as cursor:
                self._form.bring_up_to_date(cursor, segment.catalog)
                found = cursor.execute(
                    f"SELECT max(sequence) FROM {segment.catalog}.watermark"
                ).fetchone()
        except (EngineError, StoreDamagedError):
            self._close(segment)
            raise
        segment.watermark = int(found[0]) if found and found[0] is not None else -1

    def _create(self, segment: Segment) -> None:
        _own_log(segment.path).unlink(missing_ok=True)
        segment.catalog = self._engine.attach(segment.path)
        with self._engine.cursor() as cursor:
            self._form.create(cursor, segment.catalog)
            cursor.execute(f"CHECKPOINT {segment.catalog}")
        segment.users = 1

    def _close(self, segment: Segment) -> None:
        if segment.catalog:
            self._engine.detach(segment.catalog)
        segment.catalog = ""
        segment.derived = {}

    def _close_idle(self, leave_open: int) -> None:
        idle = [one for one in self._segments.values() if one.catalog and not one.users]
        opened = sum(1 for one in self._segments.values() if one.catalog)
        for segment in idle[: max(0, opened - leave_open)]:
            self._close(segment)

    def _note_damage(self, segment: Segment, error: EngineError | StoreDamagedError) -> None:
        if isinstance(error, StoreDamagedError):
            segment.damaged = str(error)
            return
        if is_interrupted(error):
            raise StorageError(
                f"{segment.path} is being opened again after the disk was full: ask again"
            ) from error
        if not is_damage(error):
            raise error
        segment.damaged = str(error)


def _own_log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _start_ns(path: Path) -> int | None:
    name = path.name.removesuffix(SUFFIX).removesuffix("Z")
    day, _, clock = name.partition("T")
    try:
        moment = np.datetime64(f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}", "s")
    except ValueError:
        return None
    return int(moment.astype(np.int64)) * 1_000_000_000
