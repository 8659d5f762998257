"""Many threads at once: nothing is lost, nothing is seen twice, and flushes come by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb
import pytest
from tests.watchkeeper.storage.conftest import StoppedClock, record, samples, series, span

from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store, StoreLimits, store

OpenStore = Callable[..., Store]
EVER = (0, 2**62)
WRITERS, BATCHES = 3, 40


class Crowd:
    """Threads over one store; what goes wrong in any of them is in `failures`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failures: list[BaseException] = []
        self.written = threading.Event()

    def start(self, work: Callable[..., None], *arguments: object) -> threading.Thread:
        def guarded() -> None:
            try:
                work(*arguments)
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                self.failures.append(error)

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    def write(self, writer: int) -> None:
        for number in range(BATCHES):
            self.store.logs.append([record(f"{writer}/{number}", at=number)])
            self.store.spans.append([span(writer + 1, number + 1, at=number)])
            self.store.metrics.append(samples((series(w=str(writer)), number, number)))

    def flush(self) -> None:
        while not self.written.is_set():
            self.store.flush()

    def read(self) -> None:
        before = 0
        while not self.written.is_set():
            messages = [one.message for one in self.store.logs.search(LogQuery(*EVER, limit=1000))]
            assert len(messages) == len(set(messages)) >= before
            before = len(messages)
            for trace in self.store.spans.search(TraceQuery(*EVER)):
                assert len(trace) == len({one.span_id for one in trace})
            for one in self.store.metrics.select([], *EVER):
                assert one.values.tolist() == list(range(len(one.values)))


def test_readers_see_everything_once_while_others_write_and_flush(open_store: OpenStore):
    opened = open_store()
    crowd = Crowd(opened)
    writers = [crowd.start(crowd.write, number) for number in range(WRITERS)]
    others = [crowd.start(work) for work in (crowd.flush, crowd.read, crowd.read)]
    for thread in writers:
        thread.join()
    crowd.written.set()
    for thread in others:
        thread.join()
    assert crowd.failures == []
    assert len(opened.logs.search(LogQuery(*EVER, limit=1000))) == WRITERS * BATCHES
    assert [len(trace) for trace in opened.spans.search(TraceQuery(*EVER))] == [BATCHES] * WRITERS
    assert [len(one.values) for one in opened.metrics.select([], *EVER)] == [BATCHES] * WRITERS


@pytest.mark.parametrize(
    ("limits", "seconds_later"),
    [
        (StoreLimits(reserve_bytes=0, hot_bytes=100), 0),
        (StoreLimits(reserve_bytes=0, hot_age_seconds=60), 61),
    ],
    ids=["by size", "by age"],
)
def test_hot_data_moves_into_segments_by_itself(
    open_store: OpenStore,
    monkeypatch: pytest.MonkeyPatch,
    clock: StoppedClock,
    limits: StoreLimits,
    seconds_later: int,
):
    flushed = threading.Event()
    really_flush = Store.flush

    def flush(self: Store) -> None:
        really_flush(self)
        flushed.set()

    monkeypatch.setattr(Store, "flush", flush)
    monkeypatch.setattr(store, "_LOOK_EVERY_SECONDS", 0.001)
    opened = open_store(limits=limits)
    opened.logs.append([record("x" * 200)])
    clock.now_ns += seconds_later * 1_000_000_000
    assert flushed.wait(20)
    assert opened.stats().hot_bytes < 100


def test_an_error_that_nobody_foresaw_does_not_end_the_moving_of_hot_data(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    failed, flushed = threading.Event(), threading.Event()
    really_flush = Store._flush

    def flush(self: Store) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("nobody foresaw it")
        really_flush(self)
        flushed.set()

    monkeypatch.setattr(Store, "_flush", flush)
    monkeypatch.setattr(store, "_LOOK_EVERY_SECONDS", 0.001)
    monkeypatch.setattr(store, "_TRY_AGAIN_NS", 0)
    opened = open_store(limits=StoreLimits(reserve_bytes=0, hot_bytes=100))
    opened.logs.append([record("x" * 200)])
    assert failed.wait(20)
    assert flushed.wait(20)
    assert opened.stats().flush_failures == 1
    assert [one.message for one in opened.logs.search(LogQuery(*EVER))] == ["x" * 200]


def test_who_appends_does_not_wait_for_the_engine_that_takes_rows_in(open_store: OpenStore):
    crowd = Crowd(open_store())
    tiers = crowd.store.logs.tiers
    many = [record(f"{number}", at=number) for number in range(5000)]
    with tiers._inserting:
        appending = crowd.start(crowd.store.logs.append, many)
        appending.join(20)
        assert not appending.is_alive()
    assert crowd.failures == []
    assert len(crowd.store.logs.search(LogQuery(*EVER, limit=10_000))) == 5000


def test_rows_that_the_engine_could_not_take_in_are_taken_in_later_in_their_order(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    def without_memory(*arguments: object) -> None:
        raise duckdb.OutOfMemoryException("no room")

    opened = open_store()
    opened.logs.append([record("one"), record("two")])
    with monkeypatch.context() as patch:
        patch.setattr(opened.logs.tiers, "_joined", without_memory)
        with pytest.raises(duckdb.OutOfMemoryException):
            opened.logs.search(LogQuery(*EVER))
        opened.logs.append([record("three")])
    found = opened.logs.search(LogQuery(*EVER, newest_first=False))
    assert [one.message for one in found] == ["one", "two", "three"]
