"""A native histogram in cells of fixed places, so that those of several processes add up.

Cell 0 is the zero bucket, cell `n` the bucket of index `first + n - 1`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import frexp, isfinite

from watchkeeper.contract import NativeBuckets
from watchkeeper.model import NativeHistogram


class NativeCells:
    """Finds the cell of an observation, and reads the histogram from its cells."""

    __slots__ = ("_bounds", "_buckets", "_first", "_per_doubling", "size")

    def __init__(self, buckets: NativeBuckets) -> None:
        self._buckets = buckets
        self._per_doubling = 1 << buckets.schema
        self._first = buckets.first
        # Within one doubling, from a half to one: what frexp's fraction is compared with.
        self._bounds = tuple(
            [2.0 ** (step / self._per_doubling - 1) for step in range(self._per_doubling)]
        )
        self.size = buckets.count + 1

    def cell(self, value: float) -> int:
        """Return where `value` counts; NaN and what is below the threshold count as zero."""
        if not value > self._buckets.zero_threshold:
            return 0
        if not isfinite(value):
            return self.size - 1
        fraction, exponent = frexp(value)
        step = bisect_left(self._bounds, fraction)
        index = (exponent - 1) * self._per_doubling + step
        return min(index - self._first + 1, self.size - 1)

    def histogram(self, cells: Sequence[float], total: float) -> NativeHistogram:
        """Return what the cells hold; `total` is the sum of what was observed."""
        return NativeHistogram(
            schema=self._buckets.schema,
            count=sum(cells),
            sum=total,
            zero_threshold=self._buckets.zero_threshold,
            zero_count=cells[0],
            positive={self._first + place: count for place, count in enumerate(cells[1:]) if count},
        )
