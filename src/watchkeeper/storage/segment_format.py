"""The version of what a segment file holds, and the way there from every earlier one.

A file says its version in its table `format`; those without one are of version 1. A step of
migration is one transaction of its file: after a crash the file is as it was before the step.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage.engine import Cursor, EngineError, is_interrupted

FORMAT = 2
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """A table of a file: its name, and its columns with their types."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def ddl(self, catalog: str) -> str:
        """Return the statement that makes it."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns)
        return f"CREATE TABLE {catalog}.{self.name}({columns})"


@dataclass(frozen=True, slots=True)
class SegmentFormat:
    """The tables of a signal's files, and how older files come to have them.

    `migrations` holds by version the statements that lead to the next; `{name}` is the catalog.
    """

    tables: tuple[SegmentTable, ...]
    migrations: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def create(self, cursor: Cursor, catalog: str) -> None:
        """Make the tables in an empty file."""
        cursor.execute(f"CREATE TABLE {catalog}.format(version INTEGER)")
        cursor.execute(f"INSERT INTO {catalog}.format VALUES ({FORMAT})")
        cursor.execute(f"CREATE TABLE {catalog}.watermark(sequence BIGINT)")
        cursor.execute(f"INSERT INTO {catalog}.watermark VALUES (-1)")
        for table in self.tables:
            cursor.execute(table.ddl(catalog))

    def bring_up_to_date(self, cursor: Cursor, catalog: str) -> None:
        """Migrate a file if it is older, and see that it has its tables.

        Raises StoreDamagedError where it is newer or is not what its version says; EngineError.
        """
        found = _version(cursor, catalog)
        if found > FORMAT:
            raise StoreDamagedError(
                f"its format is {found}, this Watchkeeper reads up to {FORMAT}: run a newer one"
            )
        try:
            for version in range(found, FORMAT):
                self._migrate(cursor, catalog, version)
            for table in self.tables:
                self._check(cursor, catalog, table)
        except EngineError as error:
            if is_interrupted(error):
                raise
            raise StoreDamagedError(f"it is not what format {found} says: {error}") from error

    def _migrate(self, cursor: Cursor, catalog: str, version: int) -> None:
        _LOG.info("a segment is migrated from format %d to %d", version, version + 1)
        cursor.execute("BEGIN")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {catalog}.format(version INTEGER)")
        for statement in self.migrations.get(version, ()):
            cursor.execute(statement.format(name=catalog))
        cursor.execute(f"DELETE FROM {catalog}.format")
        cursor.execute(f"INSERT INTO {catalog}.format VALUES ({version + 1})")
        cursor.execute("COMMIT")
        cursor.execute(f"CHECKPOINT {catalog}")

    def _check(self, cursor: Cursor, catalog: str, table: SegmentTable) -> None:
        columns = ", ".join(name for name, _ in table.columns)
        cursor.execute(f"SELECT {columns} FROM {catalog}.{table.name} LIMIT 0")


def _version(cursor: Cursor, catalog: str) -> int:
    known = cursor.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = ? AND table_name = 'format'",
        [catalog],
    ).fetchall()
    if not known[0][0]:
        return 1
    rows = cursor.execute(f"SELECT max(version) FROM {catalog}.format").fetchall()
    if rows[0][0] is None:
        raise StoreDamagedError("its table of the format is empty")
    return int(rows[0][0])
