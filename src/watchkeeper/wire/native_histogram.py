"""Native histograms in protobuf, as remote write and the protobuf exposition both have them.

Buckets stand in spans (a gap, then so many in a row) beside one list of counts, given as they
are or each as the difference from the one before. Source: prompb/types.proto; client_model,
metrics.proto; the rules of Prometheus, model/histogram: Histogram.Validate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from watchkeeper.errors import DecodeError
from watchkeeper.model import CounterReset, NativeHistogram
from watchkeeper.wire import protobuf
from watchkeeper.wire.message import Message

LOWEST_SCHEMA = -4
HIGHEST_SCHEMA = 8
_FINEST_SCHEMA = 52
_FURTHEST = 1 << 31
_RESETS = (
    CounterReset.UNKNOWN,
    CounterReset.RESET,
    CounterReset.NOT_RESET,
    CounterReset.GAUGE,
)


class InvalidHistogramError(DecodeError):
    """A histogram contradicts itself; the rest of its request is good."""


@dataclass(frozen=True, slots=True)
class HistogramFields:
    """The field numbers of a message. A side's are those of its spans, differences and counts;
    0 is a field that the message does not have."""

    count: int
    count_float: int
    sum: int
    schema: int
    zero_threshold: int
    zero_count: int
    zero_count_float: int
    negative: tuple[int, int, int]
    positive: tuple[int, int, int]
    reset: int = 0
    custom_values: int = 0

    @property
    def repeated(self) -> tuple[int, ...]:
        """The fields that repeat."""
        return (*self.negative, *self.positive, self.custom_values)


REMOTE_WRITE = HistogramFields(
    *(1, 2, 3, 4, 5, 6, 7), negative=(8, 9, 10), positive=(11, 12, 13), reset=14, custom_values=16
)
EXPOSITION = HistogramFields(*(1, 4, 2, 5, 6, 7, 8), negative=(9, 10, 11), positive=(12, 13, 14))


def read_native(
    message: Message, fields: HistogramFields, reset: CounterReset = CounterReset.UNKNOWN
) -> NativeHistogram:
    """Return the histogram of a message, read with `fields.repeated`. `reset` holds where the
    message says nothing of it.

    Raises InvalidHistogramError, and DecodeError where the bytes are no message.
    """
    integral = not message.fixed(fields.count_float)
    schema = protobuf.zigzag(message.number(fields.schema))
    hint = message.number(fields.reset) if fields.reset else 0
    histogram = NativeHistogram(
        schema=schema,
        count=float(message.number(fields.count))
        if integral
        else message.double(fields.count_float),
        sum=message.double(fields.sum),
        zero_threshold=message.double(fields.zero_threshold),
        zero_count=message.double(fields.zero_count_float)
        or float(message.number(fields.zero_count)),
        positive=_buckets(message, fields.positive),
        negative=_buckets(message, fields.negative),
        custom_values=tuple(message.doubles(fields.custom_values)) if fields.custom_values else (),
        reset=_RESETS[hint] if 0 < hint < len(_RESETS) else reset,
    )
    return checked(coarsened(histogram), integral=integral)


def coarsened(histogram: NativeHistogram) -> NativeHistogram:
    """Return a histogram whose resolution is higher than queries know at the highest they do."""
    if not HIGHEST_SCHEMA < histogram.schema <= _FINEST_SCHEMA:
        return histogram
    return _lowered(histogram, HIGHEST_SCHEMA)


def with_most_buckets(
    histogram: NativeHistogram, most: int, least_factor: float
) -> NativeHistogram:
    """Return a histogram made coarser until it has at most so many buckets, and each is at least
    by that factor wider than the one before; 0 is no limit.

    Raises InvalidHistogramError where the coarsest still has too many.
    """
    if histogram.is_custom:
        if most and len(histogram.positive) > most:
            raise InvalidHistogramError(f"a histogram has more than {most} buckets")
        return histogram
    while (
        most and len(histogram.positive) + len(histogram.negative) > most
    ) or least_factor > 2.0**2.0**-histogram.schema:
        if histogram.schema == LOWEST_SCHEMA:
            if most and len(histogram.positive) + len(histogram.negative) > most:
                raise InvalidHistogramError(f"a histogram has more than {most} buckets")
            break
        histogram = _lowered(histogram, histogram.schema - 1)
    return histogram


def _lowered(histogram: NativeHistogram, schema: int) -> NativeHistogram:
    shift = histogram.schema - schema
    return replace(
        histogram,
        schema=schema,
        positive=_merged(histogram.positive, shift),
        negative=_merged(histogram.negative, shift),
    )


def _merged(buckets: Mapping[int, float], shift: int) -> dict[int, float]:
    found: dict[int, float] = {}
    for index, count in buckets.items():
        coarse = ((index - 1) >> shift) + 1
        found[coarse] = found.get(coarse, 0.0) + count
    return found


def _buckets(message: Message, fields: tuple[int, int, int]) -> dict[int, float]:
    spans, differences, counts = fields
    values: Sequence[float] = message.doubles(counts) or list(
        accumulate(message.zigzags(differences))
    )
    found: dict[int, float] = {}
    index = place = 0
    for content in message.repeated(spans):
        span = Message(content, ())
        index += protobuf.zigzag(span.number(1))
        length = span.number(2)
        if length > len(values) - place:
            raise InvalidHistogramError("a histogram's spans hold more buckets than it has counts")
        if abs(index) > _FURTHEST:
            raise InvalidHistogramError(f"a histogram has a bucket {index}")
        for count in values[place : place + length]:
            if count:
                found[index] = float(count)
            index += 1
        place += length
    if place != len(values):
        raise InvalidHistogramError("a histogram has more counts than its spans hold buckets")
    return found


def checked(histogram: NativeHistogram, *, integral: bool) -> NativeHistogram:
    """Return a histogram. Raises InvalidHistogramError if it contradicts itself.

    With `integral` counts, those of the buckets must add up to the whole count, or to less if
    the sum is NaN: observations of NaN are in no bucket.
    """
    problem = _bounds_problem(histogram) or _counts_problem(histogram, integral=integral)
    if problem:
        raise InvalidHistogramError(f"a histogram {problem}")
    return histogram


def _bounds_problem(histogram: NativeHistogram) -> str:
    if not histogram.is_custom:
        if not LOWEST_SCHEMA <= histogram.schema <= HIGHEST_SCHEMA:
            return f"has schema {histogram.schema}, {LOWEST_SCHEMA} to {HIGHEST_SCHEMA} are known"
        return "has bounds and a schema that needs none" if histogram.custom_values else ""
    bounds = histogram.custom_values
    if histogram.negative or histogram.zero_count or histogram.zero_threshold:
        return "with custom buckets has others too"
    if any(not low < high for low, high in pairwise(bounds)):
        return "has custom bounds that do not ascend"
    if any(math.isnan(bound) or bound == math.inf for bound in bounds):
        return "has a custom bound that is +Inf or NaN"
    if any(not 0 <= index <= len(bounds) for index in histogram.positive):
        return "has buckets beyond its custom bounds"
    return ""


def _counts_problem(histogram: NativeHistogram, *, integral: bool) -> str:
    counts = [*histogram.positive.values(), *histogram.negative.values()]
    if any(not count >= 0 for count in (*counts, histogram.zero_count, histogram.count)):
        return "has a count that is negative or no number"
    found = sum(counts) + histogram.zero_count
    if not integral:
        return ""
    enough = found <= histogram.count if math.isnan(histogram.sum) else found == histogram.count
    return "" if enough else f"counts {histogram.count:g}, and its buckets {found:g}"
