"""The store beside SQLite and chDB: durable writes, bytes on disk, latencies of reads.

    python bench/store.py [thousands of records]

One thread, batches of 1,000, each on the medium before the next; SQLite with a write-ahead log,
synchronous=FULL and the indexes that its reads need. Both sides get the same records from a
seed, turn about. chDB gets them after that, in a process of its own (bench/chdb_peer.py), if
`make bench-store` has installed it. Prints a table and writes bench/out/store.json.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from pathlib import Path

import numpy as np
import orjson
import store_data
from rounds import ROUNDS, median_ms

from watchkeeper.model import LogRecord, Matcher, MatchOperator, SampleBatch, SpanRecord
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store, StoreLimits

EVER = (0, 2**62)
CHDB = Path(__file__).parents[1] / ".venv-bench-store/bin/python"
SEGMENTS = 30
WANTED = {
    "samples a second": 1_000_000,
    "logs a second": 100_000,
    "spans a second": 100_000,
    "bytes each, samples": 1.5,
    "bytes each, logs": 75,
    "bytes each, spans": 55,
}
Figures = dict[str, float]
LOG_FIELDS = attrgetter(
    "timestamp_ns", "severity", "message", "service", "logger", "trace_id", "span_id"
)
SPAN_FIELDS = attrgetter(
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "start_ns",
    "end_ns",
    "service",
    "status",
    "scope",
)


class Sqlite:
    """What one would build with SQLite alone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.series: dict[object, int] = {}
        self.connections = {name: self._open(name, ddl) for name, ddl in TABLES.items()}

    def _open(self, name: str, ddl: str) -> sqlite3.Connection:
        connection = sqlite3.connect(self.directory / f"{name}.sqlite", isolation_level=None)
        connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {ddl}")
        return connection

    def insert(self, name: str, rows: list[tuple[object, ...]]) -> None:
        connection = self.connections[name]
        marks = ", ".join("?" * len(rows[0]))
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        connection.execute("COMMIT")

    def samples(self, batch: SampleBatch) -> None:
        ids = [self.series.setdefault(labels, len(self.series)) for labels in batch.labels]
        rows = zip(ids, batch.timestamps_ms.tolist(), batch.values.tolist(), strict=True)
        self.insert("samples", list(rows))

    def logs(self, records: list[LogRecord]) -> None:
        self.insert("logs", [(*LOG_FIELDS(one), *as_json(one)) for one in records])

    def spans(self, spans: list[SpanRecord]) -> None:
        self.insert("spans", [(*SPAN_FIELDS(one), *as_json(one)) for one in spans])

    def settle(self) -> None:
        for connection in self.connections.values():
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, name: str, question: str) -> int:
        return len(self.connections[name].execute(question).fetchall())

    def size_bytes(self, name: str) -> int:
        return (self.directory / f"{name}.sqlite").stat().st_size


TABLES = {
    "samples": "CREATE TABLE samples(series INTEGER, time INTEGER, value REAL, "
    "PRIMARY KEY(series, time)) WITHOUT ROWID",
    "logs": "CREATE TABLE logs(time INTEGER, severity INTEGER, message TEXT, service TEXT, "
    "logger TEXT, trace_id TEXT, span_id TEXT, attributes TEXT, resource TEXT); "
    "CREATE INDEX by_time ON logs(time)",
    "spans": "CREATE TABLE spans(trace_id TEXT, span_id TEXT, parent TEXT, name TEXT, "
    "kind INTEGER, start INTEGER, end INTEGER, service TEXT, status INTEGER, scope TEXT, "
    "attributes TEXT, resource TEXT); CREATE INDEX by_start ON spans(start); "
    "CREATE INDEX by_trace ON spans(trace_id)",
}


def as_json(one: LogRecord | SpanRecord) -> tuple[str, str]:
    return orjson.dumps(one.attributes).decode(), orjson.dumps(one.resource).decode()


def resident_mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def write_all(ours: Store, theirs: Sqlite, thousands: int) -> tuple[Figures, Figures]:
    """Write every signal to both, batch by batch; return items a second by signal."""
    signals = (
        ("samples", joined(thousands), ours.metrics.append, theirs.samples),
        ("logs", store_data.log_batches(thousands * 1000), ours.logs.append, theirs.logs),
        ("spans", store_data.span_batches(thousands * 1000), ours.spans.append, theirs.spans),
    )
    rates: tuple[Figures, Figures] = ({}, {})
    for name, batches, mine, other in signals:
        seconds, items = [0.0, 0.0], 0
        for batch in batches:
            items += len(batch.labels) if isinstance(batch, SampleBatch) else len(batch)
            for side, append in enumerate((mine, other)):
                began = time.perf_counter()
                append(batch)
                seconds[side] += time.perf_counter() - began
        for side in (0, 1):
            rates[side][f"{name} a second"] = items / seconds[side]
    return rates


def joined(thousands: int) -> list[SampleBatch]:
    """Return ten thousand samples for each thousand records, in batches of 1,000."""
    scraped = store_data.sample_batches(targets=10, scrapes=10 * thousands)
    batches = []
    while some := list(islice(scraped, 10)):
        batches.append(
            SampleBatch(
                [labels for one in some for labels in one.labels],
                np.concatenate([one.timestamps_ms for one in some]),
                np.concatenate([one.values for one in some]),
            )
        )
    return batches


def read_all(ours: Store, theirs: Sqlite, trace_id: str) -> dict[str, tuple[float, float]]:
    """Return median milliseconds of the same question, ours and SQLite's."""
    first_ns = store_data.START_NS
    name = Matcher("__name__", MatchOperator.EQUAL, "http_requests_total")
    start_ms, end_ms = first_ns // 1_000_000, first_ns // 1_000_000 + 3_600_000
    wanted = [
        number for labels, number in theirs.series.items() if ("__name__", name.value) in labels
    ]
    chosen = ", ".join(map(str, wanted))
    word, user = "reset by peer", "u77"
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "330 series x 1 h": (
            lambda: ours.metrics.select([name], start_ms, end_ms),
            lambda: theirs.rows(
                "samples",
                f"SELECT * FROM samples WHERE series IN ({chosen}) "
                f"AND time BETWEEN {start_ms} AND {end_ms}",
            ),
        ),
        "newest 100 logs with words": (
            lambda: ours.logs.search(LogQuery(*EVER, words=(word,))),
            lambda: theirs.rows(
                "logs",
                f"SELECT * FROM logs WHERE message LIKE '%{word}%' ORDER BY time DESC LIMIT 100",
            ),
        ),
        "logs with a rare word": (
            lambda: ours.logs.search(LogQuery(*EVER, words=(store_data.RARE,))),
            lambda: theirs.rows(
                "logs",
                f"SELECT * FROM logs WHERE message LIKE '%{store_data.RARE}%' "
                "ORDER BY time DESC LIMIT 100",
            ),
        ),
        "logs by attribute": (
            lambda: ours.logs.search(LogQuery(*EVER, fields=(("user.id", user),))),
            lambda: theirs.rows(
                "logs",
                f"""SELECT * FROM logs WHERE attributes ->> '"user.id"' = '{user}' """
                "ORDER BY time DESC LIMIT 100",
            ),
        ),
        "histogram of logs by severity": (
            lambda: ours.logs.histogram(LogQuery(first_ns, first_ns + 10**12), 60),
            lambda: theirs.rows(
                "logs",
                f"SELECT (time - {first_ns}) / {10**12 // 60}, severity, count(*) FROM logs "
                f"WHERE time BETWEEN {first_ns} AND {first_ns + 10**12} GROUP BY 1, 2",
            ),
        ),
        "trace by id": (
            lambda: ours.spans.trace(trace_id),
            lambda: theirs.rows("spans", f"SELECT * FROM spans WHERE trace_id = '{trace_id}'"),
        ),
        "slow failed traces of a service": (
            lambda: ours.spans.search(
                TraceQuery(
                    *EVER, service="billing", minimum_duration_ns=500_000_000, errors_only=True
                )
            ),
            lambda: theirs.rows(
                "spans",
                "SELECT * FROM spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE "
                "service = 'billing' AND end - start >= 500000000 AND status = 2 "
                "GROUP BY trace_id ORDER BY max(start) DESC LIMIT 20)",
            ),
        ),
        "dependencies": (
            lambda: ours.spans.dependencies(*EVER),
            lambda: theirs.rows(
                "spans",
                "SELECT p.service, c.service, count(*) FROM spans c JOIN spans p ON "
                "p.trace_id = c.trace_id AND p.span_id = c.parent AND p.service <> c.service "
                "GROUP BY 1, 2",
            ),
        ),
    }
    return {what: (median_ms(one), median_ms(other)) for what, (one, other) in pairs.items()}


def among_segments(directory: Path) -> float:
    """Return the median milliseconds of a trace in one of many segments, of a day each."""
    store = Store.open(directory / "days", limits=StoreLimits.keeping_everything())
    day_ns = 86_400 * 10**9
    traces = []
    for day in range(SEGMENTS):
        for spans in store_data.span_batches(2000, seed=day):
            store.spans.append(
                [
                    replace(
                        one, start_ns=one.start_ns + day * day_ns, end_ns=one.end_ns + day * day_ns
                    )
                    for one in spans
                ]
            )
        traces.append(spans[0].trace_id)
    store.flush()
    chosen = iter(traces * ROUNDS)
    taken = median_ms(lambda: store.spans.trace(next(chosen)))
    store.close()
    return taken


def main() -> None:
    thousands = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as place:
        figures = measure(Path(place), thousands)
        of_chdb = measured_by_chdb(Path(place), thousands)
    report: dict[str, Figures] = {
        what: dict(zip(("watchkeeper", "sqlite"), pair, strict=False))
        for what, pair in figures.items()
    }
    for what, value in of_chdb.items():
        report[what]["chdb"] = value
    print(f"{'':34}{'wanted':>14}{'Watchkeeper':>14}{'SQLite':>14}{'chDB':>14}")
    for what, sides in report.items():
        row = [WANTED.get(what), *(sides.get(side) for side in ("watchkeeper", "sqlite", "chdb"))]
        shown = ("" if value is None else f"{value:,.1f}" for value in row)
        print(f"{what:34}" + "".join(f"{text:>14}" for text in shown))
    (out / "store.json").write_text(json.dumps({"thousands": thousands, "figures": report}))


def measured_by_chdb(directory: Path, thousands: int) -> Figures:
    """Return chDB's figures, none where it is not installed."""
    if not CHDB.exists():
        print(f"chDB is not measured: {CHDB} is not there; `make bench-store` installs it")
        return {}
    root = Path(__file__).parents[1]
    ran = subprocess.run(
        [CHDB, Path(__file__).with_name("chdb_peer.py"), directory / "chdb", str(thousands)],
        env=os.environ | {"PYTHONPATH": str(root / "src")},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: Figures = json.loads(ran.stdout)
    return found


def measure(directory: Path, thousands: int) -> dict[str, tuple[float, ...]]:
    limits = StoreLimits.keeping_everything()
    theirs = Sqlite(directory)
    ours = Store.open(directory / "store", limits=limits)
    figures: dict[str, tuple[float, ...]] = {
        "RSS of the process at open, MiB": (resident_mebibytes(),)
    }
    mine, other = write_all(ours, theirs, thousands)
    figures |= {what: (mine[what], other[what]) for what in mine}
    began = time.perf_counter()
    ours.flush()
    figures["last flush, s"] = (time.perf_counter() - began,)
    began = time.perf_counter()
    ours.merge()
    figures["merge, s"] = (time.perf_counter() - began,)
    theirs.settle()
    on_disk = ours.stats().bytes_on_disk
    for name, signal, count in (
        ("samples", "metrics", thousands * 10_000),
        ("logs", "logs", thousands * 1000),
        ("spans", "spans", thousands * 1000),
    ):
        figures[f"bytes each, {name}"] = (on_disk[signal] / count, theirs.size_bytes(name) / count)
    trace_id = next(store_data.span_batches(1000))[500].trace_id
    reads = read_all(ours, theirs, trace_id)
    figures |= {f"{what}, ms": pair for what, pair in reads.items()}
    figures[f"trace by id in {SEGMENTS} segments, ms"] = (among_segments(directory),)
    figures["RSS of the process with both, MiB"] = (resident_mebibytes(),)
    began = time.perf_counter()
    ours.close()
    ours = Store.open(directory / "store", limits=limits)
    figures["close and open again, s"] = (time.perf_counter() - began,)
    ours.close()
    return figures


if __name__ == "__main__":
    main()
