"""The files of a signal's parts: written beside and renamed, read when the store opens, removed.

A crash leaves at most unfinished files and parts that were merged into one; both are removed
at the next start.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage import bloom, grams, part_index
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.engine import Cursor, Engine, EngineError, is_damage
from watchkeeper.storage.gate import Turn
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.part import (
    INDEX_SUFFIX,
    SUFFIX,
    UNFINISHED_SUFFIX,
    Part,
    PartName,
    PartSummary,
    paths,
)
from watchkeeper.storage.part_index import GRANULE_ROWS
from watchkeeper.storage.row_table import RowTable
from watchkeeper.storage.store_format import FORMAT

_LISTED_AT_MOST = 5000
_SMALL_ROWS = 20_000
_TEXTS_AT_ONCE = 2048
_SMALL_BLOCK_BYTES = 1 << 14
_BITS_PER_KEY = 24
"""A search asks every granule for twenty traces, and each that is opened in vain costs 10 ms."""
_BITS_PER_GRAM = 12
_LOG = logging.getLogger(__name__)


class PartFiles:
    """The directory of one signal's parts."""

    def __init__(self, engine: Engine, directory: Path, table: RowTable, disk: Disk) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.directory = directory
        self._engine, self._table, self._disk = engine, table, disk

    def load(self, damage: list[DamageReport]) -> list[Part]:
        """Return the parts that are there, and put away what a crash left. Raises OSError."""
        for path in self.directory.glob(f"*{UNFINISHED_SUFFIX}*"):
            path.unlink()
        names = [
            name
            for path in sorted(self.directory.glob(f"*{SUFFIX}"))
            if (name := PartName.parse(path.stem))
        ]
        current = [name for name in names if not any(one.replaces(name) for one in names)]
        for name in set(names) - set(current):
            self._unlink(name)
        for path in self.directory.glob(f"*{INDEX_SUFFIX}"):
            if PartName.parse(path.stem) not in current:
                path.unlink()
        return [part for name in current if (part := self._load(name, damage))]

    def write(
        self,
        name: PartName,
        select: str,
        rows: int,
        *,
        is_merged: bool = True,
        turn: Turn = nullcontext,
    ) -> Part:
        """Write a part of what `select` returns, about so many rows, to be renamed by `commit`.

        One that is not merged from parts is written sooner, and is larger. Its index is made in
        steps, each inside of a `turn`.
        Raises EngineError, OSError; nothing is left of it then.
        """
        path, index = map(_unfinished, paths(self.directory, name))
        try:
            summary, encoded = self._engine.with_memory(
                lambda: self._write_anew(name, path, select, rows, is_merged, turn)
            )
            self._synchronise(path)
            self._write_bytes(index, encoded)
        except BaseException:
            self.discard(name)
            raise
        return Part(name, self.directory, summary, _allocated(path) + _allocated(index))

    def commit(self, parts: Sequence[Part]) -> None:
        """Give written parts their names, for good. Raises OSError; some may have them then."""
        for part in parts:
            for path in reversed(part.files):
                self._disk.rename(_unfinished(path), path)
        self._disk.synchronise_directory(self.directory)

    def discard(self, name: PartName) -> None:
        """Remove whatever there is of a part that was not committed, or not with the others."""
        for path in paths(self.directory, name):
            unfinished = _unfinished(path)
            for one in (path, unfinished):
                with suppress(OSError):
                    one.unlink(missing_ok=True)

    def remove(self, part: Part) -> None:
        """Unlink a part that nobody reads any more. Raises OSError.

        Its index, which means nothing alone, goes last.
        """
        self._unlink(part.name)

    def set_aside(self, name: PartName, reason: str) -> DamageReport:
        """Rename a damaged part, so that nobody reads it; readers inside may go on."""
        path, index = paths(self.directory, name)
        aside, number = path.with_suffix(".damaged"), 1
        while aside.exists():
            number += 1
            aside = path.with_suffix(f".damaged-{number}")
        with suppress(FileNotFoundError):
            path.rename(aside)
        index.unlink(missing_ok=True)
        return DamageReport(str(path), reason, str(aside))

    def size_bytes(self) -> int:
        """Return what the directory takes on disk, files set aside included."""
        return sum(map(_allocated, self.directory.iterdir()))

    def check(self, cursor: Cursor, catalog: str) -> None:
        """See that an open part is what this version reads. Raises StoreDamagedError."""
        names = ", ".join(name for name, _ in self._table.part_columns)
        try:
            found = cursor.execute(f"SELECT version FROM {catalog}.format").fetchall()
            cursor.execute(f"SELECT {names} FROM {catalog}.{self._table.name} LIMIT 0")
        except EngineError as error:
            if is_damage(error) or "Binder" in str(error):
                raise StoreDamagedError(f"it is not what format {FORMAT} says: {error}") from error
            raise
        if found != [(FORMAT,)]:
            raise StoreDamagedError(f"its format is {found}, this Watchkeeper reads {FORMAT}")

    def _load(self, name: PartName, damage: list[DamageReport]) -> Part | None:
        path, index = paths(self.directory, name)
        try:
            try:
                summary = part_index.read_summary(index)
            except (OSError, StoreDamagedError) as error:
                _LOG.warning("the index of %s is made anew: %s", path, error)
                summary = self._index_anew(path, index)
        except (EngineError, StoreDamagedError) as error:
            if isinstance(error, EngineError) and not is_damage(error):
                raise
            damage.append(self.set_aside(name, str(error)))
            return None
        return Part(name, self.directory, summary, _allocated(path) + _allocated(index))

    def _index_anew(self, path: Path, index: Path) -> PartSummary:
        catalog = self._engine.attach(path, read_only=True)
        try:
            with self._engine.cursor() as cursor:
                self.check(cursor, catalog)
                summary, encoded = self._look_over(cursor, catalog, nullcontext)
        finally:
            self._engine.detach(catalog)
        self._write_bytes(_unfinished(index), encoded)
        self._disk.rename(_unfinished(index), index)
        return summary

    def _write_anew(
        self, name: PartName, path: Path, select: str, rows: int, is_merged: bool, turn: Turn
    ) -> tuple[PartSummary, bytes]:
        self.discard(name)
        block_bytes = _SMALL_BLOCK_BYTES if rows < _SMALL_ROWS else None
        catalog = self._engine.attach(path, block_bytes=block_bytes)
        try:
            with self._engine.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute(f"CREATE TABLE {catalog}.format AS SELECT {FORMAT} AS version")
                cursor.execute(self._table.part_ddl(catalog, is_merged=is_merged))
                cursor.execute(f"INSERT INTO {catalog}.{self._table.name} {select}")
                cursor.execute("COMMIT")
                cursor.execute(f"FORCE CHECKPOINT {catalog}")
                return self._look_over(cursor, catalog, turn)
        finally:
            with suppress(EngineError):
                self._engine.detach(catalog)

    def _look_over(self, cursor: Cursor, catalog: str, turn: Turn) -> tuple[PartSummary, bytes]:
        """Return the summary of an open part, and its index."""
        table, time = f"{catalog}.{self._table.name}", self._table.time
        granules = cursor.execute(
            f"SELECT min({time}), max({time}), count(*) FROM {table} "
            f"GROUP BY rowid // {GRANULE_ROWS} ORDER BY rowid // {GRANULE_ROWS}"
        ).fetchall()
        summary = PartSummary(
            rows=sum(rows for _, _, rows in granules),
            first_ns=min(first_ns for first_ns, _, _ in granules),
            last_ns=max(last_ns for _, last_ns, _ in granules),
            values=self._values(cursor, table),
        )
        filters = defaultdict[str, list[bytes]](list)
        for granule in range(len(granules)):
            with turn():
                filters[self._table.key].append(self._filter_of_keys(cursor, table, granule))
            for column in self._table.searched:
                with turn():
                    found = self._filter_of_texts(cursor, table, column, granule)
                    filters[column].append(found)
        times_ns = [(first_ns, last_ns) for first_ns, last_ns, _ in granules]
        return summary, part_index.encode(summary, times_ns, filters)

    def _values(self, cursor: Cursor, table: str) -> tuple[tuple[str, ...], ...] | None:
        if not self._table.listed:
            return ()
        listed = ", ".join(self._table.listed)
        statement = f"SELECT DISTINCT {listed} FROM {table} LIMIT {_LISTED_AT_MOST + 1}"
        values = sorted(cursor.execute(statement).fetchall())
        return None if len(values) > _LISTED_AT_MOST else tuple(values)

    def _filter_of_keys(self, cursor: Cursor, table: str, granule: int) -> bytes:
        # One granule after the other: what is fetched at once keeps other threads waiting.
        key = self._table.key
        hashed = cursor.execute(
            f"SELECT DISTINCT md5_number_lower({key}) AS key FROM ("
            f"SELECT DISTINCT {key} FROM {table} WHERE {_rows_of(granule)} AND {key} <> '')"
        ).fetchnumpy()
        return bloom.build(hashed["key"].astype(np.uint64), _BITS_PER_KEY)

    def _filter_of_texts(self, cursor: Cursor, table: str, column: str, granule: int) -> bytes:
        texts = cursor.execute(
            f"SELECT lower({column}) AS text FROM {table} WHERE {_rows_of(granule)}"
        )
        batches = iter(lambda: texts.fetchmany(_TEXTS_AT_ONCE), [])
        keys = grams.keys_of_texts([text for (text,) in batch] for batch in batches)
        return b"" if keys is None else bloom.build(keys, _BITS_PER_GRAM)

    def _write_bytes(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._disk.write(descriptor, data)
            self._disk.synchronise(descriptor)
        finally:
            os.close(descriptor)

    def _synchronise(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._disk.synchronise(descriptor)
        finally:
            os.close(descriptor)

    def _unlink(self, name: PartName) -> None:
        for path in paths(self.directory, name):
            self._disk.unlink(path)


def _rows_of(granule: int) -> str:
    first = granule * GRANULE_ROWS
    return f"rowid BETWEEN {first} AND {first + GRANULE_ROWS - 1}"


def _allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + UNFINISHED_SUFFIX)
