"""The trim operators: a histogram without what lies above or below a value."""

from __future__ import annotations

import math
from dataclasses import replace

from watchkeeper.model import NativeHistogram
from watchkeeper.promql.native_histogram import compacted, upper_bound
from watchkeeper.promql.native_measures import Bucket, share_below


def trimmed(histogram: NativeHistogram, edge: float, *, keep_lower: bool) -> NativeHistogram:
    """Return what lies below (`</`) or above (`>/`) an edge, buckets cut by interpolation.

    The sum of what is left is taken from the middles of its buckets; a histogram that loses
    nothing keeps its own.
    """
    cut = _Cut(edge, keep_lower=keep_lower)
    open_below = not keep_lower and edge < 0
    positive = {
        i: cut.take(_positive(histogram, i, open_below=open_below), n)
        for i, n in histogram.positive.items()
    }
    negative = {i: cut.take(_negative(histogram, i), n) for i, n in histogram.negative.items()}
    zero = cut.take(_zero(histogram), histogram.zero_count)
    if not cut.lost:
        return histogram
    count = sum(positive.values()) + sum(negative.values()) + zero
    return compacted(
        replace(
            histogram,
            positive=positive,
            negative=negative,
            zero_count=zero,
            count=count,
            sum=cut.sum,
        )
    )


class _Cut:
    """Cuts bucket after bucket and adds up what is kept."""

    def __init__(self, edge: float, *, keep_lower: bool) -> None:
        self._edge, self._keep_lower = edge, keep_lower
        self.sum = 0.0
        self.lost = False

    def take(self, bucket: Bucket, count: float) -> float:
        """Return how many of a bucket's observations are kept."""
        if count == 0:
            return 0.0
        share = self._share(bucket)
        self.lost = self.lost or share < 1
        if share > 0:
            self.sum += count * share * self._middle(bucket)
        return count * share

    def _share(self, bucket: Bucket) -> float:
        edge = self._edge
        if math.isinf(edge):
            return float((edge > 0) == self._keep_lower)
        if math.isinf(bucket.low) and math.isinf(bucket.high):
            return 0.0
        if math.isinf(bucket.low):
            return float(self._keep_lower)
        below = share_below(edge, bucket)
        return below if self._keep_lower else 1 - below

    def _middle(self, bucket: Bucket) -> float:
        low = bucket.low if self._keep_lower else max(bucket.low, self._edge)
        high = min(bucket.high, self._edge) if self._keep_lower else bucket.high
        if math.isinf(high):
            return low
        if math.isinf(low):
            return high
        if bucket.linear:
            return (low + high) / 2
        return math.copysign(math.sqrt(low * high), low)


def _positive(histogram: NativeHistogram, index: int, *, open_below: bool) -> Bucket:
    """Return a bucket; the first custom one begins at zero, or nowhere if it is `open_below`.

    Prometheus drops it whole where a negative edge asks for what lies above.
    """
    if not histogram.is_custom:
        schema = histogram.schema
        return Bucket(upper_bound(index - 1, schema), upper_bound(index, schema), 1, linear=False)
    bounds = (*histogram.custom_values, math.inf)
    if index:
        return Bucket(bounds[index - 1], bounds[index], 1, linear=True)
    low = 0.0 if 0 < bounds[0] < math.inf and not open_below else -math.inf
    return Bucket(low, bounds[0], 1, linear=True)


def _negative(histogram: NativeHistogram, index: int) -> Bucket:
    schema = histogram.schema
    return Bucket(-upper_bound(index, schema), -upper_bound(index - 1, schema), 1, linear=False)


def _zero(histogram: NativeHistogram) -> Bucket:
    low = 0.0 if histogram.positive and not histogram.negative else -histogram.zero_threshold
    high = 0.0 if histogram.negative and not histogram.positive else histogram.zero_threshold
    return Bucket(low, high, 1, linear=True)
