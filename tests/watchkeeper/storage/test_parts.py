"""Parts: named by what they hold, merged, passed over by their index, never half there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.watchkeeper.storage.conftest import (
    DAY_NS,
    START_NS,
    FailingDisk,
    StoppedClock,
    merge_all,
    record,
    span,
)

from watchkeeper.errors import StorageError
from watchkeeper.model import SpanRecord
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store, StoreLimits, part_files, part_index
from watchkeeper.storage.engine import Cursor, Engine
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.merge_policy import NEIGHBOURS
from watchkeeper.storage.open_parts import OpenParts
from watchkeeper.storage.part import Part, PartName

OpenStore = Callable[..., Store]
EVER = (0, 2**62)


def files(store_directory: Path, signal: str, suffix: str = ".part") -> list[Path]:
    return sorted((store_directory / signal).glob(f"*{suffix}"))


def flush_each(store: Store, numbers: range) -> None:
    for number in numbers:
        store.logs.append([record(f"{number}", at=number)])
        store.spans.append([span(number + 1, 1, at=number)])
        store.flush()


def found(store: Store) -> tuple[list[int], list[int]]:
    """Return the numbers of all records and traces, in order."""
    logs = store.logs.search(LogQuery(*EVER, limit=1000, newest_first=False))
    traces = store.spans.search(TraceQuery(*EVER, limit=1000))
    return (
        [int(one.message) for one in logs],
        sorted(int(spans[0].trace_id, 16) - 1 for spans in traces for _ in spans),
    )


@given(day=st.integers(0, 40_000), first=st.integers(0, 2**60), length=st.integers(0, 2**60))
def test_a_name_is_read_as_it_was_written(day: int, first: int, length: int):
    name = PartName(day * DAY_NS, first, first + length)
    assert PartName.parse(str(name)) == name
    assert PartName.parse(f"{name}x") is None


def test_what_is_written_to_a_part_is_not_written_to_a_log_of_the_engine_first(tmp_path: Path):
    engine = Engine(StoreLimits(), tmp_path / "spill")
    path = tmp_path / "one.part"
    catalog = engine.attach(path)
    with engine.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {catalog}.rows AS SELECT range AS number FROM range(1000)")
        assert sorted(tmp_path.iterdir()) == [path]
        cursor.execute(f"FORCE CHECKPOINT {catalog}")
    engine.detach(catalog)
    again = engine.attach(path, read_only=True)
    with engine.cursor() as cursor:
        assert cursor.execute(f"SELECT count(*) FROM {again}.rows").fetchall() == [(1000,)]
    engine.close()


def test_as_many_small_parts_as_are_neighbours_become_one(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    flush_each(store, range(NEIGHBOURS - 1))
    store.merge()
    assert len(files(tmp_path / "store", "logs")) == NEIGHBOURS - 1
    flush_each(store, range(NEIGHBOURS - 1, NEIGHBOURS))
    store.merge()
    assert len(files(tmp_path / "store", "logs")) == len(files(tmp_path / "store", "spans")) == 1
    assert found(store) == (list(range(NEIGHBOURS)),) * 2


def test_parts_of_a_period_that_is_over_become_one_without_waiting(
    open_store: OpenStore, tmp_path: Path, clock: StoppedClock
):
    store = open_store()
    flush_each(store, range(3))
    clock.now_ns = START_NS + 3 * DAY_NS
    store.merge()
    assert len(files(tmp_path / "store", "logs")) == 1
    assert found(store) == ([0, 1, 2],) * 2


def test_a_crash_before_merged_parts_were_unlinked_shows_nothing_twice(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(4))
    shutil.copytree(tmp_path / "store", tmp_path / "before")
    merge_all(store)
    store.close()
    shutil.copytree(tmp_path / "before", tmp_path / "store", dirs_exist_ok=True)
    (tmp_path / "store" / "logs" / "unfinished.part.new").write_bytes(b"half")
    store = open_store()
    assert found(store) == ([0, 1, 2, 3],) * 2
    assert len(files(tmp_path / "store", "logs")) == 1
    assert files(tmp_path / "store", "logs", ".new") == []


def test_a_merge_that_finds_a_damaged_part_sets_it_aside_and_merges_the_rest(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(4))
    store.close()
    spoilt = files(tmp_path / "store", "logs")[1]
    data = bytearray(spoilt.read_bytes())
    data[12288:] = bytes(len(data) - 12288)
    spoilt.write_bytes(data)
    store = open_store()
    merge_all(store)
    assert found(store) == ([0, 2, 3], [0, 1, 2, 3])
    (report,) = store.stats().damage
    assert report.path == str(spoilt)
    assert Path(report.set_aside_as).exists()


@pytest.mark.parametrize("failing", ["write", "synchronise", "rename", "synchronise_directory"])
def test_a_merge_that_the_disk_refuses_changes_nothing_and_is_done_later(
    open_store: OpenStore, tmp_path: Path, failing: str
):
    disk = FailingDisk()
    store = open_store(disk=disk)
    flush_each(store, range(3))
    disk.failing = failing
    with pytest.raises(StorageError, match="could not be merged and stay as they are"):
        merge_all(store)
    assert found(store) == ([0, 1, 2],) * 2
    assert len(files(tmp_path / "store", "logs")) == 3
    disk.failing = ""
    merge_all(store)
    assert found(store) == ([0, 1, 2],) * 2
    assert len(files(tmp_path / "store", "logs")) == 1


def test_a_flush_between_two_steps_of_a_merge_is_not_in_its_way(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(3))
    steps = iter(range(3, 100))

    def flush_first() -> AbstractContextManager[None]:
        number = next(steps)
        flush_each(store, range(number, number + 1))
        return nullcontext()

    for tiers in (store.logs.tiers, store.spans.tiers):
        assert tiers.merge(closed_before_ns=2**63, turn=flush_first)
    flushed = next(steps)
    assert flushed > 4
    assert len(files(tmp_path / "store", "logs")) == 1 + flushed - 3
    assert found(store) == (list(range(flushed)),) * 2
    store.close()
    assert found(open_store()) == (list(range(flushed)),) * 2


def test_steps_of_merges_are_between_flushes(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Store, "_merge_when_due", lambda store: None)
    store = open_store()
    flush_each(store, range(NEIGHBOURS))
    passed: list[str] = []

    def noted(how: str) -> Callable[..., AbstractContextManager[None]]:
        really = getattr(Gate, how)

        def enter(gate: Gate) -> AbstractContextManager[None]:
            if gate is store._turns:
                passed.append(how)
            return really(gate)

        return enter

    monkeypatch.setattr(Gate, "shared", noted("shared"))
    monkeypatch.setattr(Gate, "alone", noted("alone"))
    store.merge()
    assert set(passed) == {"shared"}
    assert len(passed) > 3
    passed.clear()
    store.flush()
    assert passed == ["alone"]


def test_who_reads_while_parts_are_merged_or_dropped_reads_on(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(3))
    tiers = store.logs.tiers
    with tiers.asking() as asking:
        merge_all(store)
        assert len(files(tmp_path / "store", "logs")) == 4
        counts = [
            asking.part(part, lambda cursor, rows: cursor.execute(f"FROM {rows}").fetchall())
            for part in asking.parts(*EVER)
        ]
        assert sum(len(rows) for answer in counts for rows in answer) == 3
    assert len(files(tmp_path / "store", "logs")) == 1


def test_a_trace_is_looked_for_only_in_parts_that_may_have_it(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    store = open_store()
    flush_each(store, range(6))
    asked = noted_uses(monkeypatch)
    assert len(store.spans.trace(f"{3:032x}")) == 1
    assert len(asked) == 1
    assert len(store.logs.search(LogQuery(*EVER, trace_id="f" * 32))) == 0
    assert len(asked) == 1


@pytest.mark.parametrize("spoil", [b"", b"WKINDEX\x02garbage and more of it", None])
def test_an_index_that_cannot_be_read_is_made_anew(
    open_store: OpenStore, tmp_path: Path, spoil: bytes | None
):
    store = open_store()
    flush_each(store, range(1))
    store.close()
    (index,) = files(tmp_path / "store", "spans", ".index")
    whole = index.read_bytes()
    index.unlink() if spoil is None else index.write_bytes(spoil)
    store = open_store()
    assert index.read_bytes() == whole
    assert store.spans.services() == ["api"]
    assert store.stats().damage == ()


def test_filters_that_are_damaged_hide_nothing(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    flush_each(store, range(2))
    for index in files(tmp_path / "store", "spans", ".index"):
        index.write_bytes(index.read_bytes()[:-1] + b"\x00")
        assert "fail their checksum" in part_index.damage(index)
    assert len(store.spans.trace(f"{2:032x}")) == 1


def test_more_operations_than_an_index_lists_are_asked_of_the_part(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(part_files, "_LISTED_AT_MOST", 2)
    store = open_store()
    store.spans.append([span(1, n, name=f"GET /{n}") for n in range(1, 5)])
    store.flush()
    assert store.spans.operations("api") == ["GET /1", "GET /2", "GET /3", "GET /4"]


def test_a_parent_is_itself_after_a_flush_whatever_the_spans_say(open_store: OpenStore):
    spans: list[SpanRecord] = [
        span(1, 1, at=5, parent=1),
        span(1, 2, at=0, parent=3),
        span(1, 3, at=1, parent=2),
        span(1, 3, at=2, parent=2),
        span(1, 4, at=3, parent=9),
        span(2, 4, at=3, parent=1),
    ]
    store = open_store()
    store.spans.append(spans)
    store.flush()
    expected = sorted(spans[:5], key=lambda one: one.start_ns)
    assert store.spans.trace(spans[0].trace_id) == expected
    assert store.spans.trace(spans[5].trace_id) == spans[5:]


def test_a_rare_word_or_field_is_looked_for_only_in_parts_that_may_have_it(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    store = open_store()
    for number in range(4):
        job = f"{number * 2654435761 % 2**32:08x}"
        many = [record(f"job {job} of {n % 7}", at=n, attributes={"job": job}) for n in range(50)]
        store.logs.append(many)
        store.flush()
    asked = noted_uses(monkeypatch)
    job = f"{2 * 2654435761 % 2**32:08x}"
    for query in (
        LogQuery(*EVER, words=(f"JOB {job[:7].upper()}",)),
        LogQuery(*EVER, fields=(("job", job),)),
    ):
        assert len(store.logs.search(query)) == 50
        assert sum(sum(one.counts.values()) for one in store.logs.histogram(query, 1)) == 50
    assert len(set(asked)) == 1
    assert store.logs.search(LogQuery(*EVER, words=("nowhere",))) == []
    assert len(set(asked)) == 1


def test_the_newest_are_found_without_asking_older_parts(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    store = open_store()
    flush_each(store, range(5))
    asked = noted_uses(monkeypatch)
    newest = store.logs.search(LogQuery(*EVER, limit=2))
    assert [one.message for one in newest] == ["4", "3"]
    assert len(asked) == 3
    oldest = store.logs.search(LogQuery(*EVER, limit=1, newest_first=False))
    assert [one.message for one in oldest] == ["0"]
    assert len(asked) == 4


def test_the_newest_traces_are_found_without_asking_older_parts(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    opened = open_store()
    flush_each(opened, range(6))
    asked = noted_uses(monkeypatch)
    found = opened.spans.search(TraceQuery(*EVER, limit=2))
    assert [trace[0].trace_id for trace in found] == [f"{6:032x}", f"{5:032x}"]
    # Two that hold them, asked once to find them and once to bring them.
    assert len(asked) == 4
    # A trace that goes on in an older part is in its place by its newest span.
    opened.spans.append([span(1, 2, at=10)])
    found = opened.spans.search(TraceQuery(*EVER, limit=1))
    assert [len(trace) for trace in found] == [2]
    assert opened.spans.search(TraceQuery(*EVER, limit=0)) == []


def noted_uses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the name of each part that is opened for a question."""
    asked: list[str] = []
    use = OpenParts.use

    def noting(self: OpenParts, part: Part) -> AbstractContextManager[str]:
        asked.append(str(part.name))
        return use(self, part)

    monkeypatch.setattr(OpenParts, "use", noting)
    return asked


def test_a_question_at_which_the_engine_fails_puts_no_data_away(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(1))

    def fail(cursor: Cursor, rows: str) -> None:
        raise duckdb.InternalException("INTERNAL Error: of the engine's own making")

    with store.logs.tiers.asking() as asking:
        (part,) = asking.parts(*EVER)
        with pytest.raises(duckdb.InternalException):
            asking.part(part, fail)
    assert found(store) == ([0], [0])
    assert store.stats().damage == ()


def test_the_first_rows_are_found_whatever_the_granules(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(part_files, "GRANULE_ROWS", 8)
    monkeypatch.setattr(part_index, "GRANULE_ROWS", 8)
    store = open_store()
    numbers = [(n * 37) % 200 for n in range(200)]
    for first in range(0, 200, 50):
        batch = [record(f"{n} {'rare' if n % 67 == 5 else 'often'}", at=n) for n in numbers]
        store.logs.append(batch[first : first + 50])
        store.flush()
    merge_all(store)
    store.logs.append([record("200 often", at=200)])

    def asked(**more: Any) -> list[int]:
        records = store.logs.search(LogQuery(*EVER, **more))
        return [int(one.message.split()[0]) for one in records]

    assert asked(limit=5) == [200, 199, 198, 197, 196]
    assert asked(limit=3, newest_first=False) == [0, 1, 2]
    assert asked(words=("rare",), limit=2) == [139, 72]
    assert asked(words=("rare",), limit=9, newest_first=False) == [5, 72, 139]
    assert asked(limit=1000, newest_first=False) == list(range(201))
