"""Backup of a running store, restore by opening it, and reading everything to verify it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.watchkeeper.storage.conftest import DAY_NS, StoppedClock, record, samples, series, span

from watchkeeper.errors import StorageError
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store, StoreLimits, verify

OpenStore = Callable[..., Store]
EVER = (0, 2**62)
DAY = DAY_NS // 1_000_000_000


def write_day(store: Store, day: int) -> None:
    store.metrics.append(samples((series(), day * DAY, 1.0)))
    store.logs.append([record(f"day {day}", at=day * DAY)])
    store.spans.append([span(day + 1, 1, at=day * DAY)])


def days(store: Store) -> tuple[int, int, int]:
    return (
        sum(len(one.values) for one in store.metrics.select([], *EVER)),
        len(store.logs.search(LogQuery(*EVER))),
        len(store.spans.search(TraceQuery(*EVER))),
    )


def test_a_backup_opens_with_what_the_running_store_had_at_that_moment(
    open_store: OpenStore, tmp_path: Path, clock: StoppedClock, limits: StoreLimits
):
    store = open_store()
    write_day(store, 0)
    write_day(store, 1)
    store.backup(tmp_path / "backup")
    write_day(store, 2)
    assert days(store) == (3, 3, 3)
    assert verify(tmp_path / "backup").damage == ()
    restored = Store.open(tmp_path / "backup", clock=clock, limits=limits)
    try:
        assert days(restored) == (2, 2, 2)
        write_day(restored, 3)
        restored.flush()
        assert days(restored) == (3, 3, 3)
    finally:
        restored.close()
    assert verify(tmp_path / "backup").damage == ()


def test_a_backup_writes_into_no_directory_that_has_something(
    open_store: OpenStore, tmp_path: Path
):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter").write_text("precious")
    with pytest.raises(StorageError, match="is not empty: name a new directory"):
        open_store().backup(tmp_path / "taken")


def test_a_store_is_verified_with_its_log_and_its_segments(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    write_day(store, 0)
    store.flush()
    write_day(store, 1)
    store.close()
    found = verify(tmp_path / "store")
    assert (found.segments, found.log_records, found.damage) == (3, 3, ())
    assert found.rows > 3
    assert found.size_bytes > 0


@pytest.mark.parametrize("signal", ["metrics", "logs", "spans"])
def test_a_flipped_bit_in_a_segment_is_found(open_store: OpenStore, tmp_path: Path, signal: str):
    store = open_store()
    write_day(store, 0)
    store.flush()
    store.close()
    directory = tmp_path / "store" / signal
    (path,) = (path for path in directory.iterdir() if path.suffix in (".samples", ".part"))
    data = bytearray(path.read_bytes())
    data[20 if signal == "metrics" else 12288 + 20] ^= 1
    path.write_bytes(data)
    assert [report.path for report in verify(tmp_path / "store").damage] == [str(path)]


def test_a_scrambled_log_and_a_changed_backup_are_found(open_store: OpenStore, tmp_path: Path):
    store = open_store()
    write_day(store, 0)
    store.backup(tmp_path / "backup")
    write_day(store, 1)
    store.close()
    log = max((tmp_path / "store" / "wal").glob("*.wal"))
    data = bytearray(log.read_bytes())
    data[60] ^= 1
    log.write_bytes(data)
    (tmp_path / "backup" / "metadata.json").write_text("[{}]")
    assert "not a record" in verify(tmp_path / "store").damage[0].reason
    assert "SHA-256 differs" in verify(tmp_path / "backup").damage[0].reason


def test_only_a_store_that_nobody_has_open_is_verified(open_store: OpenStore, tmp_path: Path):
    open_store()
    with pytest.raises(StorageError, match="in use by process"):
        verify(tmp_path / "store")
    with pytest.raises(StorageError, match="there is no store in"):
        verify(tmp_path)
