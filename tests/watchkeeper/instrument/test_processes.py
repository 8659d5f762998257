"""Several processes of one service show one sum; the dead keep their counts, not their gauges."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper import Settings, Telemetry
from watchkeeper.conventions import http
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.process_files import ProcessFiles
from watchkeeper.instrument.values import SEGMENT_BYTES, FileValues, read_values
from watchkeeper.testing import FakeClock

from .conftest import CONTRACT, ENDED


def settings(directory: Path) -> Settings:
    return Settings(process_directory=str(directory), log="off", background=False, loud=True)


def read(telemetry: Telemetry) -> str:
    return telemetry.exposition()[0].decode()


SIBLING = """
import sys
from watchkeeper import Contract, Counter, Gauge, Histogram, Label, Settings, Signals, Telemetry
from watchkeeper.contract import Combine

outcome = Label("outcome", values=("good", "bad"))
ended = Counter(name="ended_total", help="Ends.", labels=(outcome,))
opened = Gauge(name="open_doors", help="Open doors.")
newest = Gauge(name="newest_version", help="Newest.", combine=Combine.LATEST)
highest = Gauge(name="highest_water", help="Highest.", combine=Combine.MAXIMUM)
duration = Histogram(name="work_duration_seconds", help="Work.", buckets=(0.1, 1.0))
signals = Signals(metrics=(ended, opened, newest, highest, duration))
contract = Contract(service="door-keeper", version="1.2.3", signals=signals)
with Telemetry(contract, Settings(process_directory=sys.argv[1], log="off")) as telemetry:
    telemetry.counter(ended).inc(5, outcome="good")
    telemetry.histogram(duration).observe(0.5)
    telemetry.gauge(opened).set(3)
    telemetry.gauge(highest).set(9)
    telemetry.gauge(newest).set(2)
    print("ready", flush=True)
    sys.stdin.readline()
"""


def test_processes_add_up_and_the_dead_keep_their_counts(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    with (
        Telemetry(door.contract, settings(tmp_path)) as telemetry,
        subprocess.Popen(
            [sys.executable, "-c", SIBLING, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        telemetry.counter(door.ended).inc(outcome="good")
        telemetry.histogram(door.duration).observe(0.05)
        telemetry.gauge(door.open).set(1)
        telemetry.gauge(door.highest).set(4)
        telemetry.gauge(door.newest).set(8)
        text = read(telemetry)
        assert 'ended_total{outcome="good"} 6' in text
        assert 'work_duration_seconds_bucket{le="0.1"} 1' in text
        assert 'work_duration_seconds_bucket{le="1.0"} 2' in text
        assert "open_doors 4" in text
        assert "highest_water 9" in text
        assert "newest_version 8" in text
        process.communicate(b"go\n", timeout=30)
        for _ in range(2):
            text = read(telemetry)
            assert 'ended_total{outcome="good"} 6' in text
            assert "work_duration_seconds_count 2" in text
            assert "open_doors 1" in text
            assert "highest_water 4" in text
        assert len(list(tmp_path.glob("*.values"))) == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_counts_for_itself(door: SimpleNamespace, tmp_path: Path) -> None:
    with Telemetry(door.contract, settings(tmp_path)) as telemetry:
        child = telemetry.counter(door.ended).labels(outcome="good")
        child.inc(10)
        pid = os.fork()
        if pid == 0:
            child.inc(7)
            os._exit(0)
        os.waitpid(pid, 0)
        child.inc()
        assert 'ended_total{outcome="good"} 18' in read(telemetry)


def test_a_restart_in_the_same_process_keeps_the_counts(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    telemetry = Telemetry(door.contract, settings(tmp_path))
    telemetry.counter(door.ended).inc(outcome="bad")
    for _ in range(2):
        with telemetry:
            telemetry.counter(door.ended).inc(outcome="bad")
    assert 'ended_total{outcome="bad"} 3' in read(telemetry)


def test_services_that_share_a_directory_do_not_mix(door: SimpleNamespace, tmp_path: Path) -> None:
    one = Telemetry(door.contract, settings(tmp_path))
    other = Telemetry(
        door.contract,
        Settings(service="other", process_directory=str(tmp_path), log="off", background=False),
    )
    with one, other:
        one.counter(door.ended).inc(outcome="good")
        assert 'ended_total{outcome="good"} 0' in read(other)


def test_many_series_go_over_several_segments(tmp_path: Path) -> None:
    values = FileValues(tmp_path / "x", process_id=1, start_ticks=2, now_seconds=3.0)
    cells = {}
    for number in range(5000):
        key = f"series {number}".encode()
        cells[key] = values.allocate(key, 1 + number % 20)
        cells[key][0] = number
    values.close()
    assert (tmp_path / "x").stat().st_size > SEGMENT_BYTES
    stored = read_values(tmp_path / "x")
    assert stored is not None
    assert (stored.process_id, stored.start_ticks) == (1, 2)
    assert {key: entry[0] for key, entry in stored.entries.items()} == {
        key: entry[0] for key, entry in cells.items()
    }


def test_a_file_of_something_else_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"not ours" * 100)
    assert read_values(tmp_path / "x") is None
    (tmp_path / "y").write_bytes(b"")
    assert read_values(tmp_path / "y") is None
    assert read_values(tmp_path / "gone") is None


def test_a_crash_between_retiring_and_removing_counts_nothing_twice(tmp_path: Path) -> None:
    files = ProcessFiles(tmp_path, "service", FakeClock(), Faults())
    dead = FileValues(
        tmp_path / "service.1.1.0.values", process_id=2**22, start_ticks=1, now_seconds=0
    )
    dead.allocate(b'["ended_total","good"]', 1)[0] = 4
    before = (tmp_path / "service.1.1.0.values").read_bytes()
    assert files.read_others().retired == [{b'["ended_total","good"]': (4.0,)}]
    (tmp_path / "service.1.1.0.values").write_bytes(before)
    assert files.read_others().retired == [{b'["ended_total","good"]': (4.0,)}]
    assert files.read_others().retired == [{b'["ended_total","good"]': (4.0,)}]


def test_damaged_retired_values_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "service.retired.json").write_text("{")
    files = ProcessFiles(tmp_path, "service", FakeClock(), Faults())
    assert files.read_others().retired == [{}]
    assert (tmp_path / "service.retired.damaged").exists()


DEAD = "door-keeper.1.1.0.values"


def leave_a_dead_process(directory: Path) -> Path:
    """The file of a process that counted four good ends and is gone."""
    path = directory / DEAD
    path.unlink(missing_ok=True)
    dead = FileValues(path, process_id=2**22, start_ticks=1, now_seconds=0)
    dead.allocate(b'["ended_total","good"]', 1)[0] = 4
    dead.close()
    return path


def test_a_disk_that_is_full_at_a_scrape_loses_no_count_of_the_dead(
    door: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    quiet = Settings(process_directory=str(tmp_path), log="off", background=False)
    with Telemetry(door.contract, quiet) as telemetry:
        dead = leave_a_dead_process(tmp_path)
        with monkeypatch.context() as disk:
            disk.setattr(Path, "write_bytes", full)
            for _ in range(2):
                assert 'ended_total{outcome="good"} 4' in read(telemetry)
        assert telemetry.faults.seen == {"process_files": 2}
        assert dead.exists()
        for _ in range(2):
            assert 'ended_total{outcome="good"} 4' in read(telemetry)
        assert not dead.exists()


@hypothesis.settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_file_of_another_process_costs_its_own_counts_at_most(
    damage: list[tuple[int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        quiet = Settings(process_directory=name, log="off", background=False)
        with Telemetry(CONTRACT, quiet) as telemetry:
            telemetry.counter(ENDED).inc(outcome="bad")
            dead = leave_a_dead_process(directory)
            data = bytearray(dead.read_bytes())
            for place, value in damage:
                data[place] = value
            dead.write_bytes(data)
            for _ in range(2):
                assert 'ended_total{outcome="bad"} 1' in read(telemetry)
            assert not telemetry.faults.seen


@pytest.mark.parametrize("cells", ['["x"]', "[1, 2, 3]", "7", "[]"])
def test_retired_values_of_another_shape_are_passed_over(
    cells: str, door: SimpleNamespace, tmp_path: Path
) -> None:
    quiet = Settings(process_directory=str(tmp_path), log="off", background=False)
    with Telemetry(door.contract, quiet) as telemetry:
        (tmp_path / "door-keeper.retired.json").write_text(
            f'{{"taken": [], "totals": [[["ended_total", "good"], {cells}]]}}'
        )
        telemetry.counter(door.ended).inc(outcome="good")
        assert 'ended_total{outcome="good"} 1' in read(telemetry)


def test_a_directory_that_cannot_be_used_costs_only_a_fault(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    telemetry = Telemetry(
        door.contract,
        Settings(process_directory=str(blocked), log="off", background=False),
    )
    with telemetry:
        telemetry.counter(door.ended).inc(outcome="good")
        assert 'ended_total{outcome="good"} 1' in read(telemetry)
        assert telemetry.faults.seen["process_files"] >= 1
    assert http.REQUESTS.name in read(telemetry)


def test_a_full_disk_costs_only_a_fault(
    door: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    quiet = Settings(process_directory=str(tmp_path), log="off", background=False)
    with Telemetry(door.contract, quiet) as telemetry:
        monkeypatch.setattr(os, "posix_fallocate", full)
        for number in range(20_000):
            telemetry.counter(door.visits).inc(page=number % 2)
            telemetry.registry.find(http.REQUESTS).resolve(  # type: ignore[union-attr] # declared
                {
                    "method": "GET",
                    "endpoint": f"/{number % 150}",
                    "status_code": 200 + number // 150 % 50,
                }
            )
        assert set(telemetry.faults.seen) == {"process_files"}
        assert 'visits_total{page="1"} 10000' in read(telemetry)
