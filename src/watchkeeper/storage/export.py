"""A store as Parquet, for whatever else reads it: one file a segment, one directory a signal.

Attributes, labels and native histograms are JSON text, times have nanoseconds or milliseconds.
Parents of spans are ids again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson

from watchkeeper.errors import StorageError
from watchkeeper.model import METRIC_NAME
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import histogram_rows
from watchkeeper.storage.engine import Cursor, Engine, EngineError
from watchkeeper.storage.metric_store import DurableMetricStore
from watchkeeper.storage.row_tiers import RowTiers

WINDOW_MS = 2 * 3600 * 1000
_SAMPLES_AT_ONCE = 1 << 20
_PARQUET = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 8192)"


@dataclass(frozen=True, slots=True)
class Exported:
    """How many rows were written, by signal."""

    samples: int
    logs: int
    spans: int


def export(
    engine: Engine, target: Path, metrics: DurableMetricStore, logs: RowTiers, spans: RowTiers
) -> Exported:
    """Write everything that is in segments to a new or empty directory.

    Raises StorageError if something is there already, or the disk does not take it.
    """
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise StorageError(f"{target} is not empty: name a new directory for the export")
        for signal in ("metrics", "logs", "spans"):
            (target / signal).mkdir(mode=0o700)
        return Exported(
            samples=sum(_samples(engine, metrics, target / "metrics")),
            logs=_rows(logs, target / "logs"),
            spans=_rows(spans, target / "spans"),
        )
    except (OSError, EngineError) as error:
        raise StorageError(
            f"the export to {target} is not complete ({error}): remove it, see to the room "
            "there, and begin again"
        ) from error


def _rows(tiers: RowTiers, directory: Path) -> int:
    exported = 0
    with tiers.asking() as asking:
        for part in asking.parts(0, 2**63 - 1):
            path = _quoted(directory / f"{part.name}.parquet")

            def copy(cursor: Cursor, rows: str, path: str = path) -> int:
                found = cursor.execute(f"COPY ({tiers.table.exported(rows)}) TO {path} {_PARQUET}")
                return int(found.fetchall()[0][0])

            exported += sum(asking.part(part, copy))
    return exported


def _samples(engine: Engine, metrics: DurableMetricStore, directory: Path) -> Iterator[int]:
    windows = {
        place.first_ms // WINDOW_MS * WINDOW_MS + step
        for file in metrics.files.all()
        for place in file.contents.windows
        for step in range(0, place.last_ms - place.first_ms + WINDOW_MS, WINDOW_MS)
    }
    for start_ms in sorted(windows):
        found = metrics.select([], start_ms, start_ms + WINDOW_MS - 1)
        moment = str(np.datetime64(start_ms, "ms").astype("datetime64[s]")).replace(":", "")
        for number, (first, end) in enumerate(_stretches(found)):
            path = directory / f"{moment}Z-{number:04}.parquet"
            yield _copy_samples(engine, found, first, end, path)


def _stretches(found: SeriesColumns) -> Iterator[tuple[int, int]]:
    """Yield runs of series, from one number up to another, of about a million samples."""
    if not len(found):
        return
    cuts = np.searchsorted(found.bounds, np.arange(0, int(found.bounds[-1]), _SAMPLES_AT_ONCE))
    yield from pairwise(
        [*np.unique(cuts).tolist(), len(found)] if len(cuts) > 1 else [0, len(found)]
    )


def _copy_samples(engine: Engine, found: SeriesColumns, first: int, end: int, path: Path) -> int:
    begin, stop = int(found.bounds[first]), int(found.bounds[end])
    labels = [dict(one) for one in found.labels[first:end]]
    with engine.cursor() as cursor:
        cursor.register(
            "series",
            {
                "number": np.arange(end - first),
                "metric": np.array([one.pop(METRIC_NAME, "") for one in labels], object),
                "labels": np.array([orjson.dumps(one).decode() for one in labels], object),
            },
        )
        cursor.register(
            "samples",
            {
                "number": np.repeat(np.arange(end - first), np.diff(found.bounds[first : end + 1])),
                "time_ms": found.timestamps_ms[begin:stop],
                "value": found.values[begin:stop],
                "histogram": _histograms(found, begin, stop),
            },
        )
        cursor.execute(
            "COPY (SELECT metric, labels, make_timestamp_ms(time_ms) AS timestamp, value, "
            "nullif(histogram, '') AS histogram FROM samples JOIN series USING (number)) "
            f"TO {_quoted(path)} {_PARQUET}"
        )
    return stop - begin


def _histograms(
    found: SeriesColumns, begin: int, stop: int
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    if found.histograms is None:
        return np.full(stop - begin, "", object)
    names = (
        *("schema", "count", "sum", "zero_threshold", "zero_count"),
        *("positive", "negative", "custom_values", "reset"),
    )
    return np.array(
        [
            ""
            if one is None
            else orjson.dumps(
                dict(zip(names, histogram_rows.pack(one), strict=True)),
                option=orjson.OPT_NON_STR_KEYS,
            ).decode()
            for one in found.histograms[begin:stop]
        ],
        object,
    )


def _quoted(path: Path) -> str:
    text = str(path).replace("'", "''")
    return f"'{text}'"
