"""Aggregations: many series into one a group, at every moment."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.promql.grid import Bools, Floats, Ints
from watchkeeper.promql.label_sets import grouper, replaced
from watchkeeper.promql.literals import format_number
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

    def reduce(self, better: np.ufunc, block: Floats) -> Floats:
        """Reduce the rows of each group with a ufunc."""
        reduced: Floats = better.reduceat(block[self.rows], self.bounds[:-1], axis=0)
        return reduced


def group_series(vector: Vectors, names: tuple[str, ...], *, without: bool) -> Groups:
    """Sort series into the groups that `by` or `without` the labels make."""
    key = grouper(names, excluding=without)
    places: dict[Labels, int] = {}
    owners = np.array(
        [places.setdefault(key(labels), len(places)) for labels in vector.labels], dtype=np.int64
    )
    rows = np.argsort(owners, kind="stable")
    bounds = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(places)))))
    drops = np.zeros(len(places), dtype=np.bool_)
    np.logical_or.at(drops, owners, vector.drops_name)
    return Groups(list(places), rows, bounds, drops)


def aggregate(operator: str, vector: Vectors, groups: Groups) -> Vectors:
    """Apply an aggregation without parameter: sum, avg, count, min, max, group, stddev, stdvar."""
    counts = groups.reduce(np.add, vector.present.astype(np.float64))
    values = _SIMPLE[operator](vector, groups, counts)
    return Vectors(groups.labels, values, counts > 0, groups.drops_name)


def _sums(block: Floats, groups: Groups) -> Floats:
    """Return the sum of each group's rows, compensated."""
    if sums_exactly(block):
        return groups.reduce(np.add, block)
    sizes = np.diff(groups.bounds)
    longest = int(sizes.max())
    if longest > 8 * len(groups):
        return np.stack([sum_columns(block[groups.members(one)]) for one in range(len(groups))])
    tally = KahanSum((len(groups), block.shape[1]))
    order = np.argsort(-sizes, kind="stable")
    first = groups.bounds[:-1][order]
    for rank in range(longest):
        active = int(np.count_nonzero(sizes > rank))
        tally.add(block[groups.rows[first[:active] + rank]], slice(active))
    result = np.empty_like(tally.total)
    result[order] = tally.result()
    return result


def _present_values(vector: Vectors) -> Floats:
    return np.where(vector.present, vector.values, 0.0)


def _sum(vector: Vectors, groups: Groups, _counts: Floats) -> Floats:
    return _sums(_present_values(vector), groups)


def _avg(vector: Vectors, groups: Groups, counts: Floats) -> Floats:
    values = _present_values(vector)
    with np.errstate(all="ignore"):
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
    return groups.reduce(np.fmax, np.where(vector.present, vector.values, np.nan))


def _min(vector: Vectors, groups: Groups, _counts: Floats) -> Floats:
    return groups.reduce(np.fmin, np.where(vector.present, vector.values, np.nan))


def _variance(vector: Vectors, groups: Groups, counts: Floats) -> Floats:
    """Return the population variance; values are taken from the smallest of their group first,
    so that equal ones give exactly zero."""
    sizes = np.diff(groups.bounds)
    smallest = np.empty_like(vector.values)
    smallest[groups.rows] = np.repeat(_min(vector, groups, counts), sizes, axis=0)
    with np.errstate(all="ignore"):
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
    present = groups.reduce(np.add, vector.present.astype(np.float64)) > 0
    return Vectors(groups.labels, np.stack(rows), present, groups.drops_name)


def top(vector: Vectors, groups: Groups, limits: Ints, *, largest: bool) -> Vectors:
    """Keep the `limits` (one a moment) largest or smallest of each group; NaN comes last."""
    keep = np.zeros_like(vector.present)
    ranks = np.zeros(vector.present.shape, dtype=np.int64)
    for group in range(len(groups)):
        members = groups.members(group)
        values = -vector.values[members] if largest else vector.values[members]
        place = _places(values, vector.present[members])
        keep[members] = place < limits
        ranks[members] = place
    kept = vector.masked(keep)
    if vector.values.shape[1] != 1:
        return kept
    by_group = [
        members[np.argsort(ranks[members, 0], kind="stable")]
        for members in (groups.members(group) for group in range(len(groups)))
    ]
    ordered = kept.take(np.concatenate(by_group))
    return Vectors(ordered.labels, ordered.values, ordered.present, ordered.drops_name, True)


def _places(values: Floats, present: Bools) -> Ints:
    """Return the place of each value in its column's order: present, then NaN, then absent."""
    class_of = np.where(present, np.isnan(values).astype(np.int64), 2)
    order = np.lexsort((np.where(np.isnan(values), 0, values), class_of), axis=0)
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(len(values))[:, None], axis=0)
    return places


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


def count_values(vector: Vectors, groups: Groups, label: str) -> Vectors:
    """Return, for each group and value, how many series have it; the value is in `label`."""
    labels: dict[Labels, Floats] = {}
    for group, base in enumerate(groups.labels):
        members = vector.take(groups.members(group))
        for text, same in _distinct(members):
            name = replaced(base, label, text)
            labels[name] = labels.get(name, 0.0) + same.sum(axis=0).astype(np.float64)
    moments = vector.values.shape[1]
    values = np.stack(list(labels.values())) if labels else np.zeros((0, moments))
    drops = np.zeros(len(labels), dtype=np.bool_)
    return merge_same(Vectors(list(labels), values, values > 0, drops))


def _distinct(members: Vectors) -> Iterator[tuple[str, Bools]]:
    """Give every value of some series as text, and where it is."""
    floats = members.floats()
    for value in np.unique(floats.values[floats.present]).tolist():
        same = np.isnan(floats.values) if value != value else floats.values == value
        yield format_number(value), same & floats.present
    if members.histograms is None:
        return
    texts: dict[str, Bools] = {}
    for place in zip(*np.nonzero(members.is_histogram & members.present), strict=True):
        text = show(members.histograms[place])
        texts.setdefault(text, np.zeros(members.present.shape, dtype=np.bool_))[place] = True
    yield from texts.items()
