"""Sums that lose nothing to rounding, as Prometheus' Kahan-Neumaier sums do."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from watchkeeper.promql.grid import Floats

_EXACT = 2.0**53
_LEAST_LANES, _CELLS = 32, 1 << 13
"""How many sums a column is spread over, and how many there are at most in all columns."""


def two_sum(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the sum of two, and what rounding took from it.

    It is found without comparing (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B),
    and is the number that Neumaier's comparison finds.
    """
    summed = left + right
    shadow = summed - left
    return summed, (left - (summed - shadow)) + (right - shadow)


class KahanSum:
    """Many sums at once, each with what rounding took from it, which is added once at the end."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.total = np.zeros(shape)
        self.lost = np.zeros(shape)

    def add(self, values: Floats, rows: slice = slice(None)) -> None:
        """Add one value to each sum of `rows`."""
        total, lost = self.total[rows], self.lost[rows]
        summed, rounding = two_sum(total, values)
        lost += rounding
        infinite = np.isinf(summed)
        if infinite.any():
            lost[infinite] = 0.0
        total[...] = summed

    def result(self) -> Floats:
        """Return the sums."""
        return self.total + self.lost


def sums_exactly(values: Floats) -> bool:
    """Tell whether plain addition of the values, in any order, rounds nothing."""
    if values.size == 0:
        return True
    begin = values[:1]
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


def _sum(values: Floats) -> float:
    """Return one sum, rounded once (Shewchuk, Adaptive Precision Arithmetic, 1997)."""
    try:
        return math.fsum(values.tolist())
    except (OverflowError, ValueError):
        return float(sum_rows(values[:, None], 1)[0])


def sum_columns(block: Floats) -> Floats:
    """Return the sum of each column of a block, compensated.

    Rows are added to a few sums each, so that all of it stays in the cache, and the sums are
    added in pairs.
    """
    rows, width = block.shape
    if rows == 0:
        return np.zeros(width)
    if width == 1:
        return np.array([_sum(block[:, 0])])
    given, lost = block, np.zeros(width)
    lanes = max(_LEAST_LANES, _CELLS // max(width, 1))
    if rows >= 2 * lanes:
        tally = KahanSum((lanes, width))
        whole = rows // lanes * lanes
        for begin in range(0, whole, lanes):
            tally.add(block[begin : begin + lanes])
        lost = tally.lost.sum(axis=0)
        block = np.concatenate((tally.total, block[whole:]))
    while len(block) > 1:
        half = len(block) // 2
        left, right = block[:half], block[half : 2 * half]
        summed, rounding = two_sum(left, right)
        lost += rounding.sum(axis=0)
        block = summed if len(block) == 2 * half else np.concatenate((summed, block[2 * half :]))
    total: Floats = block[0] + lost
    return total if np.isfinite(total).all() else sum_rows(given, width)
