"""Arithmetic with native histograms: one schema, one zero bucket, then bucket by bucket."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from functools import reduce

from watchkeeper.model import CounterReset, NativeHistogram

Buckets = Mapping[int, float]


class Reconciled(Enum):
    """What had to be done so that two histograms could be added."""

    NOTHING = auto()
    CUSTOM_BUCKETS = auto()


class IncompatibleBucketsError(ValueError):
    """One histogram has exponential buckets and the other custom ones."""


def scaled(histogram: NativeHistogram, factor: float) -> NativeHistogram:
    """Return every count and the sum multiplied."""
    return replace(
        histogram,
        count=histogram.count * factor,
        sum=histogram.sum * factor,
        zero_count=histogram.zero_count * factor,
        positive={i: n * factor for i, n in histogram.positive.items()},
        negative={i: n * factor for i, n in histogram.negative.items()},
        reset=CounterReset.GAUGE if factor < 0 else histogram.reset,
    )


def divided(histogram: NativeHistogram, divisor: float) -> NativeHistogram:
    """Return every count and the sum divided, as floats divide; by zero no bucket is left."""
    if divisor != 0:
        return replace(
            histogram,
            count=histogram.count / divisor,
            sum=histogram.sum / divisor,
            zero_count=histogram.zero_count / divisor,
            positive={i: n / divisor for i, n in histogram.positive.items()},
            negative={i: n / divisor for i, n in histogram.negative.items()},
            reset=CounterReset.GAUGE if divisor < 0 else histogram.reset,
        )
    return replace(
        histogram,
        count=_over_zero(histogram.count),
        sum=_over_zero(histogram.sum),
        zero_count=_over_zero(histogram.zero_count),
        positive={},
        negative={},
    )


def _over_zero(value: float) -> float:
    if value == 0 or value != value:
        return float("nan")
    return float("inf") if value > 0 else float("-inf")


def with_schema(histogram: NativeHistogram, schema: int) -> NativeHistogram:
    """Return an exponential histogram at a lower resolution."""
    if histogram.schema == schema:
        return histogram
    shift = histogram.schema - schema
    return replace(
        histogram,
        schema=schema,
        positive=_coarser(histogram.positive, shift),
        negative=_coarser(histogram.negative, shift),
    )


def _coarser(buckets: Buckets, shift: int) -> Buckets:
    found: dict[int, float] = {}
    for index, count in buckets.items():
        coarse = ((index - 1) >> shift) + 1
        found[coarse] = found.get(coarse, 0.0) + count
    return found


def upper_bound(index: int, schema: int) -> float:
    """Return where an exponential bucket ends."""
    try:
        return float(2.0 ** (index * 2.0**-schema))
    except OverflowError:
        return float("inf")


def with_zero_threshold(histogram: NativeHistogram, threshold: float) -> NativeHistogram:
    """Return the histogram with its zero bucket widened, at least to `threshold`.

    A populated bucket that the threshold cuts is swallowed whole, which widens it further.
    """
    if threshold <= histogram.zero_threshold:
        return histogram
    positive, negative = dict(histogram.positive), dict(histogram.negative)
    zero = histogram.zero_count
    for buckets in (positive, negative):
        for index in sorted(buckets):
            if upper_bound(index - 1, histogram.schema) >= threshold:
                break
            count = buckets.pop(index)
            zero += count
            if count:
                threshold = max(threshold, upper_bound(index, histogram.schema))
    if histogram.zero_threshold < threshold and (positive or negative):
        again = replace(
            histogram,
            zero_threshold=threshold,
            zero_count=zero,
            positive=positive,
            negative=negative,
        )
        swallowed = any(
            count and upper_bound(index - 1, histogram.schema) < threshold
            for buckets in (positive, negative)
            for index, count in buckets.items()
        )
        if swallowed:
            return with_zero_threshold(replace(again, zero_threshold=0.0), threshold)
    return replace(
        histogram,
        zero_threshold=threshold,
        zero_count=zero,
        positive=positive,
        negative=negative,
    )


def added(
    left: NativeHistogram, right: NativeHistogram, sign: float = 1.0
) -> tuple[NativeHistogram, Reconciled]:
    """Return the sum (sign 1) or difference (sign -1). Raises IncompatibleBucketsError."""
    left, right, reconciled = aligned(left, right)
    result = replace(
        left,
        count=left.count + sign * right.count,
        sum=left.sum + sign * right.sum,
        zero_count=left.zero_count + sign * right.zero_count,
        positive=_merged(left.positive, right.positive, sign),
        negative=_merged(left.negative, right.negative, sign),
        reset=CounterReset.GAUGE if sign < 0 else _reset_of_sum(left, right),
    )
    return result, reconciled


def aligned(
    left: NativeHistogram, right: NativeHistogram
) -> tuple[NativeHistogram, NativeHistogram, Reconciled]:
    """Return both with the same bounds. Raises IncompatibleBucketsError."""
    if left.is_custom != right.is_custom:
        raise IncompatibleBucketsError
    if left.is_custom:
        if left.custom_values == right.custom_values:
            return left, right, Reconciled.NOTHING
        common = tuple(sorted(set(left.custom_values) & set(right.custom_values)))
        return (
            _with_bounds(left, common),
            _with_bounds(right, common),
            Reconciled.CUSTOM_BUCKETS,
        )
    schema = min(left.schema, right.schema)
    left, right = with_schema(left, schema), with_schema(right, schema)
    while left.zero_threshold != right.zero_threshold:
        widest = max(left.zero_threshold, right.zero_threshold)
        left, right = with_zero_threshold(left, widest), with_zero_threshold(right, widest)
    return left, right, Reconciled.NOTHING


def _with_bounds(histogram: NativeHistogram, bounds: tuple[float, ...]) -> NativeHistogram:
    places = {bound: place for place, bound in enumerate(bounds)}
    found: dict[int, float] = {}
    for index, count in histogram.positive.items():
        beyond = (bound for bound in histogram.custom_values[index:] if bound in places)
        place = places.get(next(beyond, float("nan")), len(bounds))
        found[place] = found.get(place, 0.0) + count
    return replace(histogram, custom_values=bounds, positive=found)


def _merged(left: Buckets, right: Buckets, sign: float) -> Buckets:
    found = dict(left)
    for index, count in right.items():
        found[index] = found.get(index, 0.0) + sign * count
    return found


def _reset_of_sum(left: NativeHistogram, right: NativeHistogram) -> CounterReset:
    return _either(left.reset, right.reset)


def _either(left: CounterReset, right: CounterReset) -> CounterReset:
    hints = {left, right}
    if len(hints) == 1:
        return left
    if CounterReset.GAUGE in hints:
        return CounterReset.GAUGE
    return CounterReset.UNKNOWN


def total(
    histograms: Sequence[NativeHistogram], divisor: float = 1.0
) -> tuple[NativeHistogram, Reconciled]:
    """Return the sum of histograms divided by a number, rounded once.

    Raises IncompatibleBucketsError.
    """
    first, reconciled = histograms[0], Reconciled.NOTHING
    for one in histograms[1:]:
        first, _, step = aligned(first, one)
        reconciled = step if step is not Reconciled.NOTHING else reconciled
    same_layout = [aligned(one, first)[0] for one in histograms]
    return (
        replace(
            first,
            count=_sum((one.count for one in same_layout), divisor),
            sum=_sum((one.sum for one in same_layout), divisor),
            zero_count=_sum((one.zero_count for one in same_layout), divisor),
            positive=_sums([one.positive for one in same_layout], divisor),
            negative=_sums([one.negative for one in same_layout], divisor),
            reset=reduce(_either, (one.reset for one in histograms)),
        ),
        reconciled,
    )


def _sum(values: Iterable[float], divisor: float) -> float:
    found = list(values)
    try:
        return math.fsum(found) / divisor
    except OverflowError:
        return math.fsum(value / divisor for value in found) if divisor != 1 else math.inf
    except ValueError:
        return math.nan


def _sums(many: Sequence[Buckets], divisor: float) -> Buckets:
    indexes = {index for one in many for index in one}
    return {index: _sum((one.get(index, 0.0) for one in many), divisor) for index in indexes}


def conflicting(histograms: Iterable[NativeHistogram]) -> bool:
    """Tell whether some counters began again while others did not."""
    hints = {one.reset for one in histograms}
    return {CounterReset.RESET, CounterReset.NOT_RESET} <= hints


def without_reset(histogram: NativeHistogram) -> NativeHistogram:
    """Return a counter histogram whose neighbour in time is no longer the one it was told of."""
    if histogram.reset in (CounterReset.UNKNOWN, CounterReset.GAUGE):
        return histogram
    return replace(histogram, reset=CounterReset.UNKNOWN)


def compacted(histogram: NativeHistogram) -> NativeHistogram:
    """Return the histogram without empty buckets."""
    return replace(
        histogram,
        positive={i: n for i, n in sorted(histogram.positive.items()) if n != 0},
        negative={i: n for i, n in sorted(histogram.negative.items()) if n != 0},
    )


def same(left: NativeHistogram, right: NativeHistogram) -> bool:
    """Tell whether two histograms hold the same, resets aside."""
    unknown = CounterReset.UNKNOWN
    return replace(compacted(left), reset=unknown) == replace(compacted(right), reset=unknown)


def was_reset(now: NativeHistogram, before: NativeHistogram) -> bool:
    """Tell whether counters began again between two samples."""
    if now.reset is CounterReset.RESET:
        return True
    if now.reset is CounterReset.NOT_RESET:
        return False
    if now.count < before.count or now.is_custom != before.is_custom:
        return True
    if now.is_custom:
        now, before, _ = aligned(now, before)
    elif now.schema > before.schema or now.zero_threshold < before.zero_threshold:
        return True
    else:
        before = with_zero_threshold(with_schema(before, now.schema), now.zero_threshold)
    if now.zero_threshold < before.zero_threshold or now.zero_count < before.zero_count:
        return True
    return _fell(now.positive, before.positive) or _fell(now.negative, before.negative)


def _fell(now: Buckets, before: Buckets) -> bool:
    return any(now.get(index, 0.0) < count for index, count in before.items())
