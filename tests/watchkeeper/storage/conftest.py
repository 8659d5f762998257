"""Stores under test, and short ways to write samples, log records and spans."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from watchkeeper.model import (
    Labels,
    LogRecord,
    Matcher,
    MatchOperator,
    SampleBatch,
    Severity,
    SpanKind,
    SpanRecord,
    labels,
)
from watchkeeper.storage import MemoryStore, Store, StoreLimits
from watchkeeper.storage.disk import Disk

START_NS = 1_700_000_000_000_000_000
START_MS = START_NS // 1_000_000
DAY_NS = 86_400_000_000_000


class StoppedClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def time_ns(self) -> int:
        return self.now_ns

    def monotonic_ns(self) -> int:
        return self.now_ns


class AnyStore:
    """A store of one of the kinds; `settle` moves what is hot to where that kind keeps it."""

    def __init__(self, store: Any, settle: Callable[[Any], Any]) -> None:
        self._store, self._settle = store, settle

    @property
    def metrics(self) -> Any:
        return self._store.metrics

    @property
    def logs(self) -> Any:
        return self._store.logs

    @property
    def spans(self) -> Any:
        return self._store.spans

    def settle(self) -> None:
        self._store = self._settle(self._store)

    def close(self) -> None:
        if isinstance(self._store, Store):
            self._store.close()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def limits() -> StoreLimits:
    return StoreLimits(reserve_bytes=0)


@pytest.fixture
def open_store(
    tmp_path: Path, clock: StoppedClock, limits: StoreLimits
) -> Iterator[Callable[..., Store]]:
    opened: list[Store] = []

    def open_one(**more: Any) -> Store:
        arguments = {"clock": clock, "limits": limits} | more
        opened.append(Store.open(tmp_path / "store", **arguments))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


class FailingDisk(Disk):
    """A disk that fails at one of its methods while it is told to."""

    failing = ""
    reason = errno.ENOSPC

    def write(self, descriptor: int, data: bytes) -> None:
        self._fail("write")
        super().write(descriptor, data)

    def synchronise(self, descriptor: int) -> None:
        self._fail("synchronise")
        super().synchronise(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._fail("rename")
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self._fail("unlink")
        super().unlink(path)

    def synchronise_directory(self, directory: Path) -> None:
        self._fail("synchronise_directory")
        super().synchronise_directory(directory)

    def _fail(self, what: str) -> None:
        if self.failing == what:
            raise OSError(self.reason, os.strerror(self.reason))


KINDS = ["memory", "hot", "flushed", "restarted", "flushed and restarted", "merged"]


@pytest.fixture(params=KINDS)
def any_store(request: pytest.FixtureRequest, open_store: Callable[..., Store]) -> AnyStore:
    kind: str = request.param
    if kind == "memory":
        return AnyStore(MemoryStore(), lambda store: store)

    if kind == "merged":
        return AnyStore(StoreInParts(open_store()), merge_all)

    def settle(store: Store) -> Store:
        if "flushed" in kind:
            store.flush()
        if "restarted" in kind:
            store.close()
            return open_store()
        return store

    return AnyStore(open_store(), settle)


class InTwoParts:
    """A log or span store of which every batch is flushed in two halves."""

    def __init__(self, signal: Any, flush: Callable[[], None]) -> None:
        self._signal, self._flush = signal, flush

    def append(self, batch: Any) -> None:
        half = (len(batch) + 1) // 2
        for some in (batch[:half], batch[half:]):
            if some:
                self._signal.append(some)
                self._flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._signal, name)


class FlushedEachTime:
    """A metric store of which every batch is flushed."""

    def __init__(self, metrics: Any, flush: Callable[[], None]) -> None:
        self._metrics, self._flush = metrics, flush

    def append(self, batch: SampleBatch) -> int:
        refused: int = self._metrics.append(batch)
        self._flush()
        return refused

    def __getattr__(self, name: str) -> Any:
        return getattr(self._metrics, name)


class StoreInParts:
    """A store whose signals are in many parts until they are merged."""

    def __init__(self, store: Store) -> None:
        self.metrics = FlushedEachTime(store.metrics, store.flush)
        self.logs = InTwoParts(store.logs, store.flush)
        self.spans = InTwoParts(store.spans, store.flush)


def merge_all(store: Any) -> Any:
    for tiers in (store.metrics, store.logs.tiers, store.spans.tiers):
        while tiers.merge(closed_before_ns=2**63):
            pass
    return store


def series(name: str = "up", **pairs: str) -> Labels:
    return labels({"__name__": name, **pairs})


def samples(*rows: tuple[Labels, int, float], **more: Any) -> SampleBatch:
    """Return a batch of (series, seconds after the start, value)."""
    return SampleBatch(
        [row[0] for row in rows],
        np.array([START_MS + row[1] * 1000 for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        **more,
    )


def where(name: str, operator: str, value: str) -> Matcher:
    return Matcher(name, MatchOperator(operator), value)


def record(message: str = "hello", *, at: int = 0, **more: Any) -> LogRecord:
    """Return a log record so many seconds after the start."""
    return LogRecord(
        START_NS + at * 1_000_000_000,
        more.pop("severity", Severity.INFO),
        message,
        more.pop("service", "api"),
        **more,
    )


def span(trace: int, number: int, *, at: float = 0, seconds: float = 1, **more: Any) -> SpanRecord:
    """Return a span of a trace by number, so many seconds after the start."""
    start_ns = START_NS + int(at * 1e9)
    parent = more.pop("parent", 0)
    return SpanRecord(
        trace_id=f"{trace:032x}",
        span_id=f"{number:016x}",
        parent_span_id=f"{parent:016x}" if parent else "",
        name=more.pop("name", "GET /"),
        kind=SpanKind.SERVER,
        start_ns=start_ns,
        end_ns=start_ns + int(seconds * 1e9),
        service=more.pop("service", "api"),
        **more,
    )
