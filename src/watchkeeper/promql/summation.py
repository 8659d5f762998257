"""Sums that lose nothing to rounding, as Prometheus' Kahan-Neumaier sums do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from watchkeeper.promql.grid import Floats

_EXACT = 2.0**53


class KahanSum:
    """Many sums at once, each with what rounding took from it.

    Neumaier's variant: the compensation is added once, at the end.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.total = np.zeros(shape)
        self.lost = np.zeros(shape)

    def add(self, values: Floats, rows: slice = slice(None)) -> None:
        """Add one value to each sum of `rows`."""
        total, lost = self.total[rows], self.lost[rows]
        big = np.abs(total) >= np.abs(values)
        with np.errstate(all="ignore"):
            summed = total + values
            rounding = np.where(big, (total - summed) + values, (values - summed) + total)
        infinite = np.isinf(summed)
        self.lost[rows] = np.where(infinite, 0.0, lost + rounding)
        self.total[rows] = summed

    def result(self) -> Floats:
        """Return the sums."""
        with np.errstate(all="ignore"):
            return self.total + self.lost


def sums_exactly(values: Floats) -> bool:
    """Tell whether plain addition of the values, in any order, rounds nothing."""
    if values.size == 0:
        return True
    with np.errstate(all="ignore"):
        whole = bool((values == np.rint(values)).all())
        return whole and bool(np.abs(values).sum() < _EXACT)


def sum_rows(rows: Iterable[Floats], width: int) -> Floats:
    """Return the sum of rows of `width` values, compensated."""
    tally = KahanSum((width,))
    for row in rows:
        tally.add(row)
    return tally.result()


def sum_columns(block: Floats) -> Floats:
    """Return the sum of each column of a block, compensated, halving the block each time.

    Each halving keeps what rounding took, so the result is as good as a Kahan sum, and it
    takes log2(rows) steps of NumPy instead of one a row.
    """
    if block.shape[0] == 0:
        return np.zeros(block.shape[1])
    if not np.isfinite(block).all():
        return sum_rows(block, block.shape[1])
    lost = np.zeros(block.shape[1])
    while block.shape[0] > 1:
        half = block.shape[0] // 2
        left, right = block[:half], block[half : 2 * half]
        with np.errstate(all="ignore"):
            summed = left + right
            shadow = summed - left
            lost += ((left - (summed - shadow)) + (right - shadow)).sum(axis=0)
        odd = block[2 * half :]
        block = np.concatenate((summed, odd)) if len(odd) else summed
    total: Floats = block[0]
    return np.where(np.isfinite(total), total + lost, total)
