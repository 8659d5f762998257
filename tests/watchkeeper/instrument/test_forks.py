"""A forked child starts anew: its own queue, its own thread, its own values."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from watchkeeper import Settings, Telemetry

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def in_child(work: object) -> int:
    """Run `work()` in a forked child; return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            work()  # type: ignore[operator] # a callable
        except BaseException:  # noqa: BLE001 - the child must end here
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_writes_its_own_lines_and_not_its_parents(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    settings = Settings(log=str(path), pump_interval_seconds=60)
    with Telemetry(door.contract, settings) as telemetry:
        telemetry.log(door.started, job_id="parent")

        def work() -> None:
            telemetry.log(door.started, job_id="child")
            telemetry.stop()

        assert in_child(work) == 0
        assert [line.split('"job_id":"')[1][:5] for line in path.read_text().splitlines()] == [
            "child"
        ]
    assert path.read_text().count('"job_id":"parent"') == 1


def test_what_a_child_of_multiprocessing_said_last_is_not_lost(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    settings = Settings(log=str(path), pump_interval_seconds=60)
    with Telemetry(door.contract, settings) as telemetry:
        for number in range(2):
            child = multiprocessing.get_context("fork").Process(
                target=telemetry.log, args=(door.started,), kwargs={"job_id": f"child {number}"}
            )
            child.start()
            child.join()
            assert child.exitcode == 0
        told = [line.split('"job_id":"')[1][:7] for line in path.read_text().splitlines()]
        assert told == ["child 0", "child 1"]


def test_a_child_without_a_shared_directory_begins_at_zero(door: SimpleNamespace) -> None:
    with Telemetry(door.contract, Settings(log="off", background=False)) as telemetry:
        series = telemetry.counter(door.ended).labels(outcome="good")
        series.inc(5)

        def work() -> None:
            series.inc()
            assert b'ended_total{outcome="good"} 1' in telemetry.exposition()[0]

        assert in_child(work) == 0
        assert b'ended_total{outcome="good"} 5' in telemetry.exposition()[0]


def test_a_child_counts_its_own_garbage_collections(door: SimpleNamespace) -> None:
    with Telemetry(door.contract, Settings(log="off", background=False)) as telemetry:
        gc.collect()
        counted = b'python_gc_collections_total{generation="2"}'
        assert counted + b" 0" not in telemetry.exposition()[0]

        def work() -> None:
            assert counted + b" 0" in telemetry.exposition()[0]
            gc.collect()
            assert counted + b" 1" in telemetry.exposition()[0]

        gc.disable()
        try:
            assert in_child(work) == 0
        finally:
            gc.enable()


def test_the_pump_runs_in_a_child_that_has_something_to_say(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    with Telemetry(door.contract, Settings(log=str(path), pump_interval_seconds=0.01)) as telemetry:

        def work() -> None:
            assert not any(t.name == "watchkeeper-pump" for t in threading.enumerate())
            telemetry.log(door.started, job_id="child")
            assert any(t.name == "watchkeeper-pump" for t in threading.enumerate())

        assert in_child(work) == 0


def test_a_child_spools_into_a_folder_of_its_own(door: SimpleNamespace, tmp_path: Path) -> None:
    settings = Settings(
        otlp_endpoint="http://127.0.0.1:9",
        log="off",
        shutdown_timeout_seconds=0.2,
        spool_directory=str(tmp_path),
    )
    with Telemetry(door.contract, settings) as telemetry:

        def work() -> None:
            with telemetry.span(door.work):
                pass
            telemetry.stop()

        assert in_child(work) == 0
        assert [path.parent.name for path in tmp_path.rglob("*.spans.*")] == ["0001"]
        with telemetry.span(door.work):
            pass
    assert sorted(path.parent.name for path in tmp_path.rglob("*.spans.*")) == ["0000", "0001"]


def test_spans_that_wait_for_a_decision_are_the_parents_to_keep(door: SimpleNamespace) -> None:
    settings = Settings(
        log="off", background=False, sampler="parentbased_traceidratio", sampler_ratio=0.0
    )
    with Telemetry(door.contract, settings) as telemetry, telemetry.span(door.work):
        with telemetry.span(door.work):
            pass
        tail = telemetry.tracing.tail
        assert tail is not None
        assert tail.waiting == 1

        def work() -> None:
            assert tail is not None
            assert tail.waiting == 0
            with telemetry.span(door.work):
                pass

        assert in_child(work) == 0
        assert tail.waiting == 1


def test_threads_scrapes_and_forks_at_once_lose_no_count(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    settings = Settings(
        log="off", process_directory=str(tmp_path), pump_interval_seconds=0.01, queue_limit=10**9
    )
    with Telemetry(door.contract, settings) as telemetry:
        done = threading.Event()
        counted: list[int] = []

        def work() -> None:
            number = 0
            while not done.is_set():
                number += 1
                with telemetry.span(door.work):
                    telemetry.counter(door.ended).inc(outcome="good")
            counted.append(number)

        def fork_and_count() -> None:
            telemetry.counter(door.ended).inc(outcome="bad")
            telemetry.exposition()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(8):
            assert in_child(fork_and_count) == 0
            telemetry.exposition()
        done.set()
        for thread in threads:
            thread.join()
        page = telemetry.exposition()[0].decode()
        assert f'ended_total{{outcome="good"}} {sum(counted)}\n' in page
        assert 'ended_total{outcome="bad"} 8\n' in page
        assert not telemetry.faults.seen
