from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchkeeper.model import labels
from watchkeeper.promql.columns import Columns
from watchkeeper.promql.grid import Grid
from watchkeeper.promql.selection import Samples, windows_of
from watchkeeper.promql.start_timestamps import beginnings, restarted

TIMES = np.array([10_000, 20_000, 30_000])
WINDOWS = windows_of(
    Samples(
        [labels({"__name__": "x"})],
        Columns(TIMES, np.array([0, 3])),
        np.array([5.0, 7.0, 2.0]),
        starts_ms=np.array([1, 1, 25_000]),
    ),
    Grid(30_000, 10_000, 1),
    60_000,
)


def test_a_start_after_the_sample_before_is_a_restart() -> None:
    assert restarted(WINDOWS).tolist() == [False, False, True]
    assert restarted(replace(WINDOWS, starts_ms=None)) is None


def test_it_is_found_out_once_for_all_windows_and_anew_for_others() -> None:
    assert restarted(WINDOWS) is restarted(WINDOWS)
    assert beginnings(WINDOWS) is beginnings(WINDOWS)
    others = replace(WINDOWS, starts_ms=np.array([1, 1, 1]))
    assert restarted(others).tolist() == [False, False, False]
