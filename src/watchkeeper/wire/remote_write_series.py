"""What both versions of remote write come to: samples in columns, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from watchkeeper.errors import DecodeError
from watchkeeper.model import (
    METRIC_NAME,
    STALE_BITS,
    Exemplar,
    Labels,
    MetricMetadata,
    MetricType,
    NativeHistogram,
)
from watchkeeper.wire import protobuf
from watchkeeper.wire.limits import Excess, LabelLimits
from watchkeeper.wire.message import Message
from watchkeeper.wire.native_histogram import (
    REMOTE_WRITE,
    InvalidHistogramError,
    read_native,
)

TYPES = (
    MetricType.UNKNOWN,
    MetricType.COUNTER,
    MetricType.GAUGE,
    MetricType.HISTOGRAM,
    MetricType.HISTOGRAM,
    MetricType.SUMMARY,
    MetricType.GAUGE,
    MetricType.GAUGE,
)
"""Both versions number metric types alike; what the model does not know is the nearest."""


_HISTOGRAM_TIME = 15
_HISTOGRAM_START = 17
STALE_SUM = STALE_BITS.to_bytes(8, "little")
"""The sum of a histogram that ends its series."""


class InvalidSeriesError(DecodeError):
    """A series' labels mean nothing; the rest of the request is good."""


class LabelLimitError(InvalidSeriesError):
    """A series has more or longer labels than are allowed."""

    def __init__(self, excess: Excess) -> None:
        super().__init__(excess.reason)
        self.excess = excess


@dataclass(slots=True)
class DecodedWrite:
    """Samples in three columns of equal length, and what was left out.

    `histograms` and `starts_ms` hold, by row, the histograms among the samples (their value is
    the sum) and since when a counter has counted, where the sender says so.
    """

    labels: list[Labels] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    exemplars: list[tuple[Labels, Exemplar]] = field(default_factory=list)
    metadata: dict[str, MetricMetadata] = field(default_factory=dict)
    histograms: dict[int, NativeHistogram] = field(default_factory=dict)
    starts_ms: dict[int, int] = field(default_factory=dict)
    invalid: int = 0
    excesses: list[Excess] = field(default_factory=list)
    reason: str = ""

    def add(self, series: Labels, value: float, timestamp_ms: int, start_ms: int = 0) -> None:
        """Take a sample."""
        if start_ms:
            self.starts_ms[len(self.labels)] = start_ms
        self.labels.append(series)
        self.values.append(value)
        self.timestamps_ms.append(timestamp_ms)

    def add_histogram(self, series: Labels, content: bytes, created_ms: int = 0) -> None:
        """Take a Histogram message, the same in both versions, or count it as invalid."""
        message = Message(content, REMOTE_WRITE.repeated)
        time_ms = protobuf.signed(message.number(_HISTOGRAM_TIME))
        start_ms = protobuf.signed(message.number(_HISTOGRAM_START)) or created_ms
        if message.fixed(REMOTE_WRITE.sum) == STALE_SUM:
            self.add(series, message.double(REMOTE_WRITE.sum), time_ms, start_ms)
            return
        try:
            histogram = read_native(message, REMOTE_WRITE)
        except InvalidHistogramError as error:
            name = dict(series).get(METRIC_NAME, "")[:80]
            self.reject(InvalidSeriesError(f"series {name!r}: {error}"))
            return
        self.histograms[len(self.labels)] = histogram
        self.add(series, histogram.sum, time_ms, start_ms)

    def reject(self, error: InvalidSeriesError) -> None:
        """Count a series that is left out; the last reason is told to the sender."""
        if isinstance(error, LabelLimitError):
            self.excesses.append(error.excess)
        else:
            self.invalid += 1
        self.reason = str(error)


def type_of(number: int) -> MetricType:
    """Return the type that a number means."""
    return TYPES[number] if number < len(TYPES) else MetricType.UNKNOWN


def checked_labels(pairs: Iterable[tuple[str, str]], limits: LabelLimits) -> Labels:
    """Return pairs as a label set. Raises InvalidSeriesError, LabelLimitError."""
    ordered = sorted([pair for pair in pairs if pair[1]])
    names = dict(ordered)
    if len(names) != len(ordered):
        raise InvalidSeriesError(f"series {names.get(METRIC_NAME, '')!r}: a label comes twice")
    if METRIC_NAME not in names or "" in names:
        raise InvalidSeriesError("a series has no name, or a label has none")
    series = tuple(ordered)
    broken = limits.broken_by(series)
    if broken is not None:
        raise LabelLimitError(broken)
    return series
