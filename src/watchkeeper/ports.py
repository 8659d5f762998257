"""What the layers ask of each other, as contracts: only backend.py picks who fulfils them.

Every store method is synchronous and MUST be safe to call from several threads at once;
callers on an event loop wrap them in a thread. Times are inclusive at both ends. Returned
data belongs to the caller, who MUST NOT change arrays in place: stores MAY share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from watchkeeper.model import (
    Exemplar,
    FiringAlert,
    Labels,
    LogRecord,
    Matcher,
    MetricMetadata,
    NativeHistogram,
    SampleBatch,
    Severity,
    SpanRecord,
)
from watchkeeper.series_columns import SeriesColumns


class SampleSink(Protocol):
    """Takes samples in."""

    def append(self, batch: SampleBatch) -> int:
        """Keep a batch, with its native histograms and starts.

        Returns how many samples were refused as out of order or duplicate.
        MUST have it on disk, synchronised, before it returns, if the store is durable.
        MUST take samples of a series in the order of the batch, each later than the one before:
        of two at one time the first is kept. A sample that is there already, bit for bit, is
        passed over and not counted (as Prometheus does); of histograms the sums are compared.
        MAY refuse, and then counts, samples of a series long silent that are as old as what it
        had forgotten of it. Does not look at the clock: samples of the future are for ingestion
        to refuse. Exemplars that are not later than the last of their series, or the same
        again, are passed over.
        MUST keep all of it or nothing when it raises. Raises StoreFullError, OverloadError.
        """
        ...


class SeriesSource(Protocol):
    """Gives samples out; all that PromQL needs."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        """Return the series that fulfil every matcher and have samples in the range, as columns.

        MUST be sorted by label set. MUST return stale markers as they were stored. SHOULD give
        series that were scraped together one time group, for then their times are looked at
        once. Raises QuerySyntaxError where a regular expression is not RE2.
        """
        ...


class MetricStore(SampleSink, SeriesSource, Protocol):
    """Samples, and what is known about them."""

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Return the label sets with samples in the range, sorted. MAY include a few without."""
        ...

    def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Return the names of labels on matching series, sorted."""
        ...

    def label_values(
        self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[str]:
        """Return the values of one label on matching series, sorted."""
        ...

    def metadata(self) -> list[MetricMetadata]:
        """Return the newest metadata of every metric family, sorted by name."""
        ...

    def exemplars(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        """Return exemplars by series, both sorted, times ascending."""
        ...


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which log records are wanted: all conditions must hold.

    `words` are texts to be found anywhere in the message, ignoring case (by lower-casing);
    `fields` compare an attribute, or `service`, `logger`, `trace_id`, `span_id`, `message`, as
    text, exactly: strings by themselves, other values as JSON (`true`, `12`, `0.5`). A record
    without the field does not match. `without_words` and `without_fields` exclude.
    """

    start_ns: int
    end_ns: int
    words: tuple[str, ...] = ()
    without_words: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    without_fields: tuple[tuple[str, str], ...] = ()
    minimum_severity: Severity = Severity.TRACE
    trace_id: str = ""
    limit: int = 100
    newest_first: bool = True


LogListener = Callable[[Sequence[LogRecord]], None]
"""Takes records that were just kept; MUST NOT block."""


@dataclass(frozen=True, slots=True)
class LogBucket:
    """How many records of each severity a stretch of time holds."""

    start_ns: int
    counts: dict[Severity, int] = field(default_factory=dict)


class LogStore(Protocol):
    """Log records in and out."""

    def append(self, records: Sequence[LogRecord]) -> None:
        """Keep records; durable before it returns. All or nothing.

        Times outside of [0, 2**63) ns go to the nearer end; what JSON cannot hold in attributes
        (NaN, infinities, integers beyond 64 bits, lone surrogates) becomes text.
        Raises StoreFullError, OverloadError.
        """
        ...

    def search(self, query: LogQuery) -> list[LogRecord]:
        """Return at most `query.limit` records in time order (newest first if asked).

        Records of one moment are in the order of their coming, or its reverse.
        """
        ...

    def histogram(self, query: LogQuery, buckets: int) -> list[LogBucket]:
        """Return `buckets` (at least one) equal stretches of the query's range with their counts.

        The width is rounded up to a whole nanosecond, so the last stretch MAY end a little
        later than the range. Ignores `limit` and `newest_first`.
        """
        ...

    def follow(self, query: LogQuery, listener: LogListener) -> Callable[[], None]:
        """Tell a listener of every record from now on that fulfils a query but for its times.

        MUST tell after the records are kept and before `append` returns, in the thread that
        appends, batch by batch; MAY tell of them as they came, where storing changes them. A
        listener that fails MUST NOT fail the append. Returns what ends it.
        """
        ...


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Which traces are wanted: those with one span that fulfils every condition.

    A span is in the range if it starts there; attributes compare as text, as in LogQuery.
    `errors_only` wants spans that failed, `without_errors` those that did not.
    """

    start_ns: int
    end_ns: int
    service: str = ""
    operation: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    minimum_duration_ns: int = 0
    maximum_duration_ns: int | None = None
    errors_only: bool = False
    without_errors: bool = False
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Dependency:
    """How many times one service called another."""

    parent: str
    child: str
    calls: int


class SpanStore(Protocol):
    """Spans in and out."""

    def append(self, spans: Sequence[SpanRecord]) -> None:
        """Keep spans; durable before it returns. All or nothing.

        A span that is sent twice is kept twice. Times and attributes as in LogStore.append.
        Raises StoreFullError, OverloadError.
        """
        ...

    def trace(self, trace_id: str) -> list[SpanRecord]:
        """Return the spans of a trace by start time; empty if it is not known."""
        ...

    def search(self, query: TraceQuery) -> list[list[SpanRecord]]:
        """Return whole traces, at most `query.limit`, newest first by their last matching span.

        MUST return all spans of a trace, those outside of the range too, by start time.
        """
        ...

    def services(self) -> list[str]:
        """Return the names of services that sent spans, sorted."""
        ...

    def operations(self, service: str) -> list[str]:
        """Return the span names of a service, sorted."""
        ...

    def dependencies(self, start_ns: int, end_ns: int) -> list[Dependency]:
        """Return who called whom across service boundaries, sorted.

        Counts spans that start in the range, as does their parent, which is of another service.
        """
        ...


@dataclass(frozen=True, slots=True)
class VectorSample:
    """One element of an instant vector. The value of a native histogram is 0, as Prometheus'
    rules have it."""

    labels: Labels
    value: float
    histogram: NativeHistogram | None = None


class Querier(Protocol):
    """Answers a PromQL expression at one moment; all that rules need."""

    def vector(self, expression: str, timestamp_ms: int) -> list[VectorSample]:
        """Return the instant vector; a scalar is one element without labels. Raises QueryError."""
        ...


class AlertSink(Protocol):
    """Where rules hand their alerts."""

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        """Take alerts as they stand now. MUST NOT block on delivery."""
        ...
