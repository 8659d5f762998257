"""A request's record becomes its metrics, its span and its access line.

Only what a client can write is looked through for personal data: the path, its address, which a
proxy's header may have given, and the user agent.
"""

from __future__ import annotations

from watchkeeper.conventions import http
from watchkeeper.instrument.answered import AnsweredRequest, Frame, Line, Span, Visitor
from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.paths import Paths
from watchkeeper.instrument.records import RequestRecord
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.series import CounterSeries, HistogramSeries
from watchkeeper.model import AttributeValue, Severity, StatusCode

_MOST_REMEMBERED = 4096
_NOTEWORTHY = frozenset((429, 499))
"""Statuses below 500 that an operator should see among the warnings."""


class Kind:
    """Requests of one method, template, status, scheme and error: their series, their frame."""

    __slots__ = ("counter", "frame", "histogram")

    def __init__(self, registry: Registry, finisher: Finisher, record: RequestRecord) -> None:
        self.frame = _frame(finisher, record)
        labels = {"method": record.method, "endpoint": record.template}
        self.counter: CounterSeries | None = None
        self.histogram: HistogramSeries | None = None
        requests = registry.find(http.REQUESTS)
        if requests is not None:
            counter = requests.resolve({**labels, "status_code": str(record.status)})
            self.counter = counter if isinstance(counter, CounterSeries) else None
        durations = registry.find(http.REQUEST_DURATION)
        if durations is not None and not record.websocket:
            histogram = durations.resolve(labels)
            self.histogram = histogram if isinstance(histogram, HistogramSeries) else None


class RequestObserver:
    """Turns request records, in the pump."""

    def __init__(self, registry: Registry, finisher: Finisher) -> None:
        self._registry = registry
        self._finisher = finisher
        self._paths = Paths(finisher.clean)
        self._kinds: dict[tuple[str, str, int, str, str, bool], Kind] = {}
        self._visitors: dict[tuple[str, str], Visitor] = {}

    def observe(self, record: RequestRecord) -> tuple[Span | None, Line | None]:
        """Count the request; return its span, if it is recorded, and its access line, unless
        the request is a quiet one."""
        span = record.span
        kind = self._kind(record)
        trace_id = span.trace_id.to_bytes(16, "big")
        self._count(record, kind, trace_id.hex() if span.sampled else "")
        if record.quiet:
            return None, None
        path = self._paths.clean(record.path)
        answered = AnsweredRequest(record, kind.frame, self._visitor(record), path, trace_id)
        if not span.sampled:
            return None, answered
        if span.attributes or span.events or span.links or span.status is not StatusCode.UNSET:
            return answered.as_span(), answered
        return answered, answered

    def _count(self, record: RequestRecord, kind: Kind, trace_id: str) -> None:
        ended_ns = record.span.start_ns + record.duration_ns
        if kind.counter is not None:
            kind.counter.inc(1.0, trace_id=trace_id, time_ns=ended_ns)
        if kind.histogram is not None:
            kind.histogram.observe(record.duration_ns / 1e9, trace_id=trace_id, time_ns=ended_ns)

    def _kind(self, record: RequestRecord) -> Kind:
        key = (
            record.method,
            record.template,
            record.status,
            record.scheme,
            record.error_type,
            record.websocket,
        )
        kind = self._kinds.get(key)
        if kind is None:
            kind = Kind(self._registry, self._finisher, record)
            # Templates and statuses are few; methods are whatever a client sends.
            if len(self._kinds) < _MOST_REMEMBERED:
                self._kinds[key] = kind
        return kind

    def _visitor(self, record: RequestRecord) -> Visitor:
        key = (record.client, record.user_agent)
        visitor = self._visitors.get(key)
        if visitor is None:
            clean = self._finisher.clean
            visitor = Visitor(clean(record.client), clean(record.user_agent))
            # What was cleaned is not remembered: every removal counts.
            if (visitor.client, visitor.user_agent) == key:
                if len(self._visitors) >= _MOST_REMEMBERED:
                    self._visitors.clear()
                self._visitors[key] = visitor
        return visitor


def _frame(finisher: Finisher, record: RequestRecord) -> Frame:
    # A client may send any word as its method: OpenTelemetry names such a span HTTP.
    known = record.method in http.METHOD.values
    severity = Severity.WARNING if record.status in _NOTEWORTHY else Severity.INFO
    failed = record.status >= 500
    attributes: dict[str, AttributeValue] = {
        "http.request.method": record.method,
        "url.scheme": record.scheme,
    }
    fields: dict[str, AttributeValue] = {
        "method": record.method,
        "endpoint": record.template,
        "status_code": record.status,
    }
    if record.template != http.UNMATCHED:
        attributes["http.route"] = record.template
    if record.status:
        attributes["http.response.status_code"] = record.status
    if record.error_type:
        attributes["error.type"] = record.error_type
        fields["error_type"] = record.error_type
    return Frame(
        finisher,
        f"{record.method if known else 'HTTP'} {record.template}",
        StatusCode.ERROR if failed else StatusCode.UNSET,
        Severity.ERROR if failed else severity,
        attributes,
        fields,
    )
