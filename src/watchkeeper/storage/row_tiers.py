"""Rows of one signal, hot in memory and cold in segments, seen as one.

Hot rows wait in lists until they are many, or asked for, and then are in a table of the
engine's own memory; a flush freezes it, starts another, and
copies the frozen rows into the segments of their periods.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from watchkeeper.storage.engine import Cursor, Engine, EngineError
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.segment_format import SegmentFormat, SegmentTable
from watchkeeper.storage.segment_writes import Insert, write_periods
from watchkeeper.storage.segments import Segment, Segments

T = TypeVar("T")
Columns = dict[str, list[Any]]

_POSITIONS_PER_BATCH_BITS = 24
_INSERT_AT_ROWS = 4096


@dataclass(frozen=True, slots=True)
class RowTable:
    """A table by name, its columns with their types, and the one that holds the time (ns).

    `long_texts` are worth zstd on disk; the others repeat, and dictionaries are smaller. Every
    table also has `position`: where a row stands among all that were ever appended.
    """

    name: str
    time: str
    columns: tuple[tuple[str, str], ...]
    order: str
    long_texts: frozenset[str]

    def hot_ddl(self, table: str) -> str:
        """Return the statement that makes it in memory."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns)
        return f"CREATE TABLE {table}({columns}, position BIGINT)"

    def cold_format(self) -> SegmentFormat:
        """Return what a segment file has of it."""
        columns = tuple(
            (name, kind + (" USING COMPRESSION zstd" if name in self.long_texts else ""))
            for name, kind in self.columns
        )
        return SegmentFormat((SegmentTable(self.name, (*columns, ("position", "BIGINT"))),))

    @property
    def names(self) -> str:
        """The columns as a list for SQL."""
        return ", ".join(name for name, _ in self.columns)


class RowTiers:
    """The hot table, the frozen ones and the segments of a signal."""

    def __init__(self, engine: Engine, segments: Segments, table: RowTable) -> None:
        self.table = table
        self.readers = Gate()
        self.segments = segments
        self._engine = engine
        self._numbers = itertools.count(1)
        self.rows = 0
        self._inserting = threading.Lock()
        self._waiting: list[tuple[np.ndarray[Any, Any], Columns]] = []
        self._waiting_rows = 0
        # Newest first: the hot table, then the frozen ones. Replaced whole, read once.
        self._tables: tuple[str, ...] = (self._new_hot_table(),)

    def insert(self, sequence: int, columns: Columns) -> None:
        """Take rows in: the columns of the table, all of one length, in its order."""
        positions = self._positions(sequence, columns)
        with self._inserting:
            self._waiting.append((positions, columns))
            self._waiting_rows += len(positions)
            self.rows += len(positions)
            if self._waiting_rows >= _INSERT_AT_ROWS:
                # They are durable: if there is no memory for them now, a reader tries again.
                with suppress(EngineError):
                    self._insert_waiting()

    def replay(self, sequence: int, columns: Columns) -> None:
        """Take in what no segment has yet of a record of the log."""
        times = columns[self.table.time]
        written = {
            start_ns: self.segments.watermark(start_ns)
            for start_ns in {self.segments.period_start(time) for time in times}
        }
        if all(sequence > mark for mark in written.values()):
            self.insert(sequence, columns)
            return
        keep = [
            row
            for row, time in enumerate(times)
            if sequence > written[self.segments.period_start(time)]
        ]
        if keep:
            self.insert(
                sequence, {name: [column[row] for row in keep] for name, column in columns.items()}
            )

    def freeze(self) -> None:
        """Start another hot table. No insert may be under way. Raises EngineError."""
        with self._inserting:
            self._insert_waiting()
            self._tables = (self._new_hot_table(), *self._tables)

    def write_frozen(self, sequence: int) -> None:
        """Move frozen rows, which are all up to `sequence`, into segments.

        Raises StorageError; the rows that could not be moved stay readable.
        """
        inserts: dict[int, Insert] = {}
        for start_ns in self._frozen_periods():
            inserts[start_ns] = self._copy(start_ns)
        write_periods(self.segments, self.readers, sequence, inserts, self._leave_hot)
        with self.readers.alone():
            frozen, self._tables = self._tables[1:], self._tables[:1]
        with self._engine.cursor() as cursor:
            for name in frozen:
                cursor.execute(f"DROP TABLE {name}")

    def ask_hot(self, question: Callable[[Cursor, str], T]) -> list[T]:
        """Ask the hot tables, newest first, each by its name. Call inside `readers`."""
        with self._inserting:
            self._insert_waiting()
        with self._engine.cursor() as cursor:
            return [question(cursor, name) for name in self._tables]

    def ask_cold(self, segment: Segment, question: Callable[[Cursor, str], T]) -> list[T]:
        """Ask a segment by the name of its table; nothing if it is damaged. Inside `readers`."""
        answer = self.segments.read(
            segment, lambda cursor, catalog: (question(cursor, self._shown(segment, catalog)),)
        )
        return list(answer or ())

    def ask(self, start_ns: int, end_ns: int, question: Callable[[Cursor, str], T]) -> list[T]:
        """Ask everything that may hold times of the range, newest first."""
        with self.readers.shared():
            answers = self.ask_hot(question)
            for segment in self.segments.overlapping(start_ns, end_ns):
                answers += self.ask_cold(segment, question)
            return answers

    def _shown(self, segment: Segment, catalog: str) -> str:
        """Return the rows of a segment for SQL, without those that are being written now."""
        table = f"{catalog}.{self.table.name}"
        if not segment.writing:
            return table
        beyond = (segment.watermark + 1) << _POSITIONS_PER_BATCH_BITS
        return f"(SELECT * FROM {table} WHERE position < {beyond})"

    def _new_hot_table(self) -> str:
        name = f"memory.hot_{self.table.name}_{next(self._numbers)}"
        with self._engine.cursor() as cursor:
            cursor.execute(self.table.hot_ddl(name))
        return name

    def _positions(self, sequence: int, columns: Columns) -> np.ndarray[Any, Any]:
        count = len(columns[self.table.time])
        return np.arange(count, dtype=np.int64) + (sequence << _POSITIONS_PER_BATCH_BITS)

    def _insert_waiting(self) -> None:
        """Move what waits into the hot table: an insert for each batch would be slow."""
        if not self._waiting:
            return
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        for name, kind in self.table.columns:
            dtype: Any = object if kind == "VARCHAR" else np.int64
            joined = itertools.chain.from_iterable(one[name] for _, one in self._waiting)
            arrays[name] = np.fromiter(joined, dtype, self._waiting_rows)
        arrays["position"] = np.concatenate([positions for positions, _ in self._waiting])
        with self._engine.cursor() as cursor:
            cursor.register("batch", arrays)
            cursor.execute(f"INSERT INTO {self._tables[0]} SELECT * FROM batch")
        self._waiting, self._waiting_rows = [], 0

    def _frozen_periods(self) -> list[int]:
        period_ns, time = self.segments.period_ns, self.table.time
        found: set[int] = set()
        with self._engine.cursor() as cursor:
            for name in self._tables[1:]:
                rows = cursor.execute(f"SELECT DISTINCT {time} // {period_ns} FROM {name}")
                found.update(number * period_ns for (number,) in rows.fetchall())
        return sorted(found)

    def _within(self, start_ns: int) -> str:
        time = self.table.time
        return f"{time} >= {start_ns} AND {time} < {start_ns + self.segments.period_ns}"

    def _copy(self, start_ns: int) -> Insert:
        rows = " UNION ALL ".join(
            f"SELECT * FROM {name} WHERE {self._within(start_ns)}" for name in self._tables[1:]
        )

        def insert(cursor: Cursor, segment: Segment) -> None:
            cursor.execute(
                f"INSERT INTO {segment.catalog}.{self.table.name} "
                f"SELECT * FROM ({rows}) ORDER BY {self.table.order}"
            )

        return insert

    def _leave_hot(self, start_ns: int) -> None:
        with self._engine.cursor() as cursor:
            for name in self._tables[1:]:
                cursor.execute(f"DELETE FROM {name} WHERE {self._within(start_ns)}")
