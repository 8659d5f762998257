"""The nouns that every layer shares: samples, series, spans, log records, alerts.

Plain data with no behaviour beyond construction. Arrays are NumPy's, named here for the
type checker only, so that a process that is merely instrumented does not need NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AttributeValue = (
    str
    | bool
    | int
    | float
    | tuple[str, ...]
    | tuple[bool, ...]
    | tuple[int, ...]
    | tuple[float, ...]
)
Attributes = Mapping[str, AttributeValue]

Labels = tuple[tuple[str, str], ...]
"""A label set: (name, value) pairs sorted by name, no empty values, `__name__` among them."""

METRIC_NAME = "__name__"


def labels(pairs: Mapping[str, str]) -> Labels:
    """Return `pairs` as a label set: sorted, without empty values."""
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


STALE_BITS = 0x7FF0000000000002
"""The bits of a stale marker, the NaN that says that a series has ended (Prometheus,
model/value)."""


class MetricType(StrEnum):
    """What kind of numbers a metric holds, in the words of the exposition formats."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MetricMetadata:
    """What a target says about a metric: its family name, type, help text and unit."""

    name: str
    type: MetricType
    help: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation that stands for many: its labels (a trace id), value and time."""

    labels: Labels
    value: float
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Samples on their way into a store: columns of equal length.

    `timestamps_ms` is int64 and `values` float64; the NaN of STALE_BITS ends a series.
    `histograms` and `starts_ms` are as in Series; the value of a sample that is a histogram is
    its sum.
    """

    labels: list[Labels]
    timestamps_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    exemplars: list[tuple[Labels, Exemplar]] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)
    histograms: Sequence[NativeHistogram | None] | None = None
    starts_ms: NDArray[np.int64] | None = None


class CounterReset(StrEnum):
    """What is known about a histogram's counters compared with the sample before."""

    UNKNOWN = "unknown"
    RESET = "reset"
    NOT_RESET = "not_reset"
    GAUGE = "gauge"


CUSTOM_BUCKETS_SCHEMA = -53
"""The schema of histograms whose bounds are listed (Prometheus, model/histogram)."""


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """A histogram as one sample (Prometheus, model/histogram.FloatHistogram).

    With an exponential schema, bucket `i` holds observations in
    (2**((i-1) * 2**-schema), 2**(i * 2**-schema)], and `negative` the mirror image; the zero
    bucket holds those no further from zero than `zero_threshold`. With custom buckets, bucket
    `i` ends at `custom_values[i]` and the last one at +Inf. Empty buckets may be left out.
    """

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Mapping[int, float] = field(default_factory=dict)
    negative: Mapping[int, float] = field(default_factory=dict)
    custom_values: tuple[float, ...] = ()
    reset: CounterReset = CounterReset.UNKNOWN

    @property
    def is_custom(self) -> bool:
        """Whether its bounds are listed."""
        return self.schema == CUSTOM_BUCKETS_SCHEMA


@dataclass(frozen=True, slots=True)
class Series:
    """One series as a store returns it: columns of equal length, times ascending.

    `histograms`, where there are any, has a NativeHistogram for each sample that is one and
    None for the others. `starts_ms`, where a store knows them, says since when each sample's
    counter has counted, in milliseconds; 0 is not known.
    """

    labels: Labels
    timestamps_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    histograms: Sequence[NativeHistogram | None] | None = None
    starts_ms: NDArray[np.int64] | None = None


class MatchOperator(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label. A missing label counts as the empty string; regexes are RE2,
    anchored at both ends."""

    name: str
    operator: MatchOperator
    value: str


class SpanKind(IntEnum):
    """A span's side of a call, as OTLP numbers it."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(IntEnum):
    """How a span ended, as OTLP numbers it."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at one moment of a span."""

    name: str
    timestamp_ns: int
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A span that caused this one without being its parent. Ids are lower-case hex."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)
    dropped_attributes: int = 0
    trace_state: str = ""
    remote: bool = False


class Scope(NamedTuple):
    """Who made a span: an instrumentation scope. `attributes` are pairs."""

    name: str = ""
    version: str = ""
    schema_url: str = ""
    attributes: tuple[tuple[str, AttributeValue], ...] = ()


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """One finished span. Ids are lower-case hex: 32 digits a trace, 16 a span, '' for no parent.

    `dropped` is how many attributes, events and links were too many for the span, `trace_state`
    as the W3C header has it, `remote_parent` whether the parent is of another process. A span that
    was received has of its scope the name here, and what else was said among its attributes
    (wire.otlp_besides).
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int
    service: str
    status: StatusCode = StatusCode.UNSET
    status_message: str = ""
    attributes: Attributes = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    resource: Attributes = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    dropped: tuple[int, int, int] = (0, 0, 0)
    trace_state: str = ""
    remote_parent: bool = False


class Severity(IntEnum):
    """A log record's level, by OpenTelemetry's severity numbers."""

    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARNING = 13
    ERROR = 17
    CRITICAL = 21


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log line. `trace_id` and `span_id` are lower-case hex or ''. Whether the span was
    `sampled` is said over OTLP, and not kept by stores."""

    timestamp_ns: int
    severity: Severity
    message: str
    service: str
    logger: str = ""
    trace_id: str = ""
    span_id: str = ""
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert as a rule hands it to the notifier.

    While the expression holds, `ends_at_ns` is the future moment until which the report is good
    unless it is renewed, or None for the notifier's own timeout; once it resolved, the moment
    that it did.
    """

    labels: Labels
    annotations: Labels
    starts_at_ns: int
    ends_at_ns: int | None
    generator_url: str = ""
