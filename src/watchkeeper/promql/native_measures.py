"""What a native histogram says: quantiles, fractions, mean and spread."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from watchkeeper.model import NativeHistogram
from watchkeeper.promql.literals import format_number
from watchkeeper.promql.native_histogram import upper_bound


@dataclass(frozen=True, slots=True)
class Bucket:
    """Observations in (low, high]; `linear` says how they are taken to lie in it."""

    low: float
    high: float
    count: float
    linear: bool

    @property
    def rule(self) -> int:
        """Which bounds belong to it, by the HTTP API's numbers: 0 upper, 1 lower, 3 both."""
        if self.linear:
            return 3 if self.low < 0 <= self.high and self.low == -self.high else 0
        return 1 if self.low < 0 else 0


def buckets(histogram: NativeHistogram) -> list[Bucket]:
    """Return the populated buckets from the lowest to the highest."""
    found = _custom(histogram) if histogram.is_custom else _exponential(histogram)
    return [bucket for bucket in found if bucket.count != 0]


def _custom(histogram: NativeHistogram) -> Iterator[Bucket]:
    bounds = (*histogram.custom_values, math.inf)
    for index in sorted(histogram.positive):
        low = bounds[index - 1] if index else -math.inf
        if index == 0 and bounds[0] > 0:
            low = 0.0
        yield Bucket(low, bounds[index], histogram.positive[index], linear=True)


def _exponential(histogram: NativeHistogram) -> Iterator[Bucket]:
    schema = histogram.schema
    for index in sorted(histogram.negative, reverse=True):
        low, high = -upper_bound(index, schema), -upper_bound(index - 1, schema)
        yield Bucket(low, high, histogram.negative[index], linear=False)
    if histogram.zero_count:
        low = high = histogram.zero_threshold
        has_negative = any(histogram.negative.values())
        has_positive = any(histogram.positive.values())
        if has_positive and not has_negative:
            low = 0.0
        if has_negative and not has_positive:
            high = 0.0
        yield Bucket(-low, high, histogram.zero_count, linear=True)
    for index in sorted(histogram.positive):
        low, high = upper_bound(index - 1, schema), upper_bound(index, schema)
        yield Bucket(low, high, histogram.positive[index], linear=False)


def quantile(wanted: float, histogram: NativeHistogram) -> float:
    """Return a quantile, interpolated inside its bucket (Prometheus, HistogramQuantile)."""
    if math.isnan(wanted) or histogram.count == 0 or math.isnan(histogram.count):
        return math.nan
    if wanted < 0 or wanted > 1:
        return -math.inf if wanted < 0 else math.inf
    upwards = math.isnan(histogram.sum) or wanted < 0.5
    ordered = buckets(histogram) if upwards else buckets(histogram)[::-1]
    rank = wanted * histogram.count if upwards else (1 - wanted) * histogram.count
    counted = 0.0
    bucket = None
    for bucket in ordered:
        counted += bucket.count
        if counted >= rank:
            break
    if bucket is None:
        return math.nan
    counted = min(counted, histogram.count)
    if counted < rank:
        return math.nan if math.isnan(histogram.sum) else (bucket.high if upwards else bucket.low)
    if math.isinf(bucket.low):
        return bucket.high
    if math.isinf(bucket.high):
        return bucket.low
    inside = rank - (counted - bucket.count) if upwards else counted - rank
    return _value_at(bucket, inside / bucket.count)


def _value_at(bucket: Bucket, share: float) -> float:
    if bucket.linear:
        return bucket.low + (bucket.high - bucket.low) * share
    if bucket.low > 0:
        low, high = math.log2(bucket.low), math.log2(bucket.high)
        return float(2.0 ** (low + (high - low) * share))
    low, high = math.log2(-bucket.low), math.log2(-bucket.high)
    return -float(2.0 ** (high + (low - high) * (1 - share)))


def fraction(lower: float, upper: float, histogram: NativeHistogram) -> float:
    """Return the share of observations between two values; those of NaN are never between."""
    nothing = histogram.count == 0 or math.isnan(histogram.count)
    if nothing or math.isnan(lower) or math.isnan(upper):
        return math.nan
    if lower >= upper:
        return 0.0
    found = buckets(histogram)
    return (_below(upper, found) - _below(lower, found)) / histogram.count


def _below(value: float, found: list[Bucket]) -> float:
    return sum(bucket.count * share_below(value, bucket) for bucket in found)


def share_below(value: float, bucket: Bucket) -> float:
    """Return which share of a bucket lies below a value, interpolated."""
    if value <= bucket.low:
        return 0.0
    if value >= bucket.high or math.isinf(bucket.low):
        return 1.0
    if math.isinf(bucket.high):
        return 0.0
    if bucket.linear:
        return (value - bucket.low) / (bucket.high - bucket.low)
    low, high = math.log2(abs(bucket.low)), math.log2(abs(bucket.high))
    return (math.log2(abs(value)) - low) / (high - low)


def variance(histogram: NativeHistogram) -> float:
    """Return the variance, each bucket's observations taken at its middle."""
    if histogram.count == 0:
        return math.nan
    mean = histogram.sum / histogram.count
    total = sum(bucket.count * (_middle(bucket) - mean) ** 2 for bucket in buckets(histogram))
    return total / histogram.count


def _middle(bucket: Bucket) -> float:
    if bucket.linear:
        if bucket.low <= 0 <= bucket.high and not math.isinf(bucket.low):
            zero = bucket.low == -bucket.high or bucket.low == 0 == bucket.high
            return 0.0 if zero else (bucket.low + bucket.high) / 2
        return (bucket.low + bucket.high) / 2
    middle = math.sqrt(bucket.low * bucket.high)
    return middle if bucket.low > 0 else -middle


def show(histogram: NativeHistogram) -> str:
    """Return a histogram as Prometheus prints it: `{count:2, sum:3, (1,2]:2}`."""
    parts = [f"count:{format_number(histogram.count)}", f"sum:{format_number(histogram.sum)}"]
    for bucket in shown_buckets(histogram):
        low, high = format_number(bucket.low), format_number(bucket.high)
        opening = "[" if bucket.rule in (1, 3) else "("
        closing = "]" if bucket.rule in (0, 3) else ")"
        parts.append(f"{opening}{low},{high}{closing}:{format_number(bucket.count)}")
    return "{" + ", ".join(parts) + "}"


def shown_buckets(histogram: NativeHistogram) -> list[Bucket]:
    """Return the populated buckets, the zero bucket with both its halves."""
    width = histogram.zero_threshold
    return [
        Bucket(-width, width, bucket.count, linear=True)
        if bucket.linear and not histogram.is_custom
        else bucket
        for bucket in buckets(histogram)
    ]
