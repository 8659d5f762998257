from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model import labels
from watchkeeper.promql.aggregation import group_series, top
from watchkeeper.promql.label_sets import group_keys, grouper
from watchkeeper.promql.summation import sum_columns
from watchkeeper.promql.values import vectors

LABEL_SETS = st.lists(
    st.dictionaries(
        st.sampled_from(["A", "__name__", "__type__", "a", "b"]), st.sampled_from("xy")
    ).map(labels),
    max_size=5,
)


@given(LABEL_SETS, st.lists(st.sampled_from(["a", "b", "A", "c"]), max_size=2), st.booleans())
def test_keys_cut_by_place_are_those_made_one_by_one(series, names, excluding) -> None:
    key = grouper(names, excluding=excluding)
    assert group_keys(series, names, excluding=excluding) == [key(one) for one in series]


@given(st.lists(st.floats(-1e9, 1e9), max_size=100))
def test_columns_are_summed_without_loss(values: list[float]) -> None:
    block = np.array([values, values]).T.reshape(-1, 2)
    assert sum_columns(block).tolist() == pytest.approx([math.fsum(values)] * 2, rel=1e-15)


def test_a_sum_keeps_what_is_small_beside_what_cancels() -> None:
    block = np.array([[1e100], [1.0], [-1e100], [3.0]] * 20)
    assert sum_columns(block).tolist() == [80.0]


@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0, math.nan, -math.inf, None]), min_size=1, max_size=9),
    st.integers(-1, 10),
    st.booleans(),
)
def test_the_top_are_the_first_of_the_sorted(values, limit: int, largest: bool) -> None:
    present = np.array([one is not None for one in values])
    column = np.array([7.0 if one is None else one for one in values])
    names = [labels({"n": f"{n:02d}"}) for n in range(len(values))]
    vector = vectors(names, column[:, None], present[:, None])
    sign = -1 if largest else 1
    wanted = sorted(
        np.flatnonzero(present).tolist(),
        key=lambda row: (
            math.isnan(column[row]),
            0 if math.isnan(column[row]) else sign * column[row],
        ),
    )[: max(limit, 0)]
    groups = group_series(vector, (), without=False)
    found = top(vector, groups, np.array([limit]), largest=largest)
    assert [int(dict(one)["n"]) for one in found.labels] == wanted
    wide = vectors(names, np.repeat(column[:, None], 3, 1), np.repeat(present[:, None], 3, 1))
    kept = top(wide, groups, np.array([limit, 0, limit]), largest=largest).present
    assert np.flatnonzero(kept[:, 0]).tolist() == sorted(wanted)
    assert not kept[:, 1].any()


def test_count_values_writes_values_without_an_exponent(shelf, ask) -> None:
    for number, value in enumerate([1e30, -2.5e-9, math.inf, 7.0, 7.0, math.nan, math.nan]):
        shelf.put([0], [value], name="x", n=str(number))
    assert ask('count_values("v", x)', 0) == {
        '{v="1000000000000000000000000000000"}': 1,
        '{v="-0.0000000025"}': 1,
        '{v="+Inf"}': 1,
        '{v="7"}': 2,
        '{v="NaN"}': 2,
    }
