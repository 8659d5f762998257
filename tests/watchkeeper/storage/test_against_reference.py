"""Whatever is appended, flushed, merged and opened again: the store of the disk says what the
reference in memory says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.watchkeeper.storage.conftest import START_MS, StoppedClock, series, where

from watchkeeper.model import NativeHistogram, SampleBatch
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import MemoryStore, Store, StoreLimits

SERIES = [series(name, n=n) for name in ("a", "b") for n in ("1", "2", "3")]
STALE = 0x7FF0000000000002
ODD = [STALE, -1, 0x7FF8000000000001, *np.array([-0.0, np.inf, 0.1, 1e300]).view(np.int64).tolist()]
SECONDS = st.sampled_from([0, 15, 30, 3000, 6385, 6399, 6400, 6415, 6430, 7000])
"""Over the edge of two windows, and never so long that a series counts as silent."""
VALUES = st.one_of(
    st.integers(-5, 1000).map(float),
    st.integers(-5, 1000).map(lambda one: one / 100),
    st.floats(),
    st.sampled_from(ODD).map(lambda bits: float(np.int64(bits).view(np.float64))),
    st.builds(
        NativeHistogram,
        schema=st.integers(-4, 8),
        count=st.integers(0, 9).map(float),
        sum=st.floats(-5, 5),
        positive=st.dictionaries(st.integers(-3, 3), st.floats(0, 9), max_size=3),
    ),
)
SAMPLES = st.lists(
    st.tuples(st.sampled_from(SERIES), SECONDS, VALUES, st.integers(0, 2)), max_size=12
)
STEPS = st.lists(
    st.one_of(SAMPLES, st.sampled_from(["flush", "merge", "open again"])), min_size=1, max_size=10
)
MATCHERS = st.lists(
    st.sampled_from(
        [
            where("__name__", "=", "a"), where("n", "=~", "1|3"), where("n", "!=", "2"),
            where("n", "!~", "[12]"), where("x", "=", ""), where("__name__", "=~", ".+"),
        ]
    ),
    max_size=2,
)  # fmt: skip


def batch(rows: list[tuple]) -> SampleBatch:
    native = [value if isinstance(value, NativeHistogram) else None for _, _, value, _ in rows]
    return SampleBatch(
        [one for one, _, _, _ in rows],
        np.array([START_MS + second * 1000 for _, second, _, _ in rows], np.int64),
        np.array(
            [value.sum if isinstance(value, NativeHistogram) else value for _, _, value, _ in rows],
            np.float64,
        ),
        histograms=native if any(native) else None,
        starts_ms=np.array([start for _, _, _, start in rows], np.int64),
    )


def told(found: SeriesColumns) -> list[tuple]:
    """Return all that a select says, in plain values; none and nothing known are the same."""
    return [
        (
            one.labels,
            one.timestamps_ms.tolist(),
            one.values.view(np.int64).tolist(),
            list(one.histograms or [None] * len(one.values)),
            [0] * len(one.values) if one.starts_ms is None else one.starts_ms.tolist(),
        )
        for one in found
    ]


@contextmanager
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(place) / "store"


def opened(place: Path) -> Store:
    return Store.open(place, clock=StoppedClock(), limits=StoreLimits(reserve_bytes=0))


ONE, OTHER = SERIES[:2]


@settings(max_examples=40, deadline=None)
@example(
    steps=[[(ONE, 6400, 0.0, 0)], "flush", "open again", [(OTHER, 0, 0.0, 0)]],
    matchers=[],
    bounds=(0, 0),
)
@given(steps=STEPS, matchers=MATCHERS, bounds=st.tuples(SECONDS, SECONDS))
def test_the_store_of_the_disk_says_what_the_reference_says(
    steps: list[list[tuple] | str], matchers: list, bounds: tuple[int, int]
):
    reference = MemoryStore()
    start_ms, end_ms = (START_MS + 1000 * second for second in sorted(bounds))
    with directory() as place:
        store = opened(place)
        try:
            for step in steps:
                if isinstance(step, list):
                    store.metrics.append(batch(step))
                    reference.metrics.append(batch(step))
                elif step == "flush":
                    store.flush()
                elif step == "merge":
                    store.metrics.merge(closed_before_ns=2**63)
                else:
                    store.close()
                    store = opened(place)
            for chosen, low, high in (([], 0, 2**62), (matchers, start_ms, end_ms)):
                found = store.metrics.select(chosen, low, high)
                assert told(found) == told(reference.metrics.select(chosen, low, high))
                for group in set(found.time_groups.tolist()):
                    members = np.flatnonzero(found.time_groups == group).tolist()
                    times = {found[one].timestamps_ms.tobytes() for one in members}
                    assert len(times) == 1
            assert store.stats().damage == ()
        finally:
            store.close()
