"""Samples in memory: what few series have and what many have is the same."""

from __future__ import annotations

import numpy as np
import pytest

from watchkeeper.storage import hot_samples
from watchkeeper.storage.hot_samples import SampleBlock, in_order
from watchkeeper.storage.sample_columns import SampleColumns
from watchkeeper.storage.sample_layers import Rows

SERIES = 64
EVER = (0, 2**62)


def block() -> SampleBlock:
    """Return a block of series of which the even ones have times of their own."""
    ids = np.tile(np.arange(SERIES, dtype=np.int32), 3)
    times = np.repeat([10, 20, 30], SERIES) + ids % 2
    keep = (ids % 2 == 1) | (times != 30)
    columns = SampleColumns(ids, times, times + ids / 100).take(keep)
    return in_order([SampleBlock.of(columns)])


def rows_of(wanted: list[int]) -> Rows:
    ids = np.array(wanted, np.int32)
    ((rows,),) = hot_samples.layers((block(),), ids, np.arange(len(ids)), *EVER)
    return rows


@pytest.mark.parametrize("wanted", [[8], [8, 9, 40], list(range(SERIES))])
def test_series_have_their_samples_and_share_times_only_with_their_like(wanted: list[int]):
    rows = rows_of(wanted)
    for one, (number, first, count) in enumerate(zip(wanted, rows.first, rows.counts, strict=True)):
        times = [11, 21, 31] if number % 2 else [10, 20]
        assert rows.times[first : first + count].tolist() == times
        assert rows.values[first : first + count].tolist() == [
            time + number / 100 for time in times
        ]
        for other, second in enumerate(wanted):
            assert (rows.groups[one] == rows.groups[other]) == (number % 2 == second % 2)


def test_a_question_for_few_series_does_not_look_at_the_times_of_all(
    monkeypatch: pytest.MonkeyPatch,
):
    seen: list[int] = []
    group = hot_samples.time_groups.group

    def noted(times: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        seen.append(len(lengths))
        return group(times, lengths)

    monkeypatch.setattr(hot_samples.time_groups, "group", noted)
    rows_of([8, 9, 40])
    rows_of(list(range(SERIES)))
    assert seen == [3, SERIES]
