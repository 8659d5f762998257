"""Which rows have the very same times: series that are scraped together."""

from __future__ import annotations

import numpy as np

from watchkeeper.storage.column_codec import Ints, row_starts

_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9], np.uint64)
"""Odd constants of SplitMix64 (Steele et al., OOPSLA 2014)."""


def group(times: Ints, lengths: Ints) -> Ints:
    """Number rows of ascending times, none empty, so that those of one number have the same.

    Rows are told apart by a sum of hashes; those whose sums meet are compared.
    """
    rows = len(lengths)
    if rows < 2:
        return np.zeros(rows, np.int64)
    starts = row_starts(lengths)[:-1]
    if len(times) == rows * lengths[0] and (lengths == lengths[0]).all():
        table = times.reshape(rows, -1)
        if (table == table[0]).all():
            return np.zeros(rows, np.int64)
    hashes = times.view(np.uint64) * _MIX[0]
    hashes ^= hashes >> np.uint64(31)
    hashes *= _MIX[1]
    sums = np.add.reduceat(hashes, starts)
    _, first, numbers = np.unique(sums, return_index=True, return_inverse=True)
    model = first[numbers]
    same = lengths[model] == lengths
    own = np.repeat(starts[model] - starts, lengths) + np.arange(len(times))
    np.minimum(own, len(times) - 1, out=own)
    same &= np.logical_and.reduceat(times[own] == times, starts)
    groups: Ints = numbers.astype(np.int64)
    groups[~same] = len(first) + np.arange(int((~same).sum()))
    return groups
