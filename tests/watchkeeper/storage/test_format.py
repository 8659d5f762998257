"""Formats: the older is brought up to date, the newer refused, the unreadable set aside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests.watchkeeper.storage.conftest import record, samples, series, span

from watchkeeper.errors import StorageError
from watchkeeper.model import Exemplar, labels
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.sample_file import SampleFile
from watchkeeper.storage.store_format import FORMAT
from watchkeeper.storage.wal import WriteAheadLog
from watchkeeper.storage.wal_format import RecordKind

OpenStore = Callable[..., Store]
EVER = (0, 2**62)
MARK = (labels({"trace_id": "1"}), 2.0, 1_700_000_000_000)
RECORD = record("hello", attributes={"user": "ann", "tries": 3, "big": 1e16}, trace_id="0f" * 16)
OLD_TIMES = "b9cd0e850002020000000068e5cf8b010000983a"
OLD_VALUES = "0f73fc4a000102000000010000000000000001"
"""What Watchkeeper 0.1 wrote for 2 samples 15 s apart, of values 1 and 2."""
OLD_RECORD = (
    "1700000096029192009192a85f5f6e616d655f5fa27570909090c200000000000000000068e5cf8b01000098a2e5cf"
    "8b010000000000000000f03f0000000000000040"
)
"""The same two samples of `up` in its write-ahead log."""
SPAN = span(1, 2, attributes={"http.route": "/x", "ok": True}, resource={"service.name": "api"})


def fill(store: Store) -> None:
    store.metrics.append(
        samples((series(), 0, 1.0), (series(), 15, 2.0), exemplars=[(series(), Exemplar(*MARK))])
    )
    store.logs.append([RECORD])
    store.spans.append([SPAN])


def is_whole(store: Store) -> bool:
    """Return whether the store gives back what `fill` wrote, once."""
    return (
        [one.values.tolist() for one in store.metrics.select([], *EVER)] == [[1.0, 2.0]]
        and store.metrics.exemplars([], *EVER) == [(series(), [Exemplar(*MARK)])]
        and store.logs.search(LogQuery(*EVER)) == [RECORD]
        and store.logs.search(LogQuery(*EVER, fields=(("tries", "3"),))) == [RECORD]
        and store.spans.search(TraceQuery(*EVER, attributes=(("ok", "true"),))) == [[SPAN]]
        and store.spans.trace(SPAN.trace_id) == [SPAN]
    )


def segment(directory: Path, signal: str) -> Path:
    (path,) = (p for p in (directory / signal).iterdir() if p.suffix in (".samples", ".part"))
    return path


def change(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def to_older_format(directory: Path, version: int, *, without_sequences: bool = False) -> None:
    """Make of a flushed directory what Watchkeeper wrote before logs and spans had parts.

    Files of format 1 do not say their format.
    """
    (directory / "format").unlink()
    if version > 1:
        (directory / "format").write_text(f"{version}\n")
    text = "VARCHAR USING COMPRESSION zstd"
    to_period_file(
        directory / "logs",
        version,
        f"CREATE TABLE logs(timestamp_ns BIGINT, severity UTINYINT, message {text}, "
        f"service {text}, logger {text}, trace_id {text}, span_id {text}, attributes {text}, "
        f"resource {text}, position BIGINT)",
        f"INSERT INTO logs VALUES ({RECORD.timestamp_ns}, 9, 'hello', 'api', '', "
        f"""'{RECORD.trace_id}', '', ',"user":"ann","tries":3,"big":1e16,', '', 1)""",
    )
    to_period_file(
        directory / "spans",
        version,
        f"CREATE TABLE spans(trace_id {text}, span_id {text}, parent_span_id {text}, name {text}, "
        f"kind UTINYINT, start_ns BIGINT, end_ns BIGINT, service {text}, status UTINYINT, "
        f"status_message {text}, attributes {text}, events {text}, links {text}, resource {text}, "
        f"scope {text}, position BIGINT)",
        f"INSERT INTO spans VALUES ('{SPAN.trace_id}', '{SPAN.span_id}', '', 'GET /', 2, "
        f"{SPAN.start_ns}, {SPAN.end_ns}, 'api', 0, '', ',\"http.route\":\"/x\",\"ok\":true,', "
        "'', '', ',\"service.name\":\"api\",', '', 2)",
    )
    sequence, then = ("", "") if without_sequences else (", sequence BIGINT", ", 0")
    to_period_file(
        directory / "metrics",
        version,
        "CREATE TABLE series(id INTEGER, labels VARCHAR)",
        """INSERT INTO series VALUES (0, '["__name__","zzz"]'), (1, '["__name__","up"]')""",
        "CREATE TABLE times(id INTEGER, data BLOB)",
        f"INSERT INTO times VALUES (7, {blob(OLD_TIMES)})",
        "CREATE TABLE chunks(series INTEGER, start_ms BIGINT, end_ms BIGINT, times INTEGER, "
        f"data BLOB{sequence})",
        f"INSERT INTO chunks VALUES (1, {MARK[2]}, {MARK[2]}, 7, {blob(OLD_VALUES)}{then})",
        # Of a flush that did not end.
        f"INSERT INTO chunks SELECT 0, {MARK[2]}, 0, 7, ''::BLOB{then and ', 9'} "
        f"WHERE {bool(then)}",
        "CREATE TABLE exemplars(series INTEGER, timestamp_ms BIGINT, value DOUBLE, "
        f"labels VARCHAR{sequence})",
        f"""INSERT INTO exemplars VALUES (1, {MARK[2]}, 2.0, '["trace_id","1"]'{then})""",
    )


def blob(hexadecimal: str) -> str:
    return f"unhex('{hexadecimal}')"


def to_period_file(directory: Path, version: int, *statements: str) -> None:
    for path in directory.iterdir():
        path.unlink()
    change(
        directory / "2023-11-14T000000Z.duckdb",
        "CREATE TABLE watermark AS SELECT 2 AS sequence",
        *(["CREATE TABLE format AS SELECT 2 AS version"] if version > 1 else []),
        *statements,
    )


@pytest.fixture
def flushed(open_store: OpenStore, tmp_path: Path) -> Path:
    store = open_store()
    fill(store)
    store.flush()
    store.close()
    return tmp_path / "store"


@pytest.mark.parametrize(("version", "without_sequences"), [(1, True), (1, False), (2, False)])
def test_a_directory_of_an_older_format_is_brought_up_to_date_and_read(
    open_store: OpenStore, flushed: Path, version: int, without_sequences: bool
):
    to_older_format(flushed, version, without_sequences=without_sequences)
    store = open_store()
    assert is_whole(store)
    assert store.stats().damage == ()
    store.logs.append([record("more", at=5)])
    store.flush()
    assert len(store.logs.search(LogQuery(*EVER))) == 2
    store.close()
    assert (flushed / "format").read_text() == f"{FORMAT}\n"
    for signal in ("logs", "spans"):
        assert {path.suffix for path in (flushed / signal).iterdir()} == {".part", ".index"}
    assert {path.suffix for path in (flushed / "metrics").iterdir()} == {".samples"}


def test_a_migration_that_was_cut_off_is_done_again(
    open_store: OpenStore, flushed: Path, monkeypatch: pytest.MonkeyPatch
):
    to_older_format(flushed, 1, without_sequences=True)
    with monkeypatch.context() as patched:
        patched.setattr("watchkeeper.storage.store_format.note", cut_off)
        with pytest.raises(StorageError, match="cannot be opened"):
            open_store()
    assert is_whole(open_store())


def cut_off(*_: object) -> None:
    raise OSError(5, "Input/output error")


def test_a_directory_of_a_newer_format_is_refused_and_left_alone(
    open_store: OpenStore, flushed: Path
):
    (flushed / "format").write_text(f"{FORMAT + 1}\n")
    with pytest.raises(StorageError, match=f"has format {FORMAT + 1}.*run the newer one"):
        open_store()
    (flushed / "format").write_text(f"{FORMAT}\n")
    assert is_whole(open_store())


def test_a_directory_that_does_not_say_its_format_is_refused(open_store: OpenStore, flushed: Path):
    (flushed / "format").write_bytes(b"\xff\x00")
    with pytest.raises(StorageError, match="does not say which format"):
        open_store()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE format SET version = 99",
        "DELETE FROM format",
        "DROP TABLE {needed}",
        "ALTER TABLE {table} DROP COLUMN {column}",
        "DROP TABLE {table}",
    ],
)
def test_a_segment_that_is_newer_or_not_what_it_says_is_set_aside(
    open_store: OpenStore, flushed: Path, statement: str
):
    for signal, table, column, needed in (
        ("logs", "logs", "message", "format"),
        ("spans", "spans", "scope", "format"),
    ):
        spoilt = statement.format(table=table, column=column, needed=needed)
        change(segment(flushed, signal), spoilt)
    store = open_store()
    assert store.logs.search(LogQuery(*EVER)) == []
    assert store.spans.search(TraceQuery(*EVER)) == []
    store.logs.append([RECORD])
    store.spans.append([SPAN])
    store.flush()
    assert is_whole(store)
    assert all(Path(report.set_aside_as).exists() for report in store.stats().damage)
    assert len(store.stats().damage) == 2


@pytest.mark.parametrize("spoil", ["newer", "label sets", "old and damaged"])
def test_a_file_of_samples_that_cannot_be_read_is_set_aside(
    open_store: OpenStore, flushed: Path, spoil: str
):
    path = segment(flushed, "metrics")
    if spoil == "newer":
        path.write_bytes(path.read_bytes()[:-1] + b"\x02")
    elif spoil == "label sets":
        contents = SampleFile.open(path).contents
        data = bytearray(path.read_bytes())
        data[contents.labels_offset + 9] ^= 1
        path.write_bytes(data)
    else:
        to_older_format(flushed, 2)
        path = flushed / "metrics" / "2023-11-14T000000Z.duckdb"
        change(path, "UPDATE chunks SET data = '\\x00'::BLOB")
    store = open_store()
    assert len(store.metrics.select([], *EVER)) == 0
    (report,) = store.stats().damage
    assert report.path == str(path)
    assert Path(report.set_aside_as).exists()
    fill(store)
    store.flush()
    assert [one.values.tolist() for one in store.metrics.select([], *EVER)] == [[1.0, 2.0]]


def test_samples_of_a_log_that_spells_out_label_sets_are_read(
    open_store: OpenStore, tmp_path: Path
):
    open_store().close()
    log = WriteAheadLog(tmp_path / "store" / "wal", next_sequence=9, disk=Disk())
    log.append(RecordKind.SAMPLES_WITH_LABELS, bytes.fromhex(OLD_RECORD))
    log.close()
    (found,) = open_store().metrics.select([], *EVER)
    assert (found.labels, found.values.tolist()) == (series(), [1.0, 2.0])


def test_a_log_of_a_newer_format_is_refused_and_left_alone(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    fill(store)
    store.close()
    (path,) = (tmp_path / "store" / "wal").glob("*.wal")
    whole = path.read_bytes()
    path.write_bytes(whole[:7] + b"\x07" + whole[8:])
    with pytest.raises(StorageError, match=r"has format 7.*run the newer"):
        open_store()
    path.write_bytes(whole)
    assert is_whole(open_store())


def test_a_file_that_is_no_log_is_set_aside(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    fill(store)
    store.close()
    alien = tmp_path / "store" / "wal" / f"{7:020d}.wal"
    alien.write_bytes(b"something else entirely")
    store = open_store()
    assert is_whole(store)
    assert alien.with_suffix(".damaged").read_bytes() == b"something else entirely"


@pytest.mark.parametrize("spoil", ["file", "metrics", "wal", "metadata.json", "format", "lock"])
def test_whatever_is_in_the_way_is_a_storage_error(tmp_path: Path, spoil: str):
    directory = tmp_path / "store"
    if spoil == "file":
        directory.write_text("not a directory")
    else:
        directory.mkdir()
        if spoil in ("metrics", "wal"):
            (directory / spoil).write_text("not a directory")
        else:
            (directory / spoil).mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        Store.open(directory)
