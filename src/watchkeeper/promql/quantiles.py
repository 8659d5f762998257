"""Quantiles of numbers, interpolated between neighbours."""

from __future__ import annotations

import numpy as np

from watchkeeper.promql.grid import Floats, Ints


def quantile_of_rows(quantile: Floats, block: Floats, counts: Ints) -> Floats:
    """Return the quantile of each row's first `counts` values; NaN counts as the smallest.

    `block` has shape (rows, longest), padded with +Inf. A quantile below 0 is -Inf, above 1
    +Inf, NaN for NaN and for an empty row.
    """
    ordered = np.sort(block, axis=1)
    nans = np.isnan(block).sum(axis=1)
    rank = np.clip(np.nan_to_num(quantile), 0, 1) * (counts - 1)
    lower = np.maximum(np.floor(rank), 0).astype(np.int64)
    upper = np.minimum(lower + 1, np.maximum(counts - 1, 0))
    weight = rank - np.floor(rank)
    low, high = _ranked(ordered, nans, lower), _ranked(ordered, nans, upper)
    result = low * (1 - weight) + high * weight
    result = np.where(quantile < 0, -np.inf, np.where(quantile > 1, np.inf, result))
    return np.where(np.isnan(quantile) | (counts == 0), np.nan, result)


def _ranked(ordered: Floats, nans: Ints, rank: Ints) -> Floats:
    column = np.clip(rank - nans, 0, max(ordered.shape[1] - 1, 0))
    if ordered.shape[1] == 0:
        return np.full(len(ordered), np.nan)
    found = ordered[np.arange(len(ordered)), column]
    return np.where(rank < nans, np.nan, found)
