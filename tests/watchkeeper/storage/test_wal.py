"""The write-ahead log: whole records or none, whatever became of the file."""

from __future__ import annotations

import errno
import os
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.errors import StorageError, StoreFullError
from watchkeeper.storage import recovery, wal, wal_format
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.wal import WriteAheadLog
from watchkeeper.storage.wal_format import RecordKind


class FaultyDisk(Disk):
    """A disk with so much room, whose next synchronisation can be made to fail."""

    def __init__(self, room_bytes: int = 1 << 30) -> None:
        self.room_bytes = room_bytes
        self.synchronise_fails = False
        self.synchronisations = 0

    def write(self, descriptor: int, data: bytes) -> None:
        fits = data[: self.room_bytes]
        super().write(descriptor, fits)
        self.room_bytes -= len(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")

    def synchronise(self, descriptor: int) -> None:
        self.synchronisations += 1
        if self.synchronise_fails:
            raise OSError(errno.EIO, "Input/output error")


def read(directory: Path) -> list[tuple[int, bytes]]:
    found: list[DamageReport] = []
    return [
        (record.sequence, record.payload)
        for path in wal_format.log_files(directory)
        for record in wal_format.read_file(path, found)
    ]


def log_of(directory: Path, disk: Disk | None = None, first: int = 0) -> WriteAheadLog:
    return WriteAheadLog(directory, next_sequence=first, disk=disk or FaultyDisk())


def written(directory: Path, payloads: list[bytes]) -> Path:
    log = log_of(directory)
    for payload in payloads:
        log.append(RecordKind.LOGS, payload)
    log.close()
    return wal_format.log_files(directory)[0]


def test_records_come_back_in_order_over_several_files(tmp_path: Path):
    log = log_of(tmp_path)
    assert log.append(RecordKind.LOGS, b"a") == 0
    assert log.rotate() == 0
    assert log.append(RecordKind.SPANS, b"b") == 1
    assert read(tmp_path) == [(0, b"a"), (1, b"b")]
    log.discard(0)
    assert read(tmp_path) == [(1, b"b")]


def test_a_file_that_nothing_was_written_to_is_not_rotated_nor_lost(tmp_path: Path):
    log = log_of(tmp_path)
    log.rotate()
    log.discard(log.rotate())
    log.append(RecordKind.LOGS, b"a")
    assert read(tmp_path) == [(0, b"a")]


@given(cut=st.integers(0, 400))
def test_a_file_cut_anywhere_gives_its_whole_records(
    tmp_path_factory: pytest.TempPathFactory, cut: int
):
    payloads = [bytes([n]) * n * 10 for n in range(6)]
    path = written(tmp_path_factory.mktemp("wal"), payloads)
    path.write_bytes(path.read_bytes()[:cut])
    found = [payload for _, payload in read(path.parent)]
    assert found == payloads[: len(found)]
    ends = [16 + sum(21 + len(one) for one in payloads[: n + 1]) for n in range(6)]
    assert len(found) == sum(end <= cut for end in ends)


@given(place=st.integers(16, 291), length=st.integers(1, 40), fill=st.sampled_from(["0", "x", "r"]))
def test_zeros_and_garbage_cost_only_the_records_that_they_touch(
    tmp_path_factory: pytest.TempPathFactory, place: int, length: int, fill: str
):
    payloads = [bytes([n]) * n * 10 for n in range(6)]
    path = written(tmp_path_factory.mktemp("wal"), payloads)
    whole = path.read_bytes()
    garbage = {"0": b"\0", "x": b"\xa7WK\x9e", "r": b"\xff\x01"}[fill] * length
    damaged = whole[:place] + garbage[:length] + whole[place + length :]
    path.write_bytes(damaged[: len(whole)])
    begins = [16 + sum(21 + len(one) for one in payloads[:n]) for n in range(7)]
    untouched = {
        number
        for number, (begin, end) in enumerate(pairwise(begins))
        if damaged[begin:end] == whole[begin:end]
    }
    assert {sequence for sequence, _ in read(path.parent)} == untouched


@pytest.fixture
def reused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written over however small they are."""
    monkeypatch.setattr(wal, "REUSED_BYTES", (0, 1 << 20))


def test_a_file_that_is_discarded_is_written_over_and_its_old_records_are_gone(
    tmp_path: Path, reused: None
):
    log = log_of(tmp_path)
    for number in range(3):
        log.append(RecordKind.LOGS, b"old %d" % number)
    (first,) = wal_format.log_files(tmp_path)
    inode = first.stat().st_ino
    log.prepare()
    log.discard(log.rotate())
    assert read(tmp_path) == []
    log.append(RecordKind.LOGS, b"newer")
    log.prepare()
    log.discard(log.rotate())
    log.append(RecordKind.LOGS, b"newest")
    (path,) = wal_format.log_files(tmp_path)
    assert path.stat().st_ino == inode
    assert b"old 2" in path.read_bytes()
    damage: list[DamageReport] = []
    assert [one.payload for one in wal_format.read_file(path, damage)] == [b"newest"]
    assert damage == []
    assert log.size_bytes == 16 + 21 + len(b"newest")
    log.close()
    assert path.stat().st_size == 16 + 21 + len(b"newest")
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_damaged_before_the_end_is_reported_in_a_file_that_was_written_over(
    tmp_path: Path, reused: None
):
    log = log_of(tmp_path)
    log.append(RecordKind.LOGS, b"x" * 300)
    log.prepare()
    log.discard(log.rotate())
    log.append(RecordKind.LOGS, b"between")
    log.prepare()
    log.discard(log.rotate())
    for payload in (b"first", b"second"):
        log.append(RecordKind.LOGS, payload)
    (path,) = wal_format.log_files(tmp_path)
    data = bytearray(path.read_bytes())
    data[16 + 26 :] = bytes(len(data) - 16 - 26)
    path.write_bytes(data)
    damage: list[DamageReport] = []
    assert [one.payload for one in wal_format.read_file(path, damage)] == [b"first"]
    assert [one.reason for one in damage] == [f"{len(data) - 42} bytes at 42 are not a record"]


def test_a_file_that_was_prepared_needs_nothing_of_the_disk_to_go_on_in(tmp_path: Path):
    disk = FaultyDisk()
    log = log_of(tmp_path, disk)
    log.append(RecordKind.LOGS, b"a")
    log.prepare()
    log.append(RecordKind.LOGS, b"b")
    disk.synchronise_fails, disk.room_bytes = True, 0
    assert log.rotate() == 1
    disk.synchronise_fails, disk.room_bytes = False, 1000
    assert log.append(RecordKind.LOGS, b"c") == 2
    assert read(tmp_path) == [(0, b"a"), (1, b"b"), (2, b"c")]


def test_sequences_go_on_after_the_last_record_though_a_later_file_was_prepared(tmp_path: Path):
    log = log_of(tmp_path)
    log.append(RecordKind.LOGS, b"a")
    log.prepare()
    log.append(RecordKind.LOGS, b"b")
    assert [int(path.stem) for path in wal_format.log_files(tmp_path)] == [0, 1]
    assert recovery.next_sequence(tmp_path, samples=None, rows=()) == 2


def test_records_are_written_over_blocks_that_the_file_has_already(tmp_path: Path):
    log = log_of(tmp_path)
    (path,) = wal_format.log_files(tmp_path)
    sizes = []
    for number in range(300):
        log.append(RecordKind.LOGS, b"%d" % number * 300)
        sizes.append(path.stat().st_size)
    assert len(set(sizes)) < 6
    found: list[DamageReport] = []
    records = list(wal_format.read_file(path, found))
    assert [record.payload for record in records] == [b"%d" % n * 300 for n in range(300)]
    assert found == []
    log.close()
    assert path.stat().st_size == log.size_bytes


def test_a_disk_that_has_no_room_for_more_than_a_record_takes_it(tmp_path: Path):
    class SmallDisk(FaultyDisk):
        def write(self, descriptor: int, data: bytes) -> None:
            if not any(data):
                os.write(descriptor, data[:1000])
                raise OSError(errno.ENOSPC, "No space left on device")
            super().write(descriptor, data)

    log = log_of(tmp_path, SmallDisk())
    log.append(RecordKind.LOGS, b"first")
    log.append(RecordKind.LOGS, b"second")
    (path,) = wal_format.log_files(tmp_path)
    assert path.stat().st_size == log.size_bytes + len(wal_format.END)
    assert read(tmp_path) == [(0, b"first"), (1, b"second")]


def test_damage_is_reported_with_its_place(tmp_path: Path):
    path = written(tmp_path, [b"a" * 10, b"b" * 10])
    path.write_bytes(path.read_bytes() + b"\0" * 7)
    damage: list[DamageReport] = []
    assert len(list(wal_format.read_file(path, damage))) == 2
    assert damage == [DamageReport(str(path), "7 bytes at 78 are not a record")]


def test_a_payload_cannot_pass_for_a_record_of_another_file(tmp_path: Path):
    other = written(tmp_path, [b"forged"])
    forged = other.read_bytes()[16:]
    other.unlink()
    path = written(tmp_path, [b"x" + forged])
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert read(tmp_path) == []


def test_a_full_disk_refuses_keeps_nothing_and_recovers(tmp_path: Path):
    disk = FaultyDisk(room_bytes=100)
    log = log_of(tmp_path, disk)
    log.append(RecordKind.LOGS, b"first")
    with pytest.raises(StoreFullError, match="nothing was kept"):
        log.append(RecordKind.LOGS, b"x" * 100)
    assert read(tmp_path) == [(0, b"first")]
    disk.room_bytes = 1000
    log.append(RecordKind.LOGS, b"second")
    assert [payload for _, payload in read(tmp_path)] == [b"first", b"second"]


def test_a_reserve_is_kept_free(tmp_path: Path):
    log = WriteAheadLog(tmp_path, next_sequence=0, disk=FaultyDisk(), reserve_bytes=1 << 60)
    with pytest.raises(StoreFullError, match="reserve"):
        log.append(RecordKind.LOGS, b"a")


def test_after_a_failed_synchronisation_nothing_of_the_batch_is_kept(tmp_path: Path):
    disk = FaultyDisk()
    log = log_of(tmp_path, disk)
    log.append(RecordKind.LOGS, b"first")
    disk.synchronise_fails = True
    with pytest.raises(StoreFullError):
        log.append(RecordKind.LOGS, b"lost")
    with pytest.raises(StoreFullError):
        log.append(RecordKind.LOGS, b"lost too")
    disk.synchronise_fails = False
    log.append(RecordKind.LOGS, b"second")
    assert [payload for _, payload in read(tmp_path)] == [b"first", b"second"]


def test_threads_that_append_together_share_synchronisations(tmp_path: Path):
    class SlowDisk(FaultyDisk):
        def synchronise(self, descriptor: int) -> None:
            super().synchronise(descriptor)
            if self.synchronisations == 2:
                everybody_waits.wait(10)

    class Log(WriteAheadLog):
        def _write(self, kind: RecordKind, payload: bytes) -> int:
            sequence = super()._write(kind, payload)
            if sequence == 7:
                everybody_waits.set()
            return sequence

    everybody_waits = threading.Event()
    disk = SlowDisk()
    log = Log(tmp_path, next_sequence=0, disk=disk)
    threads = [
        threading.Thread(target=log.append, args=(RecordKind.LOGS, b"%d" % n)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(payload for _, payload in read(tmp_path)) == [b"%d" % n for n in range(8)]
    # One for the new file, one for the first append, one for the seven that came meanwhile.
    assert disk.synchronisations == 3


def test_a_closed_log_takes_nothing(tmp_path: Path):
    log = log_of(tmp_path)
    log.close()
    with pytest.raises(StorageError, match="closed"):
        log.append(RecordKind.LOGS, b"a")
