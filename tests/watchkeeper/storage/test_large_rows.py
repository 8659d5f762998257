"""Records of many kilobytes: more than the engine's usual memory holds at a time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.watchkeeper.storage.conftest import record

from watchkeeper.ports import LogQuery
from watchkeeper.storage import Store, StoreLimits
from watchkeeper.storage.engine import Engine
from watchkeeper.storage.export import Exported

OpenStore = Callable[..., Store]
LIMITS = StoreLimits(
    reserve_bytes=0, log_retention_seconds=10**10, engine_memory_bytes=20 << 20, hot_bytes=1 << 40
)
ROWS, BYTES = 500, 40_000
EVER = (0, 2**62)


def fill(store: Store) -> None:
    chance = random.Random(1)
    for first in range(0, ROWS, 100):
        store.logs.append(
            [
                record(f"row{number:06} {chance.randbytes(BYTES // 2).hex()}", at=number)
                for number in range(first, first + 100)
            ]
        )


def test_they_are_flushed_merged_found_and_exported(open_store: OpenStore, tmp_path: Path):
    store = open_store(limits=LIMITS)
    for _ in range(2):
        fill(store)
        store.flush()
    store.merge()
    assert len(store.logs.search(LogQuery(*EVER, words=("row000377",)))) == 2
    newest = store.logs.search(LogQuery(*EVER, limit=500))
    assert [one.message[:9] for one in newest[:3]] == ["row000499", "row000499", "row000498"]
    assert store.export(tmp_path / "parquet") == Exported(samples=0, logs=2 * ROWS, spans=0)
    assert store.stats().flush_failures == store.stats().merge_failures == 0


def test_without_more_memory_they_would_not(open_store: OpenStore, monkeypatch: pytest.MonkeyPatch):
    """Else the test above shows nothing."""
    monkeypatch.setattr(Engine, "with_memory", lambda engine, work: work())
    store = open_store(limits=LIMITS)
    fill(store)
    with pytest.raises(Exception, match="Out of Memory"):
        store.flush()
