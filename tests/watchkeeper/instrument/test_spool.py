"""What cannot be delivered waits on disk: in order, bounded, and whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchkeeper.instrument.spool import Spool


class Losses(list[tuple[str, str, int]]):
    """What a spool said it lost."""

    def __call__(self, signal: str, reason: str, records: int) -> None:
        self.append((signal, reason, records))


@pytest.fixture
def lost() -> Losses:
    return Losses()


def bodies(spool: Spool) -> list[bytes]:
    found = []
    while (oldest := spool.oldest()) is not None:
        found.append(oldest[1])
        spool.remove(oldest[0])
    return found


def test_the_oldest_comes_first_however_it_was_put(tmp_path: Path, lost: Losses) -> None:
    spool = Spool(tmp_path, 1000, lost)
    for sequence in (3, 1, 20, 2):
        spool.put(sequence, "spans", 1, b"batch %d" % sequence)
    assert spool.waiting() == {"spans": 4}
    assert bodies(spool) == [b"batch 1", b"batch 2", b"batch 3", b"batch 20"]
    assert (len(spool), lost) == (0, [])


def test_a_later_process_delivers_what_an_earlier_one_left(tmp_path: Path, lost: Losses) -> None:
    first, second = Spool(tmp_path, 1000, lost), Spool(tmp_path, 1000, lost)
    first.put(2, "logs", 5, b"two")
    second.put(1, "spans", 7, b"one")
    first.close()
    second.close()
    later = Spool(tmp_path, 1000, lost)
    assert later.waiting() == {"spans": 7, "logs": 5}
    assert bodies(later) == [b"one", b"two"]


def test_processes_that_live_keep_their_own(tmp_path: Path, lost: Losses) -> None:
    first = Spool(tmp_path, 1000, lost)
    first.put(1, "spans", 1, b"mine")
    second = Spool(tmp_path, 1000, lost)
    assert bodies(second) == []
    assert bodies(first) == [b"mine"]


def test_the_oldest_go_when_it_is_full(tmp_path: Path, lost: Losses) -> None:
    spool = Spool(tmp_path, 100, lost)
    for sequence in range(5):
        spool.put(sequence, "spans", 10 + sequence, bytes([sequence]) * 40)
    assert lost == [("spans", "spool_full", records) for records in (10, 11, 12)]
    assert [body[0] for body in bodies(spool)] == [3, 4]


def test_torn_files_are_counted_and_the_rest_goes_on(tmp_path: Path, lost: Losses) -> None:
    spool = Spool(tmp_path, 1000, lost)
    for sequence in range(4):
        spool.put(sequence, "spans", sequence + 1, b"batch %d" % sequence)
    spool.close()
    half, empty, gone, whole = sorted(tmp_path.rglob("*.otlp"))
    half.write_bytes(half.read_bytes()[:3])
    empty.write_bytes(b"")
    later = Spool(tmp_path, 1000, lost)
    gone.unlink()
    assert bodies(later) == [b"batch 3"]
    assert lost == [("spans", "spool_torn", records) for records in (1, 2, 3)]
    assert not list(tmp_path.rglob("*.otlp"))
    assert not whole.exists()


def test_a_batch_whose_writing_was_cut_off_is_counted(tmp_path: Path, lost: Losses) -> None:
    Spool(tmp_path, 1000, lost).close()
    part = tmp_path / "0000" / f"{7:020d}.logs.9.0000abcd.part"
    part.write_bytes(b"half")
    (tmp_path / "0000" / "something else").write_bytes(b"")
    assert len(Spool(tmp_path, 1000, lost)) == 0
    assert lost == [("logs", "spool_torn", 9)]
    assert [path.name for path in (tmp_path / "0000").iterdir()] == ["lock"]


def test_a_disk_that_takes_nothing_is_counted(
    tmp_path: Path, lost: Losses, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, 1000, lost)

    def refuse(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    spool.put(1, "logs", 4, b"x")
    assert lost == [("logs", "spool_full", 4)]
    assert len(spool) == 0
