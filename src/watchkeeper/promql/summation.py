"""Sums that lose nothing to rounding, as Prometheus' Kahan-Neumaier sums do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from watchkeeper.promql.grid import Floats

_EXACT = 2.0**53
_LANES = 32


class KahanSum:
    """Many sums at once, each with what rounding took from it, which is added once at the end.

    What rounding took is found without comparing (Knuth, The Art of Computer Programming 2,
    4.2.2, theorem B); it is the number that Neumaier's comparison finds.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.total = np.zeros(shape)
        self.lost = np.zeros(shape)

    def add(self, values: Floats, rows: slice = slice(None)) -> None:
        """Add one value to each sum of `rows`."""
        total, lost = self.total[rows], self.lost[rows]
        with np.errstate(all="ignore"):
            summed = total + values
            shadow = summed - total
            lost += (total - (summed - shadow)) + (values - shadow)
        infinite = np.isinf(summed)
        if infinite.any():
            lost[infinite] = 0.0
        total[...] = summed

    def result(self) -> Floats:
        """Return the sums."""
        with np.errstate(all="ignore"):
            return self.total + self.lost


def sums_exactly(values: Floats) -> bool:
    """Tell whether plain addition of the values, in any order, rounds nothing."""
    if values.size == 0:
        return True
    begin = values[:1]
    with np.errstate(all="ignore"):
        if not (begin == np.rint(begin)).all():
            return False
        whole = bool((values == np.rint(values)).all())
        return whole and bool(np.abs(values).sum() < _EXACT)


def sum_rows(rows: Iterable[Floats], width: int) -> Floats:
    """Return the sum of rows of `width` values, compensated."""
    tally = KahanSum((width,))
    for row in rows:
        tally.add(row)
    return tally.result()


def sum_columns(block: Floats) -> Floats:
    """Return the sum of each column of a block, compensated.

    A few rows are added at a time, to as many sums, so that all of it stays in the cache.
    """
    whole = len(block) // _LANES * _LANES
    tally = KahanSum((_LANES, block.shape[1]))
    for begin in range(0, whole, _LANES):
        tally.add(block[begin : begin + _LANES])
    total = sum_rows([*tally.total, *tally.lost, *block[whole:]], block.shape[1])
    return total if np.isfinite(total).all() else sum_rows(block, block.shape[1])
