"""The _over_time functions: one number from the samples of each window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from watchkeeper.promql.functions_aligned import extremes
from watchkeeper.promql.grid import Bools, Floats, Ints
from watchkeeper.promql.prefix_sums import PrefixSums
from watchkeeper.promql.quantiles import quantile_of_rows
from watchkeeper.promql.summation import KahanSum
from watchkeeper.promql.values import Vectors
from watchkeeper.promql.windows import Ranks, Windows

_CHUNK = 1 << 18
"""How many samples are laid out at once where windows must be sorted."""


def sum_over_time(windows: Windows) -> Vectors:
    """Return the sum of the samples."""
    return windows.result(window_sums(windows))


def avg_over_time(windows: Windows) -> Vectors:
    """Return the mean of the samples; one that fits a float even where the sum does not."""
    return windows.result(window_means(windows))


def window_sums(windows: Windows) -> Floats:
    """Return the sum of each window, compensated."""
    sums = PrefixSums.of(windows.values).between(windows.first, windows.after)
    if sums is not None:
        return sums
    ranks = Ranks.of(windows)
    tally = KahanSum(ranks.counts.shape)
    for active, positions in ranks:
        tally.add(windows.values[positions], slice(active))
    return ranks.spread(tally.result())


def window_means(windows: Windows) -> Floats:
    """Return the mean of each window, compensated."""
    means = window_sums(windows) / windows.counts
    if not np.isinf(means).any():
        return means
    ranks = Ranks.of(windows)
    tally = KahanSum(ranks.counts.shape)
    for active, positions in ranks:
        tally.add(windows.values[positions] / ranks.counts[:active], slice(active))
    return np.where(np.isinf(means), ranks.spread(tally.result()), means)


def count_over_time(windows: Windows) -> Vectors:
    """Return how many samples there are."""
    return windows.result(windows.counts.astype(np.float64))


def present_over_time(windows: Windows) -> Vectors:
    """Return 1 where there are samples."""
    return windows.result(np.ones(windows.counts.shape))


def last_over_time(windows: Windows) -> Vectors:
    """Return the newest sample, its metric name kept."""
    return _named(windows, windows.at(windows.after - 1))


def first_over_time(windows: Windows) -> Vectors:
    """Return the oldest sample, its metric name kept."""
    return _named(windows, windows.at(windows.first))


def _named(windows: Windows, values: Floats) -> Vectors:
    return Vectors(windows.labels, values, windows.counts > 0, windows.drops_name)


def max_over_time(windows: Windows) -> Vectors:
    """Return the largest sample; NaN only where there is nothing else."""
    return windows.result(_extremes(windows, np.maximum, np.fmax))


def min_over_time(windows: Windows) -> Vectors:
    """Return the smallest sample; NaN only where there is nothing else."""
    return windows.result(_extremes(windows, np.minimum, np.fmin))


def _extremes(windows: Windows, quick: np.ufunc, careful: np.ufunc) -> Floats:
    """Return the extreme of each window from a sparse table: one row a power of two.

    `careful` passes over NaN, for which `quick` is not made.
    """
    counts = windows.counts
    result = np.zeros(counts.shape)
    if len(windows.values) == 0:
        return result
    better = careful if np.isnan(windows.values).any() else quick
    if windows.is_aligned:
        for block in windows.aligned():
            result[block.rows] = extremes(block, better)
        return result
    table = windows.values
    level = np.frexp(np.maximum(counts, 1))[1] - 1
    for power in range(int(level.max(initial=0)) + 1):
        here = (level == power) & (counts > 0)
        if here.any():
            left, right = windows.first[here], windows.after[here] - (1 << power)
            result[here] = better(table[left], table[right])
        if len(table) <= 1 << power:
            break
        table = better(table[: -(1 << power)], table[1 << power :])
    return result


def ts_of_first_over_time(windows: Windows) -> Vectors:
    """Return when the oldest sample was taken, in seconds."""
    return windows.result(windows.time_at(windows.first) / 1000)


def ts_of_last_over_time(windows: Windows) -> Vectors:
    """Return when the newest sample was taken, in seconds."""
    return windows.result(windows.time_at(windows.after - 1) / 1000)


def ts_of_max_over_time(windows: Windows) -> Vectors:
    """Return when the largest sample was taken (the last of equals), in seconds."""
    return windows.result(_when(windows, largest=True))


def ts_of_min_over_time(windows: Windows) -> Vectors:
    """Return when the smallest sample was taken (the last of equals), in seconds."""
    return windows.result(_when(windows, largest=False))


def _when(windows: Windows, *, largest: bool) -> Floats:
    ranks = Ranks.of(windows)
    best, when = np.full(ranks.counts.shape, np.nan), np.zeros(ranks.counts.shape)
    for active, positions in ranks:
        values, known = windows.values[positions], best[:active]
        better = values >= known if largest else values <= known
        better |= np.isnan(known)
        best[:active] = np.where(better, values, known)
        when[:active] = np.where(better, windows.times_ms[positions] / 1000, when[:active])
    return ranks.spread(when)


def stdvar_over_time(windows: Windows) -> Vectors:
    """Return the population variance of the samples."""
    return windows.result(_variances(windows))


def stddev_over_time(windows: Windows) -> Vectors:
    """Return the population standard deviation of the samples."""
    return windows.result(np.sqrt(_variances(windows)))


def _variances(windows: Windows) -> Floats:
    """Return the variance of each window by Welford's method, compensated."""
    ranks = Ranks.of(windows)
    mean, spread = KahanSum(ranks.counts.shape), KahanSum(ranks.counts.shape)
    for rank, (active, positions) in enumerate(ranks):
        rows = slice(active)
        values = windows.values[positions]
        apart = values - mean.result()[rows]
        mean.add(apart / (rank + 1), rows)
        spread.add(apart * (values - mean.result()[rows]), rows)
    return ranks.spread(spread.result() / np.maximum(ranks.counts, 1))


def quantile_over_time(windows: Windows, quantile: Floats) -> Vectors:
    """Return the quantile of the samples; `quantile` has one value a moment."""
    wanted = np.broadcast_to(quantile, windows.counts.shape).ravel()
    result = np.zeros(windows.counts.size)
    for rows, block, counts in padded(windows):
        result[rows] = quantile_of_rows(wanted[rows], block, counts)
    return windows.result(result.reshape(windows.counts.shape))


def mad_over_time(windows: Windows) -> Vectors:
    """Return the median distance of the samples from their median; NaN if any sample is."""
    result = np.zeros(windows.counts.size)
    for rows, block, counts in padded(windows):
        half = np.full(len(rows), 0.5)
        median = quantile_of_rows(half, block, counts)
        distance = np.abs(block - median[:, None])
        middle = quantile_of_rows(half, distance, counts)
        result[rows] = np.where(np.isnan(block).any(axis=1), np.nan, middle)
    return windows.result(result.reshape(windows.counts.shape))


def padded(windows: Windows) -> Iterator[tuple[Ints, Floats, Ints]]:
    """Give chunks of windows as (which, samples padded to the longest, how many each has)."""
    counts, first = windows.counts.ravel(), windows.first.ravel()
    order = np.argsort(counts, kind="stable")
    order = order[np.count_nonzero(counts == 0) :]
    begin = 0
    while begin < len(order):
        windows.tick()
        size = max(1, _CHUNK // int(counts[order[-1]]))
        rows = order[begin : begin + size]
        width = int(counts[rows[-1]])
        positions = first[rows, None] + np.arange(width)
        inside = np.arange(width) < counts[rows, None]
        yield rows, np.where(inside, windows.at(positions), np.inf), counts[rows]
        begin += size


def deriv(windows: Windows) -> Vectors:
    """Return the slope of a line through the samples, a second."""
    slope, _ = _regression(windows, windows.time_at(windows.first))
    return windows.result(slope, windows.counts >= 2)


def predict_linear(windows: Windows, seconds: Floats, now_ms: Ints) -> Vectors:
    """Return where a line through the samples is `seconds` after each moment of `now_ms`."""
    now = np.broadcast_to(now_ms, windows.counts.shape)
    slope, intercept = _regression(windows, now)
    return windows.result(slope * seconds + intercept, windows.counts >= 2)


def _regression(windows: Windows, origin_ms: Ints) -> tuple[Floats, Floats]:
    """Return slope a second and value at the origin of the least-squares line, compensated."""
    ranks = Ranks.of(windows)
    origin = np.ascontiguousarray(origin_ms).ravel()[ranks.order]
    shape = ranks.counts.shape
    sum_x, sum_y, sum_xy, sum_xx = (KahanSum(shape) for _ in range(4))
    begin = windows.at(ranks.first)
    constant: Bools = np.ones(shape, dtype=np.bool_)
    for active, positions in ranks:
        rows = slice(active)
        y = windows.values[positions]
        x = (windows.times_ms[positions] - origin[rows]) / 1000
        constant[rows] &= y == begin[rows]
        sum_x.add(x, rows)
        sum_y.add(y, rows)
        sum_xy.add(x * y, rows)
        sum_xx.add(x * x, rows)
    n, x, y = ranks.counts, sum_x.result(), sum_y.result()
    covariance = sum_xy.result() - x * y / n
    variance = sum_xx.result() - x * x / n
    slope = covariance / variance
    intercept = y / n - slope * x / n
    flat = np.where(np.isinf(begin), np.nan, 0.0)
    slope = np.where(constant, flat, slope)
    intercept = np.where(constant, begin + flat, intercept)
    return ranks.spread(slope), ranks.spread(intercept)


def double_exponential_smoothing(windows: Windows, smoothing: Floats, trend: Floats) -> Vectors:
    """Return the last smoothed value (Holt's linear method); both factors lie in 0 to 1."""
    ranks = Ranks.of(windows)
    moment = ranks.order % windows.counts.shape[1] if ranks.order.size else ranks.order
    sf, tf = smoothing[moment], trend[moment]
    level, slope = windows.at(ranks.first), np.zeros(ranks.counts.shape)
    for rank, (active, positions) in enumerate(ranks):
        if rank == 0:
            continue
        values, rows = windows.values[positions], slice(active)
        before = level[rows]
        if rank == 1:
            slope[rows] = values - before
        new = sf[rows] * values + (1 - sf[rows]) * (before + slope[rows])
        slope[rows] = tf[rows] * (new - before) + (1 - tf[rows]) * slope[rows]
        level[rows] = new
    return windows.result(ranks.spread(level), windows.counts >= 2)
