"""Export: what a store has is in Parquet files that others read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from tests.watchkeeper.storage.conftest import START_MS, START_NS, record, samples, series, span

from watchkeeper.cli import main
from watchkeeper.errors import StorageError
from watchkeeper.model import NativeHistogram, SpanEvent, SpanLink
from watchkeeper.storage import Store
from watchkeeper.storage.export import Exported

OpenStore = Callable[..., Store]


def read(directory: Path, signal: str, columns: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(
            f"SELECT {columns} FROM '{directory / signal}/*.parquet' ORDER BY ALL"
        ).fetchall()


def fill(store: Store) -> None:
    histogram = NativeHistogram(schema=1, count=3.0, sum=4.5, positive={-1: 1.0, 2: 2.0})
    store.metrics.append(
        samples(
            (series(job="api"), 0, 1.5),
            (series(job="api"), 7200, 2.5),
            (series("sizes"), 1, 3.0),
            histograms=[None, None, histogram],
        )
    )
    store.logs.append([record("hello", attributes={"n": 1, "a": "x"}), record("bye", at=86_400)])
    store.spans.append(
        [
            span(1, 1),
            span(
                1,
                2,
                at=1,
                parent=1,
                attributes={"ok": True},
                events=(SpanEvent("retry", START_NS + 5, {"n": 2}),),
                links=(SpanLink("0" * 32, "f" * 16),),
            ),
            span(2, 3, at=2, parent=9),
        ]
    )


def test_every_signal_is_exported_with_its_types(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    fill(store)
    target = tmp_path / "parquet"
    assert store.export(target) == Exported(samples=3, logs=2, spans=3)
    found = read(target, "metrics", "metric, labels, epoch_ms(timestamp), value, histogram")
    assert found[0] == ("sizes", "{}", START_MS + 1000, 3.0, found[0][4])
    assert json.loads(str(found[0][4]))["positive"] == {"-1": 1.0, "2": 2.0}
    assert found[1:] == [
        ("up", '{"job":"api"}', START_MS, 1.5, None),
        ("up", '{"job":"api"}', START_MS + 7_200_000, 2.5, None),
    ]
    assert read(target, "logs", "epoch_ns(timestamp), severity, message, attributes") == [
        (START_NS, 9, "hello", '{"n":1,"a":"x"}'),
        (START_NS + 86_400_000_000_000, 9, "bye", "{}"),
    ]
    assert read(target, "spans", "span_id, parent_span_id, epoch_ns(start), duration_ns") == [
        ("0" * 15 + "1", "", START_NS, 1_000_000_000),
        ("0" * 15 + "2", "0" * 15 + "1", START_NS + 1_000_000_000, 1_000_000_000),
        ("0" * 15 + "3", "0" * 15 + "9", START_NS + 2_000_000_000, 1_000_000_000),
    ]
    nested = read(
        target, "spans", "span_id, attributes, events[1].name, events[1].attributes, links"
    )
    assert nested[1][1:4] == ('{"ok":true}', "retry", '{"n":2}')
    assert nested[1][4] == [{"trace_id": "0" * 32, "span_id": "f" * 16, "attributes": "{}"}]


def test_the_command_exports_a_store_that_nobody_has_open(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    fill(store)
    arguments = ["export", str(tmp_path / "store"), str(tmp_path / "parquet")]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert "in use by process" in refused.output
    store.close()
    exported = CliRunner().invoke(main, arguments)
    assert exported.exit_code == 0, exported.output
    assert "3 samples, 2 log records, 3 spans" in exported.output
    missing = CliRunner().invoke(main, ["export", str(tmp_path), str(tmp_path / "other")])
    assert "there is no store in" in missing.output


def test_an_export_writes_into_no_directory_that_has_something(
    open_store: OpenStore, tmp_path: Path
):
    with pytest.raises(StorageError, match="is not empty"):
        open_store().export(tmp_path)
