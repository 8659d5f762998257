"""Rows of one signal, hot in memory and cold in parts, seen as one.

Hot rows wait in lists until they are many, or asked for, and then are in a table of the
engine's own memory; whoever appends does not wait for that. A flush freezes the table, starts
another, and writes the frozen rows as a part for each of their periods.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

import numpy as np

from watchkeeper.errors import StorageError, StoreDamagedError
from watchkeeper.storage import merge_policy
from watchkeeper.storage.asking import POSITIONS_PER_BATCH_BITS, Asking, Question, T
from watchkeeper.storage.engine import (
    Engine,
    EngineError,
    is_damage,
    is_interrupted,
    read_through,
)
from watchkeeper.storage.gate import Turn
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.open_parts import OpenParts
from watchkeeper.storage.part import Part, PartName
from watchkeeper.storage.part_files import PartFiles
from watchkeeper.storage.part_index import Wanted
from watchkeeper.storage.row_table import RowTable
from watchkeeper.storage.tier_view import HotTable, TierView, View

Columns = dict[str, list[Any]]
_Batch = tuple[np.ndarray[Any, Any], Columns]

_MANY_ROWS = 8192
_WAITING_AT_MOST_ROWS = 1 << 15
_LOG = logging.getLogger(__name__)


class RowTiers:
    """The hot table, the frozen ones and the parts of a signal."""

    def __init__(
        self,
        engine: Engine,
        files: PartFiles,
        table: RowTable,
        *,
        period_ns: int,
        open_at_most: int,
        many_wait: threading.Event,
        damage: list[DamageReport],
    ) -> None:
        self.table = table
        self.files = files
        self.rows = 0
        self._engine, self._period_ns, self._damage = engine, period_ns, damage
        self._numbers = itertools.count(1)
        self._many_wait = many_wait
        self._inserting = threading.Lock()
        # Never held for long, so that nobody who appends has to wait for the engine.
        self._handing_over = threading.Lock()
        self._waiting: list[_Batch] = []
        self._waiting_rows = 0
        self._merging = threading.Lock()
        self._losing = threading.Lock()
        self._removing = threading.Lock()
        self._unwanted: list[Part] = []
        self.opened = OpenParts(engine, files, open_at_most)
        view = View((self._new_hot_table(),), tuple(files.load(damage)))
        self.view = TierView(view, self._dispose)

    def insert(self, sequence: int, columns: Columns) -> None:
        """Take rows in: the columns of the table, all of one length, in its order.

        Sets `many_wait` for `insert_waiting` to be called once they are many.
        """
        positions = self._positions(sequence, columns)
        with self._handing_over:
            self._waiting.append((positions, columns))
            self._waiting_rows += len(positions)
            self.rows += len(positions)
            waiting_rows = self._waiting_rows
        if waiting_rows >= _WAITING_AT_MOST_ROWS:
            # They are durable: if there is no memory for them now, a reader tries again.
            with suppress(EngineError):
                self.insert_waiting()
        elif waiting_rows >= _MANY_ROWS:
            self._many_wait.set()

    def insert_waiting(self) -> None:
        """Move what waits into the hot table. Raises EngineError; then it waits on."""
        with self._inserting:
            self._insert_waiting()

    def replay(self, sequence: int, columns: Columns) -> None:
        """Take in what no part has yet of a record of the log."""
        times = columns[self.table.time]
        starts = {self._period_start(time) for time in times}
        lacking = {start_ns for start_ns in starts if not self._has(start_ns, sequence)}
        if lacking == starts:
            self.insert(sequence, columns)
            return
        keep = [row for row, time in enumerate(times) if self._period_start(time) in lacking]
        if keep:
            self.insert(
                sequence, {name: [column[row] for row in keep] for name, column in columns.items()}
            )

    def last_sequence(self) -> int:
        """Return the last sequence of the log that a part has, or -1."""
        return max((part.name.last_sequence for part in self.view.current.parts), default=-1)

    def freeze(self) -> None:
        """Start another hot table. No insert may be under way. Raises EngineError."""
        with self._inserting:
            self._insert_waiting()
            self.view.add_hot(self._new_hot_table())

    def write_frozen(self, sequence: int) -> None:
        """Move frozen rows, which are all up to `sequence`, into parts: all or none.

        Raises StorageError; the rows that could not be moved stay readable.
        """
        frozen = self.view.current.hot[1:]
        if not frozen:
            return
        written: list[Part] = []
        try:
            for start_ns, rows in self._periods(frozen):
                written.append(self._write(self._next_name(start_ns, sequence), frozen, rows))
            self.files.commit(written)
        except (EngineError, OSError) as error:
            for part in written:
                self.files.discard(part.name)
            raise StorageError(
                f"hot {self.table.name} could not be moved and stay in the log: {error}"
            ) from error
        self.view.replace(frozen, written)

    def merge(self, *, closed_before_ns: int, turn: Turn = nullcontext) -> bool:
        """Make one part of a few, if there are some to merge; return whether there were.

        What is not the engine's work is done in steps, each inside of a `turn`.

        Raises StorageError; the parts are then as they were.
        """
        with self._merging, self.view.held() as view:
            some = merge_policy.choose(view.parts, closed_before_ns=closed_before_ns)
            if not some:
                return False
            try:
                merged = self._write_merged(some, turn)
            except (EngineError, OSError, StoreDamagedError) as error:
                if not isinstance(error, OSError) and self._lose_damaged(some, error):
                    return True
                raise StorageError(
                    f"parts of {self.table.name} could not be merged and stay as they are: {error}"
                ) from error
            if not self.view.replace(some, [merged]):
                self.files.discard(merged.name)
            return True

    def ask(
        self, start_ns: int, end_ns: int, question: Question[T], *, wanted: Sequence[Wanted] = ()
    ) -> list[T]:
        """Ask everything that may hold times of the range, and what is wanted, if anything is."""
        with self.asking(wanted) as asking:
            return asking.all(start_ns, end_ns, question)

    @contextmanager
    def asking(self, wanted: Sequence[Wanted] = ()) -> Iterator[Asking]:
        """Hold what is there now, to be asked bit by bit; rows may be left out that lack what
        is wanted."""
        self.insert_waiting()
        with self.view.held() as view:
            yield Asking(self._engine, self, view, wanted)

    def lose(self, part: Part, error: EngineError | StoreDamagedError) -> None:
        """Set a part aside that cannot be read; raise the error if it can, or for another reason.

        The engine may fail at a question, too: nobody's data is put away for that.
        """
        if isinstance(error, EngineError):
            if is_interrupted(error):
                raise StorageError(
                    f"{part.path} cannot be read while the disk is full: ask again"
                ) from error
            if not is_damage(error) or not self._is_unreadable(part):
                raise error
        with self._losing:
            if part in self.view.current.parts and not part.damaged:
                part.damaged = str(error)
                self._damage.append(self.files.set_aside(part.name, part.damaged))
        self.view.replace([part], ())

    def drop_before(self, time_ns: int) -> int:
        """Unlink the parts of which every row is before a moment; return how many."""
        self._remove_unwanted()
        return self._drop(p for p in self.view.current.parts if p.summary.last_ns < time_ns)

    def drop_above(self, maximum_bytes: int) -> int:
        """Unlink the oldest parts, but never the newest, while all take more; return how many."""
        total, old = self.size_bytes(), []
        for part in sorted(self.view.current.parts, key=lambda part: part.summary.last_ns)[:-1]:
            if total <= maximum_bytes:
                break
            total -= part.size_bytes
            old.append(part)
        return self._drop(old)

    def size_bytes(self) -> int:
        """Return what the signal takes on disk, hot rows apart."""
        return self.files.size_bytes()

    def _dispose(self, one: HotTable | Part) -> None:
        if isinstance(one, HotTable):
            with self._engine.cursor() as cursor:
                cursor.execute(f"DROP TABLE {one.name}")
            return
        self.opened.close(one)
        if not one.damaged:
            with self._removing:
                self._unwanted.append(one)
            self._remove_unwanted()

    def _remove_unwanted(self) -> None:
        """Unlink what nobody reads any more; what the disk does not let go is tried again."""
        with self._removing:
            waiting, self._unwanted = self._unwanted, []
            for part in waiting:
                try:
                    self.files.remove(part)
                except OSError as error:
                    _LOG.warning("%s is to be removed later: %s", part.path, error)
                    self._unwanted.append(part)

    def _drop(self, parts: Iterable[Part]) -> int:
        return sum(self.view.replace([part], ()) for part in parts)

    def _has(self, start_ns: int, sequence: int) -> bool:
        return any(
            part.name.start_ns == start_ns and part.name.has(sequence)
            for part in self.view.current.parts
        )

    def _period_start(self, time_ns: int) -> int:
        return time_ns // self._period_ns * self._period_ns

    def _next_name(self, start_ns: int, sequence: int) -> PartName:
        """Return the name of a part of everything hot: what came after the period's last part."""
        names = [part.name for part in self.view.current.parts]
        last = max((n.last_sequence for n in names if n.start_ns == start_ns), default=-1)
        return PartName(start_ns, last + 1, sequence)

    def _write_merged(self, some: Sequence[Part], turn: Turn) -> Part:
        """Write the rows of parts, in their order, as one part that has its name already."""
        first, last = some[0].name, some[-1].name
        name = PartName(first.start_ns, first.first_sequence, last.last_sequence)
        with ExitStack() as opened:
            tables = [
                f"{opened.enter_context(self.opened.use(part))}.{self.table.name}" for part in some
            ]
            select = " UNION ALL ".join(f"SELECT * FROM {table}" for table in tables)
            rows = sum(part.summary.rows for part in some)
            merged = self.files.write(name, select, rows, turn=turn)
        try:
            self.files.commit([merged])
        except OSError:
            self.files.discard(name)
            raise
        return merged

    def _lose_damaged(self, some: Sequence[Part], error: EngineError | StoreDamagedError) -> bool:
        """Set those aside that cannot be read, return whether there were any."""
        for part in some:
            if self._is_unreadable(part):
                self.lose(part, error)
        return any(part.damaged for part in some)

    def _is_unreadable(self, part: Part) -> bool:
        try:
            with self.opened.use(part) as catalog, self._engine.cursor() as cursor:
                read_through(cursor, f"{catalog}.{self.table.name}")
        except (EngineError, StoreDamagedError):
            return True
        return False

    def _write(self, name: PartName, frozen: Sequence[HotTable], rows: int) -> Part:
        time, end_ns = self.table.time, name.start_ns + self._period_ns
        source = " UNION ALL ".join(
            f"SELECT * FROM {table.name} WHERE {time} >= {name.start_ns} AND {time} < {end_ns}"
            for table in frozen
        )
        select = self.table.arranged(f"({source})")
        return self.files.write(name, select, rows, is_merged=False)

    def _periods(self, frozen: Sequence[HotTable]) -> list[tuple[int, int]]:
        """Return the periods of rows, with how many each has."""
        period_ns, time = self._period_ns, self.table.time
        source = " UNION ALL ".join(f"SELECT {time} FROM {table.name}" for table in frozen)
        with self._engine.cursor() as cursor:
            found = cursor.execute(
                f"SELECT {time} // {period_ns} AS period, count(*) FROM ({source}) "
                "GROUP BY period ORDER BY period"
            ).fetchall()
        return [(number * period_ns, rows) for number, rows in found]

    def _new_hot_table(self) -> HotTable:
        table = HotTable(f"memory.hot_{self.table.name}_{next(self._numbers)}")
        with self._engine.cursor() as cursor:
            cursor.execute(self.table.hot_ddl(table.name))
        return table

    def _positions(self, sequence: int, columns: Columns) -> np.ndarray[Any, Any]:
        count = len(columns[self.table.time])
        return np.arange(count, dtype=np.int64) + (sequence << POSITIONS_PER_BATCH_BITS)

    def _insert_waiting(self) -> None:
        # All at once: an insert for each batch would be slow.
        with self._handing_over:
            waiting, self._waiting = self._waiting, []
            rows, self._waiting_rows = self._waiting_rows, 0
        if not waiting:
            return
        try:
            with self._engine.cursor() as cursor:
                cursor.register("batch", self._joined(waiting, rows))
                insert = f"INSERT INTO {self.view.current.hot[0].name} SELECT * FROM batch"
                self._engine.with_memory(lambda: cursor.execute(insert))
        except BaseException:
            with self._handing_over:
                self._waiting = waiting + self._waiting
                self._waiting_rows += rows
            raise

    def _joined(self, waiting: Sequence[_Batch], rows: int) -> dict[str, np.ndarray[Any, Any]]:
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        for name, kind in self.table.columns:
            dtype: Any = object if kind == "VARCHAR" else np.int64
            joined = itertools.chain.from_iterable(one[name] for _, one in waiting)
            arrays[name] = np.fromiter(joined, dtype, rows)
        arrays["position"] = np.concatenate([positions for positions, _ in waiting])
        return arrays
