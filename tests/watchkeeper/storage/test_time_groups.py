"""Rows are of one group only if their times are the same, and then they are."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from watchkeeper.storage import time_groups

TIMES = st.sets(st.integers(0, 2**62), min_size=1, max_size=5).map(sorted)


@given(st.lists(st.sampled_from([[1], [1, 2], [0, 3], [1, 2, 3]]) | TIMES, max_size=12))
@example([[1, 2], [1, 2], [1, 2]])
@example([[1, 2], [0, 3], [1, 2]])
def test_rows_of_one_group_have_the_same_times_and_rows_with_the_same_times_one_group(
    rows: list[list[int]],
):
    flat = np.array([one for row in rows for one in row], np.int64)
    groups = time_groups.group(flat, np.array([len(row) for row in rows], np.int64)).tolist()
    for one, row in zip(groups, rows, strict=True):
        for other, others in zip(groups, rows, strict=True):
            assert (one == other) == (row == others)


def test_rows_whose_hashes_meet_are_told_apart(monkeypatch):
    monkeypatch.setattr(time_groups, "_MIX", np.zeros(2, np.uint64))
    flat = np.array([1, 2, 1, 3, 1, 2], np.int64)
    groups = time_groups.group(flat, np.array([2, 2, 2])).tolist()
    assert groups[0] == groups[2] != groups[1]
