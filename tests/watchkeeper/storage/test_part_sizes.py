"""What a merge makes of parts takes no more on disk than they did, of identifiers less."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from tests.watchkeeper.storage.conftest import span

from watchkeeper.storage import Store, StoreLimits
from watchkeeper.storage.merge_policy import NEIGHBOURS
from watchkeeper.storage.part import PartName

OpenStore = Callable[..., Store]
DAY_NS = 86_400 * 10**9
START_NS = 19_000 * DAY_NS


SIZES = (132_000, 144_000, 24_000)
"""More than DuckDB's row groups of 122,880, so that some would be joined again."""


def test_a_merge_leaves_no_holes(open_store: OpenStore, tmp_path: Path):
    limits = StoreLimits.keeping_everything()
    store = open_store(limits=limits)
    files = store.logs.tiers.files
    for number, rows in enumerate(SIZES):
        select = (
            f"SELECT {START_NS} + range, 9, 'job ' || md5(range::VARCHAR), 'api', 'app', "
            f"md5((range // 3)::VARCHAR), left(md5(range::VARCHAR), 16), '{{\"n\":' || range || "
            f"'}}', '{{}}' FROM range({rows})"
        )
        files.commit([files.write(PartName(START_NS, number, number), select, rows)])
    before = store.logs.tiers.size_bytes()
    store.close()
    store = open_store(limits=limits)
    store.merge()
    assert len(list((tmp_path / "store" / "logs").glob("*.part"))) == 1
    assert store.logs.tiers.size_bytes() < before * 1.05


def test_identifiers_take_less_once_parts_are_merged(open_store: OpenStore):
    store = open_store(limits=StoreLimits.keeping_everything())
    chance = random.Random(1)
    for number in range(NEIGHBOURS):
        spans = [
            span(chance.getrandbits(128), chance.getrandbits(64), at=number) for _ in range(4000)
        ]
        store.spans.append(spans)
        store.flush()
    fresh = store.spans.tiers.size_bytes()
    store.merge()
    assert len(store.spans.tiers.view.current.parts) == 1
    assert store.spans.tiers.size_bytes() < 0.75 * fresh
    assert store.spans.trace(spans[0].trace_id) == [spans[0]]
