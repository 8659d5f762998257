"""Samples in a segment file: chunks of one series over at most two hours, times kept once.

Series of one target share their times; chunks name them by number. Series are numbered by
each file for itself, so that a file can be lost or dropped without the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from watchkeeper.model import Exemplar, Labels
from watchkeeper.storage import chunk
from watchkeeper.storage.engine import Cursor
from watchkeeper.storage.exemplars import SeriesExemplar
from watchkeeper.storage.hot_samples import SampleBlock
from watchkeeper.storage.sample_columns import Ids, Times, Values
from watchkeeper.storage.segment_format import SegmentFormat, SegmentTable
from watchkeeper.storage.segments import Segment
from watchkeeper.storage.series_index import SeriesIndex

CHUNK_MS = 2 * 3600 * 1000
SAMPLES = SegmentFormat(
    tables=(
        SegmentTable("series", (("id", "INTEGER"), ("labels", "VARCHAR USING COMPRESSION zstd"))),
        SegmentTable("times", (("id", "INTEGER"), ("data", "BLOB"))),
        SegmentTable(
            "chunks",
            (
                ("series", "INTEGER"),
                ("start_ms", "BIGINT"),
                ("end_ms", "BIGINT"),
                ("times", "INTEGER"),
                ("data", "BLOB"),
                ("sequence", "BIGINT"),
            ),
        ),
        SegmentTable(
            "exemplars",
            (
                ("series", "INTEGER"),
                ("timestamp_ms", "BIGINT"),
                ("value", "DOUBLE"),
                ("labels", "VARCHAR"),
                ("sequence", "BIGINT"),
            ),
        ),
    ),
    migrations={
        1: (
            "ALTER TABLE {name}.chunks ADD COLUMN IF NOT EXISTS sequence BIGINT DEFAULT -1",
            "ALTER TABLE {name}.exemplars ADD COLUMN IF NOT EXISTS sequence BIGINT DEFAULT -1",
        )
    },
)


ArrayColumns = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True)
class HotPart:
    """An ordered block on its way into a file, and the index that its ids are of."""

    block: SampleBlock
    index: SeriesIndex

    def series(self) -> dict[int, Labels]:
        """Return the label set of every id in the block."""
        return {int(one): self.index.labels(int(one)) for one in np.unique(self.block.columns.ids)}


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """One chunk as it lies in the file, times beside it."""

    series: int
    times: bytes
    values: bytes


def index(cursor: Cursor, segment: Segment) -> SeriesIndex:
    """Return the series of a file, in the order of their numbers."""
    known = segment.derived.get("index")
    if isinstance(known, SeriesIndex):
        return known
    rows = cursor.execute(f"SELECT labels FROM {segment.catalog}.series ORDER BY id").fetchall()
    loaded = SeriesIndex(_labels(text) for (text,) in rows)
    segment.derived["index"] = loaded
    return loaded


def chunks(
    cursor: Cursor, segment: Segment, ids: Ids, start_ms: int, end_ms: int
) -> list[StoredChunk]:
    """Return the chunks of some series that may hold samples of a range, by series and time."""
    cursor.register("wanted", {"series": ids})
    rows = cursor.execute(
        f"SELECT series, start_ms, times, data FROM {segment.catalog}.chunks SEMI JOIN wanted "
        "USING (series) WHERE start_ms <= ? AND end_ms >= ? AND sequence <= ?",
        [end_ms, start_ms, segment.watermark],
    ).fetchall()
    rows.sort(key=lambda row: row[:2])
    numbers = np.unique(np.array([row[2] for row in rows], np.int32))
    cursor.register("needed", {"id": numbers})
    times = dict(
        cursor.execute(
            f"SELECT id, data FROM {segment.catalog}.times SEMI JOIN needed USING (id)"
        ).fetchall()
    )
    return [StoredChunk(series, times[number], data) for series, _, number, data in rows]


def newest(cursor: Cursor, segment: Segment) -> list[tuple[int, int]]:
    """Return the time of the newest sample of each series of a file: (id, milliseconds)."""
    return cursor.execute(
        f"SELECT series, max(end_ms) FROM {segment.catalog}.chunks GROUP BY series"
    ).fetchall()


def exemplars(
    cursor: Cursor, segment: Segment, ids: Ids, start_ms: int, end_ms: int
) -> list[tuple[int, Exemplar]]:
    """Return the exemplars of some series in a range, with the number of their series."""
    cursor.register("wanted", {"series": ids})
    rows = cursor.execute(
        f"SELECT series, labels, value, timestamp_ms FROM {segment.catalog}.exemplars "
        "SEMI JOIN wanted USING (series) WHERE timestamp_ms BETWEEN ? AND ? AND sequence <= ?",
        [start_ms, end_ms, segment.watermark],
    ).fetchall()
    return [
        (series, Exemplar(_labels(labels), value, time_ms))
        for series, labels, value, time_ms in rows
    ]


def insert(
    cursor: Cursor,
    segment: Segment,
    sequence: int,
    parts: Sequence[HotPart],
    found: Sequence[SeriesExemplar],
) -> None:
    """Add ordered blocks of samples, and exemplars, in the transaction of the cursor.

    `sequence` is the watermark that the file will have then; readers go by it.
    """
    needed = [labels for part in parts for labels in part.series().values()]
    numbers = _insert_series(cursor, segment, [*needed, *(labels for labels, _ in found)])
    first = cursor.execute(f"SELECT coalesce(max(id), -1) + 1 FROM {segment.catalog}.times")
    rows = _ChunkRows(int(first.fetchall()[0][0]))
    for part in parts:
        series = part.series()
        for identity, times_ms, values in stretches(part.block):
            rows.add(numbers[series[identity]], times_ms, values)
    _insert(cursor, f"{segment.catalog}.times", rows.time_columns())
    _insert(cursor, f"{segment.catalog}.chunks", rows.chunk_columns(sequence))
    _insert(
        cursor,
        f"{segment.catalog}.exemplars",
        {
            "series": np.array([numbers[labels] for labels, _ in found], np.int32),
            "timestamp_ms": np.array([one.timestamp_ms for _, one in found], np.int64),
            "value": np.array([one.value for _, one in found], np.float64),
            "labels": _objects([_text(one.labels) for _, one in found]),
            "sequence": np.full(len(found), sequence, np.int64),
        },
    )


class _ChunkRows:
    """Collects chunks on their way into a file; equal columns of times are kept once."""

    def __init__(self, first_time_number: int) -> None:
        self._first = first_time_number
        self._times: dict[bytes, int] = {}
        self._rows: list[tuple[int, int, int, int]] = []
        self._data: list[bytes] = []

    def add(self, series: int, times_ms: Times, values: Values) -> None:
        number = self._times.setdefault(times_ms.tobytes(), self._first + len(self._times))
        self._rows.append((series, int(times_ms[0]), int(times_ms[-1]), number))
        self._data.append(chunk.encode_values(values))

    def time_columns(self) -> ArrayColumns:
        encoded = [chunk.encode_times(np.frombuffer(raw, np.int64)) for raw in self._times]
        return {"id": np.array(list(self._times.values()), np.int32), "data": _objects(encoded)}

    def chunk_columns(self, sequence: int) -> ArrayColumns:
        rows = np.array(self._rows, np.int64).reshape(-1, 4)
        names = ("series", "start_ms", "end_ms", "times")
        columns: ArrayColumns = {name: rows[:, at].copy() for at, name in enumerate(names)}
        columns["data"] = _objects(self._data)
        columns["sequence"] = np.full(len(rows), sequence, np.int64)
        return columns


def stretches(block: SampleBlock) -> Iterable[tuple[int, Times, Values]]:
    """Yield (id, times, values) of each series within each two hours of an ordered block."""
    columns = block.columns
    windows = columns.times_ms // CHUNK_MS
    new = (np.diff(columns.ids) != 0) | (np.diff(windows) != 0)
    bounds = [0, *(np.flatnonzero(new) + 1).tolist(), len(block)]
    for begin, end in pairwise(bounds):
        yield int(columns.ids[begin]), columns.times_ms[begin:end], columns.values[begin:end]


def _insert_series(cursor: Cursor, segment: Segment, series: Iterable[Labels]) -> dict[Labels, int]:
    """Return the file's number of each label set, new ones inserted."""
    known = index(cursor, segment)
    numbers: dict[Labels, int] = {}
    added: list[Labels] = []
    for labels in series:
        if labels in numbers:
            continue
        number = known.get(labels)
        if number is None:
            number = len(known) + len(added)
            added.append(labels)
        numbers[labels] = number
    _insert(
        cursor,
        f"{segment.catalog}.series",
        {
            "id": np.array([numbers[labels] for labels in added], np.int32),
            "labels": _objects([_text(labels) for labels in added]),
        },
    )
    return numbers


def _insert(cursor: Cursor, table: str, columns: ArrayColumns) -> None:
    if not len(next(iter(columns.values()))):
        return
    cursor.register("batch", columns)
    cursor.execute(f"INSERT INTO {table} SELECT * FROM batch")
    cursor.unregister("batch")


def _objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _text(labels: Labels) -> str:
    return orjson.dumps([part for pair in labels for part in pair]).decode()


def _labels(text: str) -> Labels:
    parts = orjson.loads(text)
    return tuple(zip(parts[::2], parts[1::2], strict=True))
