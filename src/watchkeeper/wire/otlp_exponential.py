"""OTLP's exponential histograms, as the native histograms that they are.

Bucket `i` of OTLP ends where bucket `i + 1` of a native histogram ends. Source:
opentelemetry-proto 1.x, ExponentialHistogramDataPoint; OpenTelemetry, "Prometheus and
OpenMetrics Compatibility", Exponential Histograms.
"""

from __future__ import annotations

from watchkeeper.model import CounterReset, NativeHistogram
from watchkeeper.wire import protobuf
from watchkeeper.wire.message import Message
from watchkeeper.wire.native_histogram import (
    LOWEST_SCHEMA,
    InvalidHistogramError,
    checked,
    coarsened,
)

REPEATED = (1, 11)
ATTRIBUTES, EXEMPLARS = REPEATED
FLAGS = 10
ZERO_THRESHOLD = 1e-128
"""Where a point has none: Prometheus, otlptranslator/prometheusremotewrite."""

_MOST_BUCKETS = 100_000


def read_exponential(point: Message) -> NativeHistogram:
    """Return the histogram of a data point, read with REPEATED. Raises InvalidHistogramError."""
    schema = protobuf.zigzag(point.number(6))
    if schema < LOWEST_SCHEMA:
        raise InvalidHistogramError(f"a histogram of scale {schema}: {LOWEST_SCHEMA} is the least")
    histogram = NativeHistogram(
        schema=schema,
        count=float(point.time(4)),
        sum=point.double(5),
        zero_threshold=point.double(14) or ZERO_THRESHOLD,
        zero_count=float(point.time(7)),
        positive=_buckets(point.content(8)),
        negative=_buckets(point.content(9)),
        reset=CounterReset.UNKNOWN,
    )
    return checked(coarsened(histogram), integral=True)


def _buckets(content: bytes) -> dict[int, float]:
    message = Message(content, (2,))
    first = protobuf.zigzag(message.number(1)) + 1
    counts = message.varints(2)
    if len(counts) > _MOST_BUCKETS or abs(first) > 1 << 31:
        raise InvalidHistogramError(f"a histogram of {len(counts)} buckets from {first} on")
    return {first + place: float(count) for place, count in enumerate(counts) if count}
