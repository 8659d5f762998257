"""Native histograms as plain rows, for MessagePack: in the log and in segment files."""

from __future__ import annotations

from watchkeeper.model import CounterReset, NativeHistogram

HistogramRow = tuple[
    int,
    float,
    float,
    float,
    float,
    dict[int, float],
    dict[int, float],
    tuple[float, ...],
    CounterReset,
]
"""The fields of a NativeHistogram in their order."""


def pack(histogram: NativeHistogram) -> HistogramRow:
    """Return a histogram as a row."""
    return (
        histogram.schema,
        histogram.count,
        histogram.sum,
        histogram.zero_threshold,
        histogram.zero_count,
        dict(histogram.positive),
        dict(histogram.negative),
        histogram.custom_values,
        histogram.reset,
    )


def unpack(row: HistogramRow) -> NativeHistogram:
    """Return what `pack` was given."""
    return NativeHistogram(*row)
