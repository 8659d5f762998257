from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import compress
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from watchkeeper.matching import matches
from watchkeeper.model import Matcher, Series, labels
from watchkeeper.promql import Engine
from watchkeeper.series_columns import SeriesColumns


class Shelf:
    """A source of series that a test puts there; it remembers what it was asked."""

    def __init__(self) -> None:
        self.series: list[Series] = []
        self.asked: list[tuple[tuple[Matcher, ...], int, int]] = []

    def put(self, times_ms: Sequence[int], values: Sequence[float], **pairs: str) -> None:
        name = {"__name__": pairs.pop("name")} if "name" in pairs else {}
        self.series.append(
            Series(
                labels({**name, **pairs}),
                np.array(times_ms, dtype=np.int64),
                np.array(values, dtype=np.float64),
            )
        )

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        self.asked.append((tuple(matchers), start_ms, end_ms))
        found = []
        for one in sorted(self.series, key=lambda series: series.labels):
            inside = (one.timestamps_ms >= start_ms) & (one.timestamps_ms <= end_ms)
            if inside.any() and matches(one.labels, tuple(matchers)):
                native = None if one.histograms is None else list(compress(one.histograms, inside))
                found.append(
                    Series(one.labels, one.timestamps_ms[inside], one.values[inside], native)
                )
        return SeriesColumns.of(found)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def ask(shelf: Shelf) -> Callable[[str, int], dict[str, float]]:
    """Ask an instant query and get values by label set, written as Prometheus does."""

    def query(text: str, timestamp_ms: int) -> dict[str, float]:
        found = Engine(shelf).vector(text, timestamp_ms)
        return {
            "{" + ", ".join(f'{name}="{value}"' for name, value in one.labels) + "}": one.value
            for one in found
        }

    return query
