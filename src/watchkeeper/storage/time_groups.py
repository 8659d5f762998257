"""Which rows have the very same times: series that are scraped together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.storage.column_codec import Ints, row_starts

_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9], np.uint64)
"""Odd constants of SplitMix64 (Steele et al., OOPSLA 2014)."""


def group(times: Ints, lengths: Ints) -> Ints:
    """Number rows of ascending times, none empty, so that those of one number have the same.

    Rows are told apart by their ends, where that will do, or else by a sum of hashes of all their
    times; those that meet are compared.
    """
    rows = len(lengths)
    if rows < 2:
        return np.zeros(rows, np.int64)
    starts = row_starts(lengths)[:-1]
    if len(times) == rows * lengths[0] and (lengths == lengths[0]).all():
        table = times.reshape(rows, -1)
        if (table == table[0]).all():
            return np.zeros(rows, np.int64)
    ends = _mixed(times[starts]) + _mixed(times[starts + lengths - 1]) * _MIX[0]
    numbers, same = _compared(ends, times, starts, lengths)
    if not same.all():
        sums = np.add.reduceat(_mixed(times), starts)
        numbers, same = _compared(sums, times, starts, lengths)
        numbers[~same] = rows + np.arange(int((~same).sum()))
    return numbers


def _mixed(times: Ints) -> NDArray[np.uint64]:
    hashes: NDArray[np.uint64] = times.view(np.uint64) * _MIX[0]
    hashes ^= hashes >> np.uint64(31)
    hashes *= _MIX[1]
    return hashes


def _compared(
    hashes: NDArray[np.uint64], times: Ints, starts: Ints, lengths: Ints
) -> tuple[Ints, NDArray[np.bool_]]:
    """Number rows by what stands for them, and tell which are as the first of their number is."""
    # Neighbours mostly are alike, and a sort of all would take most of the time.
    heads = np.concatenate(([0], np.flatnonzero(hashes[1:] != hashes[:-1]) + 1))
    _, first, numbers = np.unique(hashes[heads], return_index=True, return_inverse=True)
    numbers = np.repeat(numbers, np.diff(heads, append=len(hashes)))
    model = heads[first][numbers]
    same = lengths[model] == lengths
    own = np.repeat(starts[model] - starts, lengths) + np.arange(len(times))
    np.minimum(own, len(times) - 1, out=own)
    same &= np.logical_and.reduceat(times[own] == times, starts)
    return numbers, same
