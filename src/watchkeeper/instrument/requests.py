"""A request's record becomes its metrics, its span and its access line.

Only what a client can write is looked through for personal data: the path, the user agent.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.conventions import http
from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.records import RequestRecord
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.series import CounterSeries, HistogramSeries
from watchkeeper.model import AttributeValue, LogRecord, Severity, SpanRecord, StatusCode

ACCESS_LOGGER = "watchkeeper.access"
_MOST_REMEMBERED = 4096
_NOTEWORTHY = frozenset((429, 499))
"""Statuses below 500 that an operator should see among the warnings."""


class Kind:
    """What requests of one method, template and status have in common."""

    __slots__ = ("counter", "histogram", "message", "severity", "span_name")

    def __init__(self, registry: Registry, record: RequestRecord) -> None:
        # A client may send any word as its method: OpenTelemetry names such a span HTTP.
        known = record.method in http.METHOD.values
        self.span_name = f"{record.method if known else 'HTTP'} {record.template}"
        self.message = f"{self.span_name} {record.status}"
        if record.status >= 500:
            self.severity = Severity.ERROR
        else:
            self.severity = Severity.WARNING if record.status in _NOTEWORTHY else Severity.INFO
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
        self._kinds: dict[tuple[str, str, int], Kind] = {}

    def observe(self, record: RequestRecord) -> tuple[SpanRecord | None, LogRecord | None]:
        """Count the request; return its span, if it is recorded, and its access line, unless
        the request is a quiet one."""
        kind = self._kind(record)
        span = record.span
        trace_id = f"{span.trace_id:032x}"
        sampled_id = trace_id if span.sampled else ""
        seconds = record.duration_ns / 1e9
        if kind.counter is not None:
            kind.counter.inc(1.0, trace_id=sampled_id)
        if kind.histogram is not None:
            kind.histogram.observe(seconds, trace_id=sampled_id)
        if record.quiet:
            return None, None
        span_id = f"{span.span_id:016x}"
        path = self._finisher.clean(record.path)
        line = self._access_line(record, kind, path, (trace_id, span_id))
        if not span.sampled:
            return None, line
        return self._span(record, kind, path, (trace_id, span_id)), line

    def _kind(self, record: RequestRecord) -> Kind:
        key = (record.method, record.template, record.status)
        kind = self._kinds.get(key)
        if kind is None:
            kind = Kind(self._registry, record)
            # Templates and statuses are few; methods are whatever a client sends.
            if len(self._kinds) < _MOST_REMEMBERED:
                self._kinds[key] = kind
        return kind

    def _span(
        self, record: RequestRecord, kind: Kind, path: str, ids: tuple[str, str]
    ) -> SpanRecord:
        span = record.span
        finisher = self._finisher
        attributes: dict[str, AttributeValue] = {
            "http.request.method": record.method,
            "url.path": path,
            "url.scheme": record.scheme,
        }
        if record.template != http.UNMATCHED:
            attributes["http.route"] = record.template
        if record.status:
            attributes["http.response.status_code"] = record.status
        if record.client:
            attributes["client.address"] = record.client
        if record.user_agent:
            attributes["user_agent.original"] = finisher.clean(record.user_agent)
        if record.error_type:
            attributes["error.type"] = record.error_type
        if span.attributes:
            attributes |= finisher.attributes(span.attributes)
        status = span.status
        if record.status >= 500 and status is StatusCode.UNSET:
            status = StatusCode.ERROR
        return SpanRecord(
            trace_id=ids[0],
            span_id=ids[1],
            parent_span_id=f"{span.parent_span_id:016x}" if span.parent_span_id else "",
            name=kind.span_name,
            kind=span.kind,
            start_ns=span.start_ns,
            end_ns=span.start_ns + record.duration_ns,
            service=finisher.service,
            status=status,
            status_message=finisher.clean(span.status_message),
            attributes=attributes,
            events=finisher.events(span),
            links=finisher.links(span),
            resource=finisher.resource,
            scope=span.scope,
        )

    def _access_line(
        self, record: RequestRecord, kind: Kind, path: str, ids: tuple[str, str]
    ) -> LogRecord:
        fields: dict[str, Any] = {
            "method": record.method,
            "endpoint": record.template,
            "path": path,
            "status_code": record.status,
            "duration_seconds": round(record.duration_ns / 1e9, 6),
        }
        if record.client:
            fields["client"] = record.client
        if record.error_type:
            fields["error_type"] = record.error_type
        return LogRecord(
            timestamp_ns=record.span.start_ns + record.duration_ns,
            severity=kind.severity,
            message=kind.message,
            service=self._finisher.service,
            logger=ACCESS_LOGGER,
            trace_id=ids[0],
            span_id=ids[1],
            attributes=fields,
            resource=self._finisher.resource,
        )
