"""Native histograms written as protobuf, by hand: what tests of both formats send."""

from __future__ import annotations

from watchkeeper.model import CounterReset, NativeHistogram
from watchkeeper.wire.native_histogram import HistogramFields
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, pack_double, tag, varint

RESETS = list(CounterReset)


def field(number: int, content: bytes) -> bytes:
    return delimited(tag(number, LENGTH), content)


def number(at: int, value: int) -> bytes:
    return tag(at, VARINT) + varint(value)


def double(at: int, value: float) -> bytes:
    return tag(at, FIXED64) + pack_double(value)


def zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def native(histogram: NativeHistogram, fields: HistogramFields, *, floats: bool = False) -> bytes:
    """Return the fields of a histogram, with whole counts or with floats."""
    made = double(fields.sum, histogram.sum) + number(fields.schema, zigzag(histogram.schema))
    made += double(fields.zero_threshold, histogram.zero_threshold)
    if floats:
        made += double(fields.count_float, histogram.count)
        made += double(fields.zero_count_float, histogram.zero_count)
    else:
        made += number(fields.count, int(histogram.count))
        made += number(fields.zero_count, int(histogram.zero_count))
    for buckets, numbers in (
        (histogram.negative, fields.negative),
        (histogram.positive, fields.positive),
    ):
        made += side(dict(buckets), *numbers, floats=floats)
    if fields.reset:
        made += number(fields.reset, RESETS.index(histogram.reset))
    if fields.custom_values and histogram.custom_values:
        made += field(fields.custom_values, b"".join(map(pack_double, histogram.custom_values)))
    return made


def side(
    buckets: dict[int, float], spans: int, differences: int, counts: int, *, floats: bool
) -> bytes:
    made, before, end = b"", 0.0, 0
    packed = b""
    for index, count in sorted(buckets.items()):
        made += field(spans, number(1, zigzag(index - end)) + number(2, 1))
        packed += pack_double(count) if floats else varint(zigzag(int(count - before)))
        before, end = count, index + 1
    return made + (field(counts if floats else differences, packed) if packed else b"")
