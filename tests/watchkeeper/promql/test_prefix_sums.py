from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watchkeeper.promql.prefix_sums import PrefixSums

ORDINARY = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(arrays(np.float64, st.integers(1, 60), elements=ORDINARY), st.data())
def test_a_sum_that_is_given_is_the_exact_sum_rounded_once(values, data) -> None:
    first = data.draw(st.integers(0, len(values)))
    after = data.draw(st.integers(first, len(values)))
    sums = PrefixSums.of(values).between(np.array([first]), np.array([after]))
    assert sums is None or sums.tolist() == [math.fsum(values[first:after].tolist())]


def test_short_stretches_of_many_values_are_given() -> None:
    values = np.random.default_rng(1).uniform(0.001, 3.0, 100_000)
    first = np.arange(0, 99_980, 7)
    sums = PrefixSums.of(values).between(first, first + 20)
    assert sums is not None
    exact = [math.fsum(values[begin : begin + 20].tolist()) for begin in first.tolist()]
    assert sums.tolist() == exact


def test_stretches_of_zeros_among_others_are_zero() -> None:
    values = np.concatenate((np.full(1_000, 0.1), np.zeros(1_000), np.full(1_000, 0.3)))
    sums = PrefixSums.of(values).between(np.array([1_000, 0, 5]), np.array([2_000, 10, 5]))
    assert sums is not None
    assert sums.tolist() == [0.0, 1.0, 0.0]


def test_values_that_cancel_each_other_out_are_left_to_others() -> None:
    values = np.array([0.1, 1e17, 0.2, -1e17])
    assert PrefixSums.of(values).between(np.array([0]), np.array([4])) is None


def test_infinities_and_nan_are_left_to_others() -> None:
    for odd in (math.inf, -math.inf, math.nan):
        with np.errstate(all="ignore"):
            sums = PrefixSums.of(np.array([1.5, odd, 2.5]))
            assert sums.between(np.array([0]), np.array([3])) is None
