"""Samples of stores of formats 1 and 2, which were chunks in DuckDB files, become files.

Each old file is read whole windows at a time, its new file is written, and then it is unlinked:
after a crash in between, the old file is read once more and the new one replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from watchkeeper.errors import StoreDamagedError
from watchkeeper.model import Exemplar, Labels
from watchkeeper.series_columns import Ints, SeriesColumns
from watchkeeper.storage import label_table, old_chunk
from watchkeeper.storage.column_codec import row_starts
from watchkeeper.storage.engine import Cursor, Engine, EngineError, is_damage
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.part import PartName, period_start
from watchkeeper.storage.sample_files import SampleFiles
from watchkeeper.storage.sample_window import WINDOW_MS
from watchkeeper.storage.sample_writing import SampleFileWriter

_LOG = logging.getLogger(__name__)


def migrate(engine: Engine, files: SampleFiles, damage: list[DamageReport]) -> None:
    """Make files of samples of all old ones; a damaged one is set aside. Raises OSError."""
    for path in sorted(files.directory.glob("*.duckdb")):
        period_ns = period_start(path.stem.removesuffix("Z"))
        if period_ns is None:
            continue
        _LOG.info("samples of %s become a segment file of their own", path.name)
        try:
            _migrate(engine, files, path, period_ns)
        except (EngineError, StoreDamagedError) as error:
            if isinstance(error, EngineError) and not is_damage(error):
                raise
            files.set_aside(path, str(error))
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _migrate(engine: Engine, files: SampleFiles, path: Path, period_ns: int) -> None:
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    catalog = engine.attach(path, read_only=True)
    try:
        with engine.cursor() as cursor:
            old = _OldFile(cursor, catalog)
            if old.watermark >= 0:
                _write(old, files, period_ns)
    finally:
        engine.detach(catalog)


def _write(old: _OldFile, files: SampleFiles, period_ns: int) -> None:
    labels = sorted(old.labels)
    number_of = {one: number for number, one in enumerate(labels)}
    numbers = np.array([number_of[one] for one in old.labels], np.int64)
    name = PartName(period_ns, 0, old.watermark)
    writer = SampleFileWriter(files.directory, name, label_table.of(labels), files.disk)
    try:
        for start_ms in old.windows():
            window = writer.window(start_ms)
            series, columns = old.columns(labels, numbers, start_ms)
            window.add(series, columns)
            writer.end_window(window, list(old.exemplars(numbers, start_ms)))
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
    files.load(writer.path)


class _OldFile:
    """A DuckDB file of samples: `series`, `times`, `chunks`, `exemplars`, `watermark`."""

    def __init__(self, cursor: Cursor, catalog: str) -> None:
        self._cursor, self._catalog = cursor, catalog
        self._in_force = "true"
        columns = self._rows(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND "
            "table_name = 'chunks'", [catalog],
        )  # fmt: skip
        found = self._rows(f"SELECT max(sequence) FROM {catalog}.watermark")[0][0]
        self.watermark = -1 if found is None else int(found)
        if ("sequence",) in columns:
            # What a flush left that did not end is in the log still.
            self._in_force = f"sequence <= {self.watermark}"
        texts = self._rows(f"SELECT labels FROM {catalog}.series ORDER BY id")
        self.labels = [_labels(text) for (text,) in texts]

    def windows(self) -> list[int]:
        """Return the beginnings of the windows that have something, in order."""
        starts = self._rows(
            f"SELECT start_ms FROM {self._catalog}.chunks WHERE {self._in_force} UNION "
            f"SELECT timestamp_ms FROM {self._catalog}.exemplars WHERE {self._in_force}"
        )
        return sorted({start // WINDOW_MS * WINDOW_MS for (start,) in starts})

    def columns(
        self, labels: list[Labels], numbers: Ints, start_ms: int
    ) -> tuple[Ints, SeriesColumns]:
        """Return a window's samples, and the new number of each series."""
        rows = self._rows(
            f"SELECT series, c.data, t.data, start_ms FROM {self._catalog}.chunks c "
            f"JOIN {self._catalog}.times t ON t.id = c.times WHERE {self._in_force} "
            "AND start_ms BETWEEN ? AND ?", [start_ms, start_ms + WINDOW_MS - 1],
        )  # fmt: skip
        parts: dict[int, list[tuple[int, Ints, np.ndarray[tuple[int], np.dtype[np.float64]]]]] = {}
        for series, values, times, first_ms in rows:
            part = first_ms, old_chunk.decode_times(times), old_chunk.decode_values(values)
            parts.setdefault(int(numbers[series]), []).append(part)
        order = sorted(parts)
        pieces = [piece for one in order for piece in sorted(parts[one], key=lambda it: it[0])]
        lengths = [sum(len(piece[1]) for piece in parts[one]) for one in order]
        return np.array(order, np.int64), SeriesColumns(
            [labels[one] for one in order],
            row_starts(np.array(lengths, np.int64)),
            np.concatenate([np.zeros(0, np.int64), *(times for _, times, _ in pieces)]),
            np.concatenate([np.zeros(0), *(values for _, _, values in pieces)]),
            np.arange(len(order)),
        )

    def exemplars(self, numbers: Ints, start_ms: int) -> Iterator[tuple[int, Exemplar]]:
        """Give a window's exemplars, with the new number of their series."""
        rows = self._rows(
            f"SELECT series, labels, value, timestamp_ms FROM {self._catalog}.exemplars "
            f"WHERE {self._in_force} AND timestamp_ms BETWEEN ? AND ? ORDER BY timestamp_ms",
            [start_ms, start_ms + WINDOW_MS - 1],
        )
        for series, text, value, moment_ms in rows:
            yield int(numbers[series]), Exemplar(_labels(text), value, moment_ms)

    def _rows(self, query: str, parameters: list[object] | None = None) -> list[tuple[Any, ...]]:
        return self._cursor.execute(query, parameters or []).fetchall()


def _labels(text: str) -> Labels:
    parts = orjson.loads(text)
    return tuple(zip(parts[::2], parts[1::2], strict=True))
