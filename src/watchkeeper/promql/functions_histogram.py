"""Quantiles and fractions of classic histograms: series told apart by `le`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from watchkeeper.model import METRIC_NAME, Labels
from watchkeeper.promql.grid import Bools, Floats, Ints
from watchkeeper.promql.label_sets import value_of
from watchkeeper.promql.literals import parse_number
from watchkeeper.promql.values import Vectors

BUCKET_LABEL = "le"

_BLOCK = 1 << 16
"""How many counts are measured at once: they fit the processor's cache."""

_SMALL_DELTA = 1e-12
"""Relative differences below this between buckets are rounding, not counts (Prometheus)."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Histograms of the same bounds at the same moments.

    `bounds` has shape (bounds,), ascending and without doubles; `counts` (bounds, histograms),
    cumulative.
    """

    bounds: Floats
    counts: Floats


Measure = Callable[[Buckets, Ints], Floats]
"""From buckets and the moment of each histogram to one number a histogram."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What was noticed: bucket labels that are no numbers, counts that had to be mended."""

    bad_labels: list[tuple[str, str]]
    mended: list[str]


class _Bounds(dict[str, float | None]):
    """Bounds by their texts, each read once; None where a text is no number."""

    def __missing__(self, text: str) -> float | None:
        try:
            bound: float | None = parse_number(text)
        except ValueError:
            bound = None
        self[text] = bound
        return bound


def measure_classic(vector: Vectors, measure: Measure, notices: Notices) -> Vectors:
    """Return one series a histogram: what `measure` says of its buckets at each moment."""
    groups = _histograms(vector.labels, notices)
    moments = vector.values.shape[1]
    values = np.full((len(groups), moments), np.nan)
    present = np.zeros((len(groups), moments), dtype=np.bool_)
    alike: dict[tuple[float, ...], list[tuple[int, list[int]]]] = {}
    for number, members in enumerate(groups.values()):
        members.sort()
        bounds = tuple([bound for bound, _ in members])
        alike.setdefault(bounds, []).append((number, [row for _, row in members]))
    names = [value_of(labels, METRIC_NAME) for labels in groups]
    for bounds, histograms in alike.items():
        size = max(1, _BLOCK // (len(bounds) * max(moments, 1)))
        for begin in range(0, len(histograms), size):
            some = histograms[begin : begin + size]
            owners = np.array([number for number, _ in some])
            rows = np.array([members for _, members in some]).T
            block, shown = vector.values[rows], vector.present[rows]
            present[owners] = shown.any(axis=0)
            values[owners], mended = _measure_alike(np.array(bounds), block, shown, measure)
            notices.mended.extend(names[owners[one]] for one in np.flatnonzero(mended).tolist())
    return Vectors(list(groups), values, present, np.ones(len(groups), dtype=np.bool_))


def _histograms(series: list[Labels], notices: Notices) -> dict[Labels, list[tuple[float, int]]]:
    """Return the buckets of each histogram: (bound, row) by the labels other than `le`."""
    groups: dict[Labels, list[tuple[float, int]]] = {}
    bound_of = _Bounds()
    for row, labels in enumerate(series):
        place = _place_of_bucket(labels)
        text = labels[place][1] if place < len(labels) else ""
        bound = bound_of[text]
        if bound is None:
            notices.bad_labels.append((value_of(labels, METRIC_NAME), text))
            continue
        rest = labels[:place] + labels[place + 1 :]
        groups.setdefault(rest, []).append((bound, row))
    return groups


def _place_of_bucket(labels: Labels) -> int:
    """Return which of the labels is `le`, or how many there are."""
    for place, (name, _) in enumerate(labels):
        if name == BUCKET_LABEL:
            return place
    return len(labels)


def _measure_alike(
    bounds: Floats, block: Floats, shown: Bools, measure: Measure
) -> tuple[Floats, Bools]:
    """Measure histograms of the same bounds: block and shown are (bounds, histograms, moments)."""
    _, histograms, moments = block.shape
    flat = block.reshape(len(bounds), -1)
    there = shown.reshape(len(bounds), -1)
    moment = np.tile(np.arange(moments), histograms)
    values = np.full(flat.shape[1], np.nan)
    mended = np.zeros(flat.shape[1], dtype=np.bool_)
    for pattern, columns in _patterns(there):
        if not pattern.any():
            continue
        counts = _merge_equal_bounds(bounds[pattern], flat[pattern][:, columns])
        mended[columns] = _make_monotonic(counts)
        values[columns] = measure(Buckets(np.unique(bounds[pattern]), counts), moment[columns])
    shape = (histograms, moments)
    return values.reshape(shape), np.asarray(mended.reshape(shape).any(axis=1))


def _patterns(there: Bools) -> Iterator[tuple[Bools, slice | Ints]]:
    """Give each choice of buckets that occurs, and the columns where it does."""
    if there.all():
        yield there[:, 0], slice(None)
        return
    patterns, which = np.unique(there, axis=1, return_inverse=True)
    which = which.ravel()
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(patterns.shape[1] + 1))
    for pattern, begin, end in zip(patterns.T, bounds[:-1], bounds[1:], strict=True):
        yield pattern, order[begin:end]


def _merge_equal_bounds(bounds: Floats, counts: Floats) -> Floats:
    """Add up the counts of buckets that were written differently but mean the same."""
    first = np.flatnonzero(np.concatenate(([True], bounds[1:] != bounds[:-1])))
    if len(first) == len(bounds):
        return counts.copy()
    summed: Floats = np.add.reduceat(counts, first, axis=0)
    return summed


def _make_monotonic(counts: Floats) -> Bools:
    """Lift counts that are below the bucket before, in place; tell where it mattered."""
    mended = np.zeros(counts.shape[1], dtype=np.bool_)
    for before, now in pairwise(counts):
        near = np.abs(now - before) <= _SMALL_DELTA * (np.abs(now) + np.abs(before))
        fell = ~near & (now < before)
        mended |= fell
        np.copyto(now, before, where=near | fell)
    return mended


def quantile(wanted: Floats) -> Measure:
    """Return the measure that finds a quantile; `wanted` has one value a moment."""

    def find(buckets: Buckets, moment: Ints) -> Floats:
        return bucket_quantile(wanted[moment], buckets)

    return find


def bucket_quantile(wanted: Floats, buckets: Buckets) -> Floats:
    """Return a quantile of each histogram, interpolated inside its bucket.

    NaN without an infinite last bucket, with fewer than two buckets, or without observations.
    """
    bounds, counts = buckets.bounds, buckets.counts
    if len(bounds) < 2 or not math.isinf(bounds[-1]):
        found = np.full(counts.shape[1], np.nan)
    else:
        found = _interpolate(wanted, bounds, counts)
    found = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, found))
    return np.where(np.isnan(wanted), np.nan, found)


def _interpolate(wanted: Floats, bounds: Floats, counts: Floats) -> Floats:
    every = np.arange(counts.shape[1])
    last = len(bounds) - 1
    observations = counts[-1]
    rank = wanted * observations
    short = np.logical_and.accumulate(~(counts[:-1] >= rank), axis=0)
    bucket = short.sum(axis=0)
    below = np.maximum(bucket - 1, 0)
    low = np.where(bucket > 0, bounds[below], 0.0)
    under = np.where(bucket > 0, counts[below, every], 0.0)
    share = (rank - under) / (counts[bucket, every] - under)
    found = low + (bounds[bucket] - low) * share
    found = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], found)
    found = np.where(bucket == last, bounds[last - 1], found)
    return np.where((observations == 0) | np.isnan(observations), np.nan, found)


def fraction(lower: Floats, upper: Floats) -> Measure:
    """Return the measure that finds the share of observations between two values."""

    def find(buckets: Buckets, moment: Ints) -> Floats:
        return bucket_fraction(lower[moment], upper[moment], buckets)

    return find


def bucket_fraction(lower: Floats, upper: Floats, buckets: Buckets) -> Floats:
    """Return the share of each histogram's observations in (lower, upper], interpolated."""
    bounds, counts = buckets.bounds, buckets.counts
    if not math.isinf(bounds[-1]):
        return np.full(counts.shape[1], np.nan)
    below_lower = _rank_of(lower, bounds, counts)
    below_upper = _rank_of(upper, bounds, counts)
    found = (below_upper - below_lower) / counts[-1]
    found = np.where(lower >= upper, 0.0, found)
    undefined = np.isnan(lower) | np.isnan(upper) | (counts[-1] == 0)
    return np.where(undefined | np.isnan(counts[-1]), np.nan, found)


def _rank_of(value: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Return how many observations lie at or below a value.

    Buckets without a finite width are not interpolated: the first counts as lying below every
    value in it, the last above.
    """
    every = np.arange(counts.shape[1])
    bucket = np.minimum(np.searchsorted(bounds, value, side="left"), len(bounds) - 1)
    below = np.maximum(bucket - 1, 0)
    lowest = 0.0 if bounds[0] > 0 else -np.inf
    low = np.where(bucket > 0, bounds[below], lowest)
    under = np.where(bucket > 0, counts[below, every], 0.0)
    share = (value - low) / (bounds[bucket] - low)
    share = np.where(np.isneginf(low), 1.0, np.where(np.isposinf(bounds[bucket]), 0.0, share))
    inside = under + (counts[bucket, every] - under) * np.clip(share, 0, 1)
    return np.where(np.isposinf(value), counts[-1], np.where(value <= lowest, 0.0, inside))
