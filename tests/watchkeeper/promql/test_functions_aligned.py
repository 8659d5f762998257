"""Series that share their times are evaluated together, with the results of the general way."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.model import labels
from watchkeeper.promql import functions_over_time, functions_rate
from watchkeeper.promql.columns import Columns, grouped
from watchkeeper.promql.grid import Grid
from watchkeeper.promql.selection import Samples, windows_of
from watchkeeper.promql.values import Vectors
from watchkeeper.promql.windows import Windows

FUNCTIONS = [
    functions_rate.rate,
    functions_rate.increase,
    functions_rate.delta,
    functions_over_time.max_over_time,
    functions_over_time.min_over_time,
    functions_over_time.count_over_time,
]


@st.composite
def series(draw: st.DrawFn) -> tuple[Columns, Columns, np.ndarray]:
    """Return columns with groups, the same without, and values."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=2))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    times = [np.cumsum(numbers.integers(1, 30_000, size)) for size in sizes]
    members = numbers.integers(0, len(sizes), draw(st.integers(4 * len(sizes), 14)))
    bounds = np.concatenate(([0], np.cumsum([sizes[one] for one in members])))
    flat = np.concatenate([times[one] for one in members])
    values = numbers.choice([0.0, 1.0, 2.5, 7.0, 1e9, 0.1, -3.0, math.inf, math.nan], len(flat))
    if draw(st.booleans()):
        values = np.abs(numbers.normal(0, 50, len(flat))).round(2)
    return grouped(flat, bounds, members), Columns(flat, bounds), values


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one.__name__)
@settings(deadline=None)
@given(made=series(), begin=st.integers(-50_000, 200_000), reach=st.integers(1, 200_000))
def test_together_and_alone_are_bit_for_bit_the_same(
    function: Callable[[Windows], Vectors],
    made: tuple[Columns, Columns, np.ndarray],
    begin: int,
    reach: int,
) -> None:
    together, alone, values = made
    names = [labels({"__name__": "x", "n": str(n)}) for n in range(together.series)]
    grid = Grid(begin, 20_000, 7)
    with np.errstate(all="ignore"):
        found = [
            function(windows_of(Samples(names, one, values), grid, reach))
            for one in (together, alone)
        ]
    assert np.array_equal(found[0].present, found[1].present)
    shown = [one.values[one.present] for one in found]
    assert shown[0].tobytes() == shown[1].tobytes() or np.array_equal(*shown, equal_nan=True)


def test_series_are_grouped_by_their_times_where_that_is_worth_it() -> None:
    times = np.arange(0, 300_000, 1000)
    columns = grouped(
        np.concatenate([times] * 6), np.arange(7) * len(times), np.array([4, 4, 9, 4, 9, 4])
    )
    assert columns.groups is None, "two groups of three are not worth it"
    columns = grouped(
        np.concatenate([times] * 8), np.arange(9) * len(times), np.array([4, 4, 9, 4, 9, 4, 9, 9])
    )
    assert columns.groups.tolist() == [0, 0, 1, 0, 1, 0, 1, 1]
    assert columns.models.tolist() == [0, 2]
