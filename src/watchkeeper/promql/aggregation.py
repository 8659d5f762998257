"""Aggregations: many series into one a group, at every moment."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.promql.grid import Bools, Floats, Ints
from watchkeeper.promql.label_sets import group_keys, replaced
from watchkeeper.promql.limits import Budget
from watchkeeper.promql.literals import format_plainly
from watchkeeper.promql.merging import merge_same
from watchkeeper.promql.native_measures import show
from watchkeeper.promql.quantiles import quantile_of_rows
from watchkeeper.promql.summation import KahanSum, sum_columns, sums_exactly
from watchkeeper.promql.values import Vectors

_HASH_SPACE = float(1 << 32)


@dataclass(frozen=True, slots=True)
class Groups:
    """Which series belong together: `rows` lists them group by group, in their order.

    Group `g` owns `rows[bounds[g]:bounds[g + 1]]`.
    """

    labels: list[Labels]
    rows: Ints
    bounds: Ints
    drops_name: Bools

    def __len__(self) -> int:
        return len(self.labels)

    def members(self, group: int) -> Ints:
        """The rows of one group."""
        return self.rows[self.bounds[group] : self.bounds[group + 1]]

    def of(self, group: int, block: Floats) -> Floats:
        """The rows of a block that belong to one group."""
        return block if len(self) == 1 else block[self.members(group)]

    def reduce(self, better: np.ufunc, block: Floats) -> Floats:
        """Reduce the rows of each group with a ufunc."""
        if len(self) == 1:
            whole: Floats = better.reduce(block, axis=0, keepdims=True)
            return whole
        reduced: Floats = better.reduceat(block[self.rows], self.bounds[:-1], axis=0)
        return reduced

    def count(self, present: Bools) -> Floats:
        """Count how many of each group's rows are present."""
        if present.all():
            sizes = np.diff(self.bounds).astype(np.float64)
            return np.repeat(sizes[:, None], present.shape[1], axis=1)
        return self.reduce(np.add, present.astype(np.float64))


def group_series(vector: Vectors, names: tuple[str, ...], *, without: bool) -> Groups:
    """Sort series into the groups that `by` or `without` the labels make."""
    keys = group_keys(vector.labels, names, excluding=without)
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    owners = np.fromiter(map(places.__getitem__, keys), np.int64, len(keys))
    rows = np.argsort(owners, kind="stable")
    bounds = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(places)))))
    drops = np.zeros(len(places), dtype=np.bool_)
    drops[owners[vector.drops_name]] = True
    return Groups(list(places), rows, bounds, drops)


def aggregate(operator: str, vector: Vectors, groups: Groups) -> Vectors:
    """Apply an aggregation without parameter: sum, avg, count, min, max, group, stddev, stdvar."""
    counts = groups.count(vector.present)
    values = _SIMPLE[operator](vector, groups, counts)
    return Vectors(groups.labels, values, counts > 0, groups.drops_name)


def _sums(block: Floats, groups: Groups) -> Floats:
    """Return the sum of each group's rows, compensated."""
    if sums_exactly(block):
        return groups.reduce(np.add, block)
    sizes = np.diff(groups.bounds)
    longest = int(sizes.max())
    if longest > 8 * len(groups):
        return np.stack([sum_columns(groups.of(one, block)) for one in range(len(groups))])
    tally = KahanSum((len(groups), block.shape[1]))
    order = np.argsort(-sizes, kind="stable")
    first = groups.bounds[:-1][order]
    for rank in range(longest):
        active = int(np.count_nonzero(sizes > rank))
        tally.add(block[groups.rows[first[:active] + rank]], slice(active))
    result = np.empty_like(tally.total)
    result[order] = tally.result()
    return result


def _present_values(vector: Vectors, instead: float = 0.0) -> Floats:
    """Return the values, another one where there is none; not to be changed in place."""
    if vector.present.all():
        return vector.values
    return np.where(vector.present, vector.values, instead)


def _sum(vector: Vectors, groups: Groups, _counts: Floats) -> Floats:
    return _sums(_present_values(vector), groups)


def _avg(vector: Vectors, groups: Groups, counts: Floats) -> Floats:
    values = _present_values(vector)
    means = _sums(values, groups) / counts
    if np.isinf(means).any():
        owner_counts = np.empty_like(values)
        owner_counts[groups.rows] = np.repeat(counts, np.diff(groups.bounds), axis=0)
        means = np.where(np.isinf(means), _sums(values / owner_counts, groups), means)
    return means


def _count(_vector: Vectors, _groups: Groups, counts: Floats) -> Floats:
    return counts


def _one(_vector: Vectors, _groups: Groups, counts: Floats) -> Floats:
    return np.ones_like(counts)


def _max(vector: Vectors, groups: Groups, _counts: Floats) -> Floats:
    return _extreme(vector, groups, np.maximum, np.fmax)


def _min(vector: Vectors, groups: Groups, _counts: Floats) -> Floats:
    return _extreme(vector, groups, np.minimum, np.fmin)


def _extreme(vector: Vectors, groups: Groups, quick: np.ufunc, careful: np.ufunc) -> Floats:
    """Reduce each group to an extreme; `careful` passes over NaN, for which `quick` is not made."""
    values = _present_values(vector, np.nan)
    found = groups.reduce(quick, values)
    return groups.reduce(careful, values) if np.isnan(found).any() else found


def _variance(vector: Vectors, groups: Groups, counts: Floats) -> Floats:
    """Return the population variance; values are taken from the smallest of their group first,
    so that equal ones give exactly zero."""
    sizes = np.diff(groups.bounds)
    smallest = np.empty_like(vector.values)
    smallest[groups.rows] = np.repeat(_min(vector, groups, counts), sizes, axis=0)
    above = np.where(vector.present, vector.values - smallest, 0.0)
    mean = np.empty_like(above)
    mean[groups.rows] = np.repeat(_sums(above, groups) / counts, sizes, axis=0)
    apart = np.where(vector.present, above - mean, 0.0)
    return _sums(apart * apart, groups) / counts


def _deviation(vector: Vectors, groups: Groups, counts: Floats) -> Floats:
    return np.sqrt(_variance(vector, groups, counts))


_SIMPLE: dict[str, Callable[[Vectors, Groups, Floats], Floats]] = {
    "avg": _avg,
    "count": _count,
    "group": _one,
    "max": _max,
    "min": _min,
    "stddev": _deviation,
    "stdvar": _variance,
    "sum": _sum,
}


def quantile(vector: Vectors, groups: Groups, wanted: Floats) -> Vectors:
    """Return a quantile of each group; `wanted` has one value a moment."""
    rows = []
    for group in range(len(groups)):
        members = groups.members(group)
        shown = vector.present[members].T
        counts = shown.sum(axis=1)
        block = np.where(shown, vector.values[members].T, np.inf)
        rows.append(quantile_of_rows(wanted, block, counts))
    present = groups.count(vector.present) > 0
    return Vectors(groups.labels, np.stack(rows), present, groups.drops_name)


def top(vector: Vectors, groups: Groups, limits: Ints, *, largest: bool) -> Vectors:
    """Keep the `limits` (one a moment) largest or smallest of each group; NaN comes last.

    Of equals the first are kept. At a single moment the series come in the order of their values.
    """
    keep = np.zeros_like(vector.present)
    heights = vector.values if largest else -vector.values
    for group in range(len(groups)):
        members = groups.members(group)
        keep[members] = _highest(heights[members], vector.present[members], limits)
    kept = vector.masked(keep)
    if vector.values.shape[1] != 1:
        return kept
    by_group = [
        _descending(heights[:, 0], members[keep[members, 0]])
        for members in (groups.members(group) for group in range(len(groups)))
    ]
    return replace(kept.take(np.concatenate(by_group)), ordered=True)


def _highest(heights: Floats, present: Bools, limits: Ints) -> Bools:
    """Tell which are among the highest of their column, the first of equals, NaN after all."""
    missing = np.isnan(heights)
    numbers = present & ~missing
    filled = np.where(numbers, heights, -np.inf)
    rank = len(heights) - np.clip(limits, 1, len(heights))
    lowest = np.sort(filled.T, axis=1)[np.arange(len(limits)), rank]
    keep = filled > lowest
    keep |= _first(numbers & (filled == lowest), limits - keep.sum(axis=0))
    if missing.any():
        keep |= _first(present & missing, limits - keep.sum(axis=0))
    return keep & (limits > 0)


def _first(marks: Bools, room: Ints) -> Bools:
    """Return the first `room` marks of each column."""
    first: Bools = marks & (marks.cumsum(axis=0) <= room)
    return first


def _descending(heights: Floats, rows: Ints) -> Ints:
    """Return the rows from the highest down, NaN last."""
    missing = np.isnan(heights[rows])
    return rows[np.lexsort((np.where(missing, 0, -heights[rows]), missing))]


def limit(vector: Vectors, groups: Groups, limits: Ints) -> Vectors:
    """Keep the first `limits` (one a moment) series of each group."""
    keep = np.zeros_like(vector.present)
    for group in range(len(groups)):
        members = groups.members(group)
        keep[members] = vector.present[members].cumsum(axis=0) <= limits
    return vector.masked(keep)


def limit_ratio(vector: Vectors, ratios: Floats) -> Vectors:
    """Keep the series whose hash falls in the share that each moment's ratio asks for.

    A negative ratio keeps the complement of the positive one that completes it to one.
    """
    hashes = np.array(
        [zlib.crc32(repr(labels).encode()) / _HASH_SPACE for labels in vector.labels]
    ).reshape(-1, 1)
    keep = np.where(ratios >= 0, hashes < ratios, hashes >= 1 + ratios)
    return vector.masked(keep)


def count_values(vector: Vectors, groups: Groups, label: str, budget: Budget) -> Vectors:
    """Return, for each group and value, how many series have it; the value is in `label`."""
    labels: dict[Labels, Floats] = {}
    for group, base in enumerate(groups.labels):
        members = vector.take(groups.members(group))
        for text, counts in _distinct(members, budget):
            name = replaced(base, label, text)
            labels[name] = labels.get(name, 0.0) + counts
    moments = vector.values.shape[1]
    values = np.stack(list(labels.values())) if labels else np.zeros((0, moments))
    drops = np.zeros(len(labels), dtype=np.bool_)
    return merge_same(Vectors(list(labels), values, values > 0, drops))


def _distinct(members: Vectors, budget: Budget) -> Iterator[tuple[str, Floats]]:
    """Give every value of some series as text, and how many have it at each moment."""
    floats = members.floats()
    moments = members.values.shape[1]
    found, which = np.unique(floats.values[floats.present], return_inverse=True)
    budget.spend_samples(len(found) * moments)
    cells = which * moments + np.nonzero(floats.present)[1]
    table = np.bincount(cells, minlength=len(found) * moments).astype(np.float64)
    yield from zip(map(format_plainly, found.tolist()), table.reshape(-1, moments), strict=True)
    if members.histograms is None:
        return
    texts: dict[str, Floats] = {}
    for row, moment in zip(*np.nonzero(members.is_histogram & members.present), strict=True):
        text = show(members.histograms[row, moment])
        if text not in texts:
            budget.spend_samples(moments)
            texts[text] = np.zeros(moments)
        texts[text][moment] += 1
    yield from texts.items()
