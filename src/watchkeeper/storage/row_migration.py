"""From format 2, one file a period that grew with every flush, to format 3, parts.

A file that was brought over is unlinked; after a crash in between it is brought over again, to
the part of the same name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage.engine import Cursor, Engine, EngineError, is_damage
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.part import PartName, period_start
from watchkeeper.storage.part_files import PartFiles
from watchkeeper.storage.row_table import RowTable

_LAST_FORMAT = 2
_SUFFIX = "Z.duckdb"
_LOG = logging.getLogger(__name__)


def migrate(engine: Engine, files: PartFiles, table: RowTable, damage: list[DamageReport]) -> None:
    """Make parts of the older files of a directory. Raises EngineError, OSError."""
    for path in sorted(files.directory.glob(f"*{_SUFFIX}")):
        begins = period_start(path.name.removesuffix(_SUFFIX))
        if begins is None:
            continue
        _LOG.info("%s is migrated to format 3", path)
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        try:
            _bring_over(engine, files, table, path, begins)
        except (EngineError, StoreDamagedError) as error:
            if isinstance(error, EngineError) and not is_damage(error):
                raise
            aside = path.with_suffix(".damaged")
            path.rename(aside)
            damage.append(DamageReport(str(path), str(error), str(aside)))
        path.unlink(missing_ok=True)


def _bring_over(engine: Engine, files: PartFiles, table: RowTable, path: Path, begins: int) -> None:
    catalog = engine.attach(path, read_only=True)
    try:
        with engine.cursor() as cursor:
            found = tuple(_numbers(cursor, catalog, table))
        if found[0] > _LAST_FORMAT:
            raise StoreDamagedError(f"its format is {found[0]}: a newer Watchkeeper wrote it")
        _, last_sequence, rows = found
        if rows:
            name = PartName(begins, 0, max(last_sequence, 0))
            source = f"{catalog}.{table.name}"
            files.commit([files.write(name, table.arranged(source), rows)])
    finally:
        engine.detach(catalog)


def _numbers(cursor: Cursor, catalog: str, table: RowTable) -> Iterator[int]:
    """Yield the format, the watermark and the number of rows. Format 1 did not say its number."""
    tables = cursor.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [catalog]
    ).fetchall()
    known = {name for (name,) in tables}
    if not {"watermark", table.name} <= known:
        raise StoreDamagedError(f"it lacks a table: it has {sorted(known)}")
    for statement in (
        f"SELECT max(version) FROM {catalog}.format" if "format" in known else "SELECT 1",
        f"SELECT max(sequence) FROM {catalog}.watermark",
        f"SELECT count(*) FROM {catalog}.{table.name}",
    ):
        ((number,),) = cursor.execute(statement).fetchall()
        if number is None:
            raise StoreDamagedError("it does not say its format or its watermark")
        yield number
