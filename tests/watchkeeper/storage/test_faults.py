"""Disks that fail at any step: what was acknowledged stays, what was not is not there, and once
the disk is well again so is the store."""

from __future__ import annotations

import errno
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.watchkeeper.storage.conftest import (
    DAY_NS,
    START_NS,
    FailingDisk,
    StoppedClock,
    merge_all,
    record,
    samples,
    series,
    span,
)

from watchkeeper.errors import StorageError, StoreFullError
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store, StoreLimits, verify
from watchkeeper.storage.disk import Room

OpenStore = Callable[..., Store]
EVER = (0, 2**62)
STEPS = ["write", "synchronise", "rename", "synchronise_directory", "unlink"]


def write(store: Store, number: int) -> None:
    store.metrics.append(samples((series(), number, float(number))))
    store.logs.append([record(f"{number}", at=number)])
    store.spans.append([span(number + 1, 1, at=number)])


def contents(store: Store) -> tuple[list[int], list[int], list[int]]:
    """Return the numbers that each signal has."""
    values = [one.values.tolist() for one in store.metrics.select([], *EVER)]
    logs = store.logs.search(LogQuery(*EVER, limit=1000, newest_first=False))
    traces = store.spans.search(TraceQuery(*EVER, limit=1000))
    return (
        [int(value) for value in values[0]] if values else [],
        [int(one.message) for one in logs],
        sorted(int(trace[0].trace_id, 16) - 1 for trace in traces for _ in trace),
    )


def numbers(*found: int) -> tuple[list[int], list[int], list[int]]:
    return (list(found),) * 3


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("failing", ["write", "synchronise"])
def test_a_batch_that_the_disk_refuses_is_not_kept_and_the_next_is(
    open_store: OpenStore, failing: str, reason: int
):
    disk = FailingDisk()
    disk.reason = reason
    store = open_store(disk=disk)
    write(store, 0)
    disk.failing = failing
    for append in (
        lambda: store.metrics.append(samples((series(), 1, 1.0), (series("new"), 60, 1.0))),
        lambda: store.logs.append([record("1", at=1)]),
        lambda: store.spans.append([span(2, 1, at=1)]),
    ):
        with pytest.raises(StoreFullError, match="nothing was kept"):
            append()
    assert contents(store) == numbers(0)
    assert store.stats().refused == {"store_full": 4}
    disk.failing = ""
    write(store, 2)
    assert contents(store) == numbers(0, 2)
    store.close()
    assert contents(open_store()) == numbers(0, 2)


@pytest.mark.parametrize("failing", STEPS)
def test_a_flush_that_the_disk_refuses_loses_nothing_and_the_next_makes_good(
    open_store: OpenStore, failing: str
):
    disk = FailingDisk()
    store = open_store(disk=disk)
    write(store, 0)
    store.flush()
    write(store, 1)
    disk.failing = failing
    with pytest.raises(StorageError, match="could not"):
        store.flush()
    assert contents(store) == numbers(0, 1)
    assert store.stats().flush_failures == 1
    disk.failing = ""
    write(store, 2)
    store.flush()
    assert contents(store) == numbers(0, 1, 2)
    assert store.stats().hot_bytes < 100
    store.close()
    store = open_store()
    assert contents(store) == numbers(0, 1, 2)
    assert store.stats().damage == ()


@pytest.mark.parametrize("failing", STEPS)
def test_a_store_that_is_left_in_the_middle_of_a_failed_flush_is_whole_at_the_next_start(
    open_store: OpenStore, failing: str
):
    disk = FailingDisk()
    store = open_store(disk=disk)
    write(store, 0)
    disk.failing = failing
    with pytest.raises(StorageError):
        store.flush()
    store.close()
    store = open_store()
    assert contents(store) == numbers(0)
    store.flush()
    assert contents(store) == numbers(0)


@contextmanager
def files_no_larger_than(size_bytes: int) -> Iterator[None]:
    """Have the system refuse every write beyond a size, whoever writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size_bytes", [0, 5_000, 13_000, 40_000])
def test_a_write_of_the_engine_that_the_system_refuses_loses_nothing(
    open_store: OpenStore, size_bytes: int
):
    store = open_store()
    store.logs.append([record(f"{number}", at=number) for number in range(2000)])
    store.spans.append([span(number + 1, 1, at=number) for number in range(2000)])
    with files_no_larger_than(size_bytes), pytest.raises(StorageError):
        store.flush()
    assert len(store.logs.search(LogQuery(*EVER, limit=5000))) == 2000
    store.flush()
    with files_no_larger_than(size_bytes), pytest.raises(StorageError):
        store.logs.append([record("x" * 50_000)])
    store.logs.append([record("later", at=3000)])
    store.flush()
    with files_no_larger_than(size_bytes), pytest.raises(StorageError):
        merge_all(store)
    merge_all(store)
    assert len(store.logs.search(LogQuery(*EVER, limit=5000))) == 2001
    assert len(store.spans.search(TraceQuery(*EVER, limit=5000))) == 2000
    assert store.stats().damage == ()
    store.close()
    assert len(open_store().logs.search(LogQuery(*EVER, limit=5000))) == 2001


@pytest.mark.parametrize("failing", ["write", "synchronise", "synchronise_directory"])
def test_a_backup_that_the_disk_refuses_is_no_backup_and_the_store_goes_on(
    open_store: OpenStore, tmp_path: Path, failing: str
):
    disk = FailingDisk()
    store = open_store(disk=disk)
    write(store, 0)
    store.flush()
    disk.failing = failing
    with pytest.raises(StorageError):
        store.backup(tmp_path / "backup")
    assert not (tmp_path / "backup" / "backup.json").exists()
    disk.failing = ""
    write(store, 1)
    store.backup(tmp_path / "another")
    assert verify(tmp_path / "another").damage == ()
    assert contents(store) == numbers(0, 1)


def test_a_segment_that_cannot_be_unlinked_serves_no_more_and_goes_later(
    open_store: OpenStore, tmp_path: Path, clock: StoppedClock
):
    disk = FailingDisk()
    limits = StoreLimits(reserve_bytes=0, log_retention_seconds=3600)
    store = open_store(disk=disk, limits=limits)
    store.logs.append([record("0")])
    store.flush()
    clock.now_ns = START_NS + DAY_NS
    disk.failing = "unlink"
    store.flush()
    assert store.logs.search(LogQuery(*EVER)) == []
    assert len(list((tmp_path / "store" / "logs").glob("*.part"))) == 1
    disk.failing = ""
    store.flush()
    assert list((tmp_path / "store" / "logs").iterdir()) == []


class SmallDisk(FailingDisk):
    """A disk with so much room."""

    free_bytes = 1 << 40

    def room(self, directory: Path) -> Room:
        return Room(1 << 40, self.free_bytes)


def test_with_too_little_room_in_reserve_nothing_is_taken_in_until_there_is_more(
    open_store: OpenStore,
):
    disk = SmallDisk()
    store = open_store(disk=disk, limits=StoreLimits(reserve_bytes=1000))
    write(store, 0)
    disk.free_bytes = 900
    with pytest.raises(StoreFullError, match="900 bytes are free, 1000 are kept in reserve"):
        write(store, 1)
    assert contents(store) == numbers(0)
    store.flush()
    assert contents(store) == numbers(0)
    disk.free_bytes = 1 << 40
    write(store, 1)
    assert contents(store) == numbers(0, 1)


def test_retention_frees_what_the_disk_has_allocated(
    open_store: OpenStore, tmp_path: Path, clock: StoppedClock
):
    store = open_store(limits=StoreLimits(reserve_bytes=0, log_retention_seconds=3600))
    store.logs.append([record(f"{n * 7919 % 10_007:x}" * 40, at=n % 60) for n in range(20_000)])
    store.flush()
    full = allocated(tmp_path / "store" / "logs")
    assert len(store.logs.search(LogQuery(*EVER, limit=10))) == 10
    clock.now_ns = START_NS + DAY_NS
    store.flush()
    assert full > 500_000
    assert allocated(tmp_path / "store" / "logs") == 0
    assert store.stats().bytes_on_disk["logs"] == 0


def allocated(directory: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in directory.iterdir())
