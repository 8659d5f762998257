"""Files of samples: merged, never half there, read while they go, and small."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from tests.watchkeeper.storage.conftest import (
    DAY_NS,
    START_MS,
    START_NS,
    FailingDisk,
    StoppedClock,
    samples,
    series,
    where,
)

from watchkeeper.errors import StorageError
from watchkeeper.model import Exemplar, NativeHistogram, SampleBatch, labels
from watchkeeper.storage import Store, StoreLimits, sample_flush, sample_merging, verify
from watchkeeper.storage.merge_policy import NEIGHBOURS
from watchkeeper.storage.sample_file import SampleFile
from watchkeeper.storage.sample_writing import WrittenFile

OpenStore = Callable[..., Store]
EVER = (0, 2**62)
EVERYTHING_CLOSED = 2**63


def files(tmp_path: Path, suffix: str = ".samples") -> list[Path]:
    return sorted((tmp_path / "store" / "metrics").glob(f"*{suffix}"))


def flush_each(store: Store, numbers: range) -> None:
    """Flush a sample of each of two series, 15 s apart, for each number."""
    for number in numbers:
        one, other = (series(), number * 15, number), (series("other"), number * 15, -number)
        store.metrics.append(samples(one, other))
        store.flush()


def found(store: Store) -> dict[str, list[float]]:
    return {
        dict(one.labels)["__name__"]: one.values.tolist() for one in store.metrics.select([], *EVER)
    }


def expected(*numbers: int) -> dict[str, list[float]]:
    return {"other": [-float(one) for one in numbers], "up": [float(one) for one in numbers]}


def merge_all(store: Store) -> None:
    while store.metrics.merge(closed_before_ns=EVERYTHING_CLOSED):
        pass


def spoil(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_as_many_small_files_as_are_neighbours_become_one(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    flush_each(store, range(NEIGHBOURS - 1))
    assert not store.metrics.merge(closed_before_ns=0)
    flush_each(store, range(NEIGHBOURS - 1, NEIGHBOURS))
    store.metrics.merge(closed_before_ns=0)
    assert len(files(tmp_path)) == 1
    assert found(store) == expected(*range(NEIGHBOURS))
    store.close()
    assert found(open_store()) == expected(*range(NEIGHBOURS))


def test_files_of_a_period_that_is_over_become_one_without_waiting(
    open_store: OpenStore, tmp_path: Path, clock: StoppedClock
):
    store = open_store()
    flush_each(store, range(3))
    clock.now_ns = START_NS + 3 * DAY_NS
    store.merge()
    assert len(files(tmp_path)) == 1
    assert found(store) == expected(0, 1, 2)


def test_a_crash_before_merged_files_were_unlinked_shows_nothing_twice(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(4))
    shutil.copytree(tmp_path / "store", tmp_path / "before")
    merge_all(store)
    store.close()
    shutil.copytree(tmp_path / "before", tmp_path / "store", dirs_exist_ok=True)
    (tmp_path / "store" / "metrics" / "unfinished.samples.new").write_bytes(b"half")
    store = open_store()
    assert found(store) == expected(0, 1, 2, 3)
    assert len(files(tmp_path)) == 1
    assert files(tmp_path, ".new") == []


def test_a_merge_leaves_out_a_damaged_block_and_puts_its_file_aside(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(4))
    store.close()
    spoilt = files(tmp_path)[1]
    spoil(spoilt, 20)
    store = open_store()
    merge_all(store)
    assert found(store) == expected(0, 2, 3)
    assert len(files(tmp_path)) == len(files(tmp_path, ".damaged")) == 1
    assert {report.path for report in store.stats().damage} == {str(spoilt)}


def test_a_merge_sets_a_file_aside_whose_label_sets_are_damaged(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    flush_each(store, range(4))
    store.close()
    spoilt = files(tmp_path)[2]
    spoil(spoilt, SampleFile.open(spoilt).contents.labels_offset + 9)
    store = open_store(limits=StoreLimits(reserve_bytes=0, label_bytes=0))
    merge_all(store)
    assert found(store) == expected(0, 1, 3)
    assert len(files(tmp_path)) == len(files(tmp_path, ".damaged")) == 1


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
    assert found(store) == expected(0, 1, 2)
    disk.failing = ""
    merge_all(store)
    assert found(store) == expected(0, 1, 2)
    assert len(files(tmp_path)) == 1
    store.close()
    assert found(open_store()) == expected(0, 1, 2)


def test_files_that_could_not_be_unlinked_are_not_read_and_go_later(
    open_store: OpenStore, tmp_path: Path
):
    disk = FailingDisk()
    store = open_store(disk=disk)
    flush_each(store, range(3))
    disk.failing = "unlink"
    with pytest.raises(StorageError, match="could not be merged"):
        store.metrics.merge(closed_before_ns=EVERYTHING_CLOSED)
    assert found(store) == expected(0, 1, 2)
    disk.failing = ""
    flush_each(store, range(3, 4))
    assert len(files(tmp_path)) == 2
    assert found(store) == expected(0, 1, 2, 3)


def test_what_was_dropped_during_a_merge_stays_dropped(
    open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    store = open_store()
    flush_each(store, range(3))
    really_write = sample_merging.write_merged

    def write_and_drop(*arguments: object) -> WrittenFile:
        written = really_write(*arguments)
        store.metrics.files.drop(store.metrics.files.all())
        return written

    monkeypatch.setattr("watchkeeper.storage.metric_store.write_merged", write_and_drop)
    assert not store.metrics.merge(closed_before_ns=EVERYTHING_CLOSED)
    assert found(store) == {}
    assert files(tmp_path) == []


def test_a_flush_between_two_steps_of_a_merge_is_not_in_its_way(
    open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sample_flush, "_SAMPLES_AT_ONCE", 1)
    store = open_store()
    flush_each(store, range(3))
    steps = iter(range(3, 100))

    def flush_first() -> AbstractContextManager[None]:
        number = next(steps)
        flush_each(store, range(number, number + 1))
        return nullcontext()

    assert store.metrics.merge(closed_before_ns=EVERYTHING_CLOSED, turn=flush_first)
    flushed = next(steps)
    assert flushed > 4
    assert found(store) == expected(*range(flushed))
    assert len(files(tmp_path)) == 1 + flushed - 3
    store.close()
    assert found(open_store()) == expected(*range(flushed))


def test_who_asks_after_a_flush_or_a_merge_reads_neither_label_sets_nor_directories(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    def unread(*_: object) -> None:
        raise AssertionError("what was just written is known")

    store = open_store()
    monkeypatch.setattr(SampleFile, "labels", unread)
    monkeypatch.setattr(SampleFile, "window", unread)
    flush_each(store, range(1))
    assert found(store) == expected(0)
    monkeypatch.undo()
    flush_each(store, range(1, 3))
    assert found(store) == expected(0, 1, 2)
    with monkeypatch.context() as patched:
        reader = Mock(wraps=SampleFile.window, autospec=True)
        patched.setattr(SampleFile, "labels", unread)
        patched.setattr(SampleFile, "window", lambda *place: reader(*place))
        merge_all(store)
        read_by_merge = reader.call_count
        assert found(store) == expected(0, 1, 2)
        assert reader.call_count == read_by_merge


def test_who_holds_files_finds_them_while_they_are_merged(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    flush_each(store, range(3))
    with store.metrics.files.held() as held:
        merge_all(store)
        assert len(files(tmp_path)) == 4
        assert all(file.path.exists() for file in held)
    assert len(files(tmp_path)) == 1


def test_a_merge_keeps_histograms_starts_and_exemplars_of_many_windows(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sample_flush, "_SAMPLES_AT_ONCE", 4)
    store = open_store()
    many = [series("m", n=f"{n:02}") for n in range(20)]
    for step in range(3):
        at_ms = START_MS - (9 - 3 * step) * 3600 * 1000
        chosen = many[step * 4 : step * 4 + 12]
        native = [
            NativeHistogram(count=n + 1, sum=n) if n % 3 == 0 else None for n in range(len(chosen))
        ]
        store.metrics.append(
            SampleBatch(
                chosen,
                np.full(len(chosen), at_ms),
                np.arange(len(chosen), dtype=np.float64),
                exemplars=[(chosen[1], Exemplar(labels({"trace_id": f"{step}"}), 1.0, at_ms))],
                histograms=native,
                starts_ms=np.full(len(chosen), at_ms - 1000),
            )
        )
        store.flush()
    before = [
        (one.labels, one.timestamps_ms.tolist(), one.values.tolist(), one.histograms)
        for one in store.metrics.select([], *EVER)
    ]
    starts = store.metrics.select([], *EVER).starts_ms.tolist()
    exemplars = store.metrics.exemplars([], *EVER)
    merge_all(store)
    after = store.metrics.select([], *EVER)
    assert len(store.metrics.files.all()) == 1
    assert before == [
        (one.labels, one.timestamps_ms.tolist(), one.values.tolist(), one.histograms)
        for one in after
    ]
    assert after.starts_ms.tolist() == starts
    assert store.metrics.exemplars([], *EVER) == exemplars
    assert len(exemplars) == 3


def test_merged_samples_of_scraped_targets_take_little_and_share_their_times(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    random = np.random.default_rng(3)
    targets = [
        [series("requests_total", instance=f"{target}", code=f"{n:02}") for n in range(40)]
        for target in range(3)
    ]
    totals = np.zeros((3, 40))
    for scrape in range(400):
        for target, own in enumerate(targets):
            totals[target] += random.poisson(3, 40)
            at_ms = START_MS + scrape * 15_000 + target * 137
            store.metrics.append(SampleBatch(own, np.full(40, at_ms), totals[target].copy()))
        if scrape % 50 == 49:
            store.flush()
    merge_all(store)
    (path,) = files(tmp_path)
    assert path.stat().st_size < 0.6 * 400 * 120
    found = store.metrics.select([], *EVER)
    assert len(set(found.time_groups.tolist())) == 3
    assert np.diff(found.bounds).tolist() == [400] * 120
    store.close()
    assert verify(tmp_path / "store").rows == 400 * 120


@pytest.mark.parametrize("decoded_bytes", [0, 1 << 20])
def test_one_series_among_many_is_read_without_the_others(
    open_store: OpenStore, decoded_bytes: int
):
    store = open_store(limits=StoreLimits(reserve_bytes=0, decoded_bytes=decoded_bytes))
    many = [series("m", n=f"{n:02}") for n in range(40)]
    for step in range(5):
        values = np.arange(40.0) * (step + 1) + (0.1 if step % 2 else 1 / 3)
        times = np.full(40, START_MS + step * 15_000)
        starts = times - np.arange(40)
        store.metrics.append(SampleBatch(many, times, values, starts_ms=starts))
    store.flush()
    whole = {one.labels: one for one in store.metrics.select([], *EVER)}
    for _ in range(2):
        for label_set in many[::7]:
            (one,) = store.metrics.select([where("n", "=", dict(label_set)["n"])], *EVER)
            assert one.values.tolist() == whole[label_set].values.tolist()
            assert one.starts_ms.tolist() == whole[label_set].starts_ms.tolist()


def test_files_of_the_same_series_share_their_label_sets(open_store: OpenStore):
    store = open_store()
    flush_each(store, range(3))
    store.metrics.append(samples((series("new"), 60, 1.0)))
    store.flush()
    tables = [store.metrics._reader.labels(file) for file in store.metrics.files.all()]
    assert tables[0] is tables[1] is tables[2]
    assert [tables[3].labels(number) for number in range(len(tables[3]))] == [series("new")]
