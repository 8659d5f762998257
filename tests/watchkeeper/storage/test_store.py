"""The store as a whole: one owner, segments that can be lost, full disks, retention."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.watchkeeper.storage.conftest import (
    DAY_NS,
    START_MS,
    START_NS,
    StoppedClock,
    record,
    samples,
    series,
    span,
)

from watchkeeper.errors import OverloadError, StorageError
from watchkeeper.model import SampleBatch
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store, StoreLimits
from watchkeeper.storage.disk import Disk

OpenStore = Callable[..., Store]
EVER = (0, 2**62)
DAY = DAY_NS // 1_000_000_000


def contents(store: Store) -> tuple[int, int, int]:
    """Return how many samples, records and traces can be read."""
    return (
        sum(len(one.values) for one in store.metrics.select([], *EVER)),
        len(store.logs.search(LogQuery(*EVER, limit=1000))),
        len(store.spans.search(TraceQuery(*EVER, limit=1000))),
    )


def write_day(store: Store, day: int) -> None:
    store.metrics.append(samples((series(), day * DAY, 1.0)))
    store.logs.append([record(at=day * DAY)])
    store.spans.append([span(day + 1, 1, at=day * DAY)])


def segment_files(directory: Path, signal: str) -> list[Path]:
    return sorted(
        path
        for path in (directory / "store" / signal).iterdir()
        if path.suffix in (".samples", ".part")
    )


def test_a_directory_has_one_store_and_the_error_names_its_process(open_store: OpenStore):
    first = open_store()
    with pytest.raises(StorageError, match=f"in use by process {os.getpid()}: stop"):
        open_store()
    first.close()
    open_store()


def test_a_flush_empties_the_log_and_keeps_everything_readable(open_store: OpenStore):
    store = open_store()
    for day in range(3):
        write_day(store, day)
    before = store.stats()
    store.flush()
    after = store.stats()
    assert contents(store) == (3, 3, 3)
    assert after.hot_bytes < before.hot_bytes
    assert (after.samples, after.logs, after.spans, after.flushes) == (3, 3, 3, 1)
    assert all(after.bytes_on_disk[signal] > 0 for signal in ("metrics", "logs", "spans", "wal"))


def test_every_period_has_its_own_file_named_by_its_beginning(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    write_day(store, 0)
    write_day(store, 1)
    store.flush()
    names = [path.name for path in segment_files(tmp_path, "logs")]
    assert names == [f"2023-11-{day}T000000Z-{0:012}-{5:012}.part" for day in (14, 15)]


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "middle"])
def test_a_damaged_segment_is_set_aside_with_a_report_and_the_rest_serves(
    open_store: OpenStore, tmp_path: Path, damage: str
):
    store = open_store()
    write_day(store, 0)
    write_day(store, 1)
    store.flush()
    store.close()
    for signal in ("metrics", "logs", "spans"):
        path = segment_files(tmp_path, signal)[0]
        whole = path.read_bytes()
        kept = min(12288, len(whole) // 2)
        spoiled = {
            "garbage": b"x" * len(whole),
            "cut": whole[: min(9000, len(whole) // 2)],
            "empty": b"",
            "middle": whole[:kept] + bytes(len(whole) - kept),
        }
        path.write_bytes(spoiled[damage])
    store = open_store()
    assert contents(store) == (1, 1, 1)
    write_day(store, 2)
    store.flush()
    assert contents(store) == (2, 2, 2)
    reports = store.stats().damage
    assert len(reports) == 3
    assert all(Path(report.set_aside_as).exists() for report in reports)


def test_records_for_a_lost_segment_that_are_still_in_the_log_come_back(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    write_day(store, 0)
    store.flush()
    store.logs.append([record("kept in the log", at=1)])
    store.close()
    for path in segment_files(tmp_path, "logs"):
        path.write_bytes(b"x" * 5000)
    store = open_store()
    assert [one.message for one in store.logs.search(LogQuery(*EVER))] == ["kept in the log"]


def test_a_block_of_samples_that_fails_its_checksum_is_reported_once_and_the_rest_serves(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    write_day(store, 0)
    write_day(store, 1)
    store.flush()
    store.close()
    path = segment_files(tmp_path, "metrics")[0]
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    store = open_store()
    assert contents(store) == contents(store) == (1, 2, 2)
    (report,) = store.stats().damage
    assert (report.path, report.set_aside_as) == (str(path), "")
    assert "checksum" in report.reason


def test_segments_past_their_retention_are_unlinked(
    open_store: OpenStore, tmp_path: Path, clock: StoppedClock
):
    limits = StoreLimits(
        reserve_bytes=0,
        metric_retention_seconds=10 * DAY,
        log_retention_seconds=2 * DAY,
        span_retention_seconds=2 * DAY,
    )
    store = open_store(limits=limits)
    for day in range(3):
        write_day(store, day)
    store.flush()
    assert contents(store) == (3, 3, 3)
    clock.now_ns = START_NS + 4 * DAY_NS
    store.flush()
    assert contents(store) == (3, 1, 1)
    assert len(segment_files(tmp_path, "logs")) == 1


def test_the_oldest_segments_go_when_a_signal_takes_more_than_it_may(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    for day in range(3):
        write_day(store, day)
    store.flush()
    all_three = store.stats().bytes_on_disk["logs"]
    store.close()
    limits = StoreLimits(reserve_bytes=0, log_maximum_bytes=all_three - 1, span_maximum_bytes=1)
    store = open_store(limits=limits)
    store.flush()
    assert contents(store) == (3, 2, 1)
    assert [one.message for one in store.logs.search(LogQuery(START_NS, EVER[1]))]
    assert len(segment_files(tmp_path, "spans")) == 1


def test_a_flush_that_fails_loses_nothing_and_the_next_makes_good(
    open_store: OpenStore, tmp_path: Path
):
    store = open_store()
    write_day(store, 0)
    in_the_way = tmp_path / "store" / "logs" / f"2023-11-14T000000Z-{0:012}-{2:012}.part"
    in_the_way.mkdir()
    with pytest.raises(StorageError, match="logs could not be moved"):
        store.flush()
    assert contents(store) == (1, 1, 1)
    write_day(store, 1)
    in_the_way.rmdir()
    store.close()
    store = open_store()
    assert contents(store) == (2, 2, 2)
    store.flush()
    assert contents(store) == (2, 2, 2)
    assert store.stats().hot_bytes < 100


def test_too_much_that_waits_to_be_flushed_is_an_overload(open_store: OpenStore):
    store = open_store(limits=StoreLimits(reserve_bytes=0, maximum_hot_bytes=1000))
    store.logs.append([record("x" * 2000)])
    with pytest.raises(OverloadError) as caught:
        store.logs.append([record()])
    assert caught.value.retry_after_seconds > 0
    store.flush()
    store.logs.append([record()])
    assert contents(store) == (0, 2, 0)


def test_a_series_silent_for_hours_is_forgotten_and_its_past_stays_closed(
    open_store: OpenStore, clock: StoppedClock
):
    store = open_store()
    clock.now_ns = START_NS + 10 * 3600 * 1_000_000_000
    store.metrics.append(samples((series("a"), 0, 1.0), (series("b"), 0, 1.0)))
    store.metrics.append(samples((series("c"), 36_000, 1.0)))
    store.flush()
    assert store.stats().series == 1
    assert store.metrics.append(samples((series("a"), -10, 2.0))) == 1
    assert store.metrics.append(samples((series("a"), 0, 2.0))) == 1
    assert store.metrics.append(samples((series("a"), 10, 2.0))) == 0
    assert store.stats().refused == {"too_old": 2}
    assert contents(store) == (4, 0, 0)


def test_many_small_scrapes_read_back_the_same_hot_and_flushed(open_store: OpenStore):
    store = open_store()
    many = [series(instance=str(n)) for n in range(1000)]
    for scrape in range(300):
        times = np.full(1000, START_MS + scrape * 15_000)
        store.metrics.append(SampleBatch(many, times, np.arange(1000.0) + scrape))
    hot = store.metrics.select([], START_MS + 15_000, START_MS + 30_000)
    store.flush()
    cold = store.metrics.select([], START_MS + 15_000, START_MS + 30_000)
    assert [one.labels for one in hot] == sorted(many)
    for one, other in zip(hot, cold, strict=True):
        instance = float(dict(one.labels)["instance"])
        assert one.labels == other.labels
        assert one.values.tolist() == other.values.tolist() == [instance + 1, instance + 2]


def test_only_so_many_segments_are_open_at_once(open_store: OpenStore):
    store = open_store(limits=StoreLimits(reserve_bytes=0, open_segments=2))
    for day in range(5):
        write_day(store, day)
    store.flush()
    assert contents(store) == (5, 5, 5)
    assert contents(store) == (5, 5, 5)
    assert store.logs.tiers.opened.count() <= 2


class FailingSampleDisk(Disk):
    """A disk that fails at one kind of work on files of samples, while `failing` names it."""

    failing = ""

    def write(self, descriptor: int, data: bytes) -> None:
        if self._fails("write", descriptor):
            super().write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(descriptor, data)

    def synchronise(self, descriptor: int) -> None:
        if self._fails("synchronise", descriptor):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().synchronise(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        if self.failing == "rename" and ".samples" in source.name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().rename(source, target)

    def synchronise_directory(self, directory: Path) -> None:
        if self.failing == "synchronise_directory" and directory.name == "metrics":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().synchronise_directory(directory)

    def _fails(self, work: str, descriptor: int) -> bool:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        return self.failing == work and ".samples" in path.name


@pytest.mark.parametrize("failing", ["write", "synchronise", "rename", "synchronise_directory"])
def test_samples_that_the_disk_does_not_take_stay_in_memory_and_in_the_log(
    open_store: OpenStore, failing: str
):
    disk = FailingSampleDisk()
    store = open_store(disk=disk)
    write_day(store, 0)
    store.flush()
    store.metrics.append(samples((series(), 60, 2.0), (series("late"), 60, 1.0)))
    disk.failing = failing
    with pytest.raises(StorageError, match="stays in the log"):
        store.flush()
    assert contents(store) == (3, 1, 1)
    store.metrics.append(samples((series(), 120, 3.0)))
    store.close()
    disk.failing = ""
    store = open_store(disk=disk)
    assert contents(store) == (4, 1, 1)
    disk.failing = failing
    with pytest.raises(StorageError):
        store.flush()
    disk.failing = ""
    store.flush()
    assert contents(store) == (4, 1, 1)
    store.close()
    assert contents(open_store()) == (4, 1, 1)
