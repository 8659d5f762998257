"""chDB (ClickHouse in a process) beside the store: what bench/store.py measures, of the same data.

    .venv-bench-store/bin/python bench/chdb_peer.py DIRECTORY THOUSANDS

In a process and an environment of its own, since it takes 800 MB to install. Tables as
ClickHouse's documentation has them for such data: MergeTree, codecs for times and gauges,
Zstandard, a Bloom filter for trace ids and one for the words of messages; each insert
synchronised. Prints figures as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow
import store_data
from chdb.session import Session
from rounds import median_ms

DURABLE = "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
TABLES = {
    "samples": "series UInt32 CODEC(ZSTD), time Int64 CODEC(DoubleDelta, ZSTD), "
    "value Float64 CODEC(Gorilla, ZSTD)) ENGINE = MergeTree ORDER BY (series, time",
    "logs": "time Int64 CODEC(Delta, ZSTD), severity UInt8, message String CODEC(ZSTD(3)), "
    "service LowCardinality(String), logger LowCardinality(String), trace_id String, "
    "span_id String, attributes String CODEC(ZSTD(3)), resource LowCardinality(String), "
    "INDEX words message TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 4"
    ") ENGINE = MergeTree ORDER BY (time",
    "spans": "trace_id String, span_id String, parent String, name LowCardinality(String), "
    "kind UInt8, start Int64 CODEC(Delta, ZSTD), end Int64 CODEC(Delta, ZSTD), "
    "service LowCardinality(String), status UInt8, scope LowCardinality(String), "
    "attributes String CODEC(ZSTD(3)), resource LowCardinality(String), "
    "INDEX traces trace_id TYPE bloom_filter(0.01) GRANULARITY 1"
    ") ENGINE = MergeTree ORDER BY (service, start",
}
Columns = dict[str, list[Any]]


class Chdb:
    """A session with the three tables."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.session = Session(str(directory))
        self.session.query("CREATE DATABASE bench ENGINE = Atomic")
        for name, columns in TABLES.items():
            self.session.query(f"CREATE TABLE bench.{name}({columns}) {DURABLE}")

    def insert(self, name: str, batch: pyarrow.Table) -> None:
        columns = ", ".join(batch.column_names)
        self.session.query(f"INSERT INTO bench.{name} SELECT {columns} FROM Python(batch)")

    def rows(self, question: str) -> int:
        return len(self.session.query(question, "JSONCompactEachRow").bytes().splitlines())

    def settle(self) -> None:
        for name in TABLES:
            self.session.query(f"OPTIMIZE TABLE bench.{name} FINAL")

    def size_bytes(self, name: str) -> int:
        found = self.session.query(
            "SELECT sum(bytes_on_disk) FROM system.parts "
            f"WHERE active AND database = 'bench' AND table = '{name}'",
            "TabSeparated",
        )
        return int(found.bytes())


def samples(thousands: int, numbers: dict[object, int]) -> Iterable[Columns]:
    """Yield batches of 1,000 samples, each series by a number."""
    scraped = store_data.sample_batches(targets=10, scrapes=10 * thousands)
    while some := list(islice(scraped, 10)):
        yield {
            "series": [
                numbers.setdefault(labels, len(numbers)) for one in some for labels in one.labels
            ],
            "time": [at for one in some for at in one.timestamps_ms.tolist()],
            "value": [value for one in some for value in one.values.tolist()],
        }


def logs(thousands: int) -> Iterable[Columns]:
    for records in store_data.log_batches(thousands * 1000):
        yield {
            "time": [one.timestamp_ns for one in records],
            "severity": [int(one.severity) for one in records],
            "message": [one.message for one in records],
            "service": [one.service for one in records],
            "logger": [one.logger for one in records],
            "trace_id": [one.trace_id for one in records],
            "span_id": [one.span_id for one in records],
            "attributes": [orjson.dumps(one.attributes).decode() for one in records],
            "resource": [orjson.dumps(one.resource).decode() for one in records],
        }


def spans(thousands: int) -> Iterable[Columns]:
    for found in store_data.span_batches(thousands * 1000):
        yield {
            "trace_id": [one.trace_id for one in found],
            "span_id": [one.span_id for one in found],
            "parent": [one.parent_span_id for one in found],
            "name": [one.name for one in found],
            "kind": [int(one.kind) for one in found],
            "start": [one.start_ns for one in found],
            "end": [one.end_ns for one in found],
            "service": [one.service for one in found],
            "status": [int(one.status) for one in found],
            "scope": [one.scope.name for one in found],
            "attributes": [orjson.dumps(one.attributes).decode() for one in found],
            "resource": [orjson.dumps(one.resource).decode() for one in found],
        }


def questions(numbers: dict[object, int], trace_id: str) -> dict[str, str]:
    """Return what is asked, by the name that bench/store.py has for it."""
    first_ns = store_data.START_NS
    first_ms = first_ns // 1_000_000
    name = ("__name__", "http_requests_total")
    wanted = ", ".join(str(number) for labels, number in numbers.items() if name in labels)  # type: ignore[operator]
    newest = "ORDER BY time DESC LIMIT 100"
    return {
        "330 series x 1 h": "SELECT * FROM bench.samples "
        f"WHERE series IN ({wanted}) AND time BETWEEN {first_ms} AND {first_ms + 3_600_000}",
        "newest 100 logs with words": "SELECT * FROM bench.logs "
        f"WHERE message LIKE '%reset by peer%' {newest}",
        "logs with a rare word": "SELECT * FROM bench.logs "
        f"WHERE message LIKE '%{store_data.RARE}%' {newest}",
        "logs by attribute": "SELECT * FROM bench.logs "
        f"WHERE JSONExtractString(attributes, 'user.id') = 'u77' {newest}",
        "histogram of logs by severity": f"SELECT intDiv(time - {first_ns}, {10**12 // 60}) AS at, "
        f"severity, count() FROM bench.logs WHERE time BETWEEN {first_ns} AND {first_ns + 10**12} "
        "GROUP BY at, severity",
        "trace by id": f"SELECT * FROM bench.spans WHERE trace_id = '{trace_id}'",
        "slow failed traces of a service": "SELECT * FROM bench.spans WHERE trace_id IN ("
        "SELECT trace_id FROM bench.spans WHERE service = 'billing' AND end - start >= 500000000 "
        "AND status = 2 GROUP BY trace_id ORDER BY max(start) DESC LIMIT 20)",
        "dependencies": "SELECT p.service, c.service, count() FROM bench.spans c "
        "JOIN bench.spans p ON p.trace_id = c.trace_id AND p.span_id = c.parent "
        "WHERE p.service <> c.service "
        "GROUP BY 1, 2",
    }


def measure(directory: Path, thousands: int) -> dict[str, float]:
    chdb = Chdb(directory)
    numbers: dict[object, int] = {}
    counts = {"samples": thousands * 10_000, "logs": thousands * 1000, "spans": thousands * 1000}
    batches = {"samples": samples(thousands, numbers), "logs": logs(thousands)}
    figures: dict[str, float] = {}
    for name, made in (batches | {"spans": spans(thousands)}).items():
        seconds = 0.0
        for batch in made:
            table = pyarrow.table(batch)
            began = time.perf_counter()
            chdb.insert(name, table)
            seconds += time.perf_counter() - began
        figures[f"{name} a second"] = counts[name] / seconds
    began = time.perf_counter()
    chdb.settle()
    figures["merge, s"] = time.perf_counter() - began
    for name, count in counts.items():
        figures[f"bytes each, {name}"] = chdb.size_bytes(name) / count
    trace_id = next(store_data.span_batches(1000))[500].trace_id
    for what, question in questions(numbers, trace_id).items():
        figures[f"{what}, ms"] = median_ms(lambda question=question: chdb.rows(question))
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
