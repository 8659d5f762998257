"""A request's record becomes its metrics, its span and its access line."""

from __future__ import annotations

from typing import Any

from watchkeeper.conventions import http
from watchkeeper.instrument.records import PendingLog, RequestRecord
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.series import CounterSeries, HistogramSeries
from watchkeeper.instrument.span import LiveSpan
from watchkeeper.model import Severity, StatusCode

ACCESS_LOGGER = "watchkeeper.access"


class RequestObserver:
    """Turns request records, in the pump."""

    def __init__(self, registry: Registry) -> None:
        self._requests = registry.find(http.REQUESTS)
        self._durations = registry.find(http.REQUEST_DURATION)
        self._resolved: dict[
            tuple[str, str, int], tuple[CounterSeries | None, HistogramSeries | None]
        ] = {}

    def observe(self, record: RequestRecord) -> PendingLog:
        """Count the request, complete its span, and return its access line."""
        span = record.span
        seconds = record.duration_ns / 1e9
        trace_id = f"{span.trace_id:032x}" if span.sampled else ""
        counter, histogram = self._series(record)
        if counter is not None:
            counter.inc(1.0, trace_id=trace_id)
        if histogram is not None:
            histogram.observe(seconds, trace_id=trace_id)
        complete_span(span, record)
        return _access_line(record, seconds)

    def _series(self, record: RequestRecord) -> tuple[CounterSeries | None, HistogramSeries | None]:
        key = (record.method, record.template, record.status)
        found = self._resolved.get(key)
        if found is None:
            labels = {"method": record.method, "endpoint": record.template}
            counter: Any = None
            histogram: Any = None
            if self._requests is not None:
                counter = self._requests.resolve({**labels, "status_code": str(record.status)})
            if self._durations is not None and not record.websocket:
                histogram = self._durations.resolve(labels)
            found = (counter, histogram)
            # Templates and statuses are few; methods are whatever a client sends.
            if len(self._resolved) < 4096:
                self._resolved[key] = found
        return found


def complete_span(span: LiveSpan, record: RequestRecord) -> None:
    """Give the span what is known at its end: name, attributes, status."""
    # A client may send any word as its method: OpenTelemetry names such a span HTTP.
    method = record.method if record.method in http.METHOD.values else "HTTP"
    span.name = f"{method} {record.template}"
    attributes: dict[str, Any] = {
        "http.request.method": record.method,
        "url.path": record.path,
        "url.scheme": record.scheme,
    }
    if record.template != http.UNMATCHED:
        attributes["http.route"] = record.template
    if record.status:
        attributes["http.response.status_code"] = record.status
    if record.client:
        attributes["client.address"] = record.client
    if record.user_agent:
        attributes["user_agent.original"] = record.user_agent
    if record.error_type:
        attributes["error.type"] = record.error_type
    span.attributes = attributes | span.attributes if span.attributes else attributes
    if record.status >= 500 and span.status is StatusCode.UNSET:
        span.status = StatusCode.ERROR
    span.end_ns = span.start_ns + record.duration_ns


def _access_line(record: RequestRecord, seconds: float) -> PendingLog:
    span = record.span
    fields: dict[str, Any] = {
        "method": record.method,
        "endpoint": record.template,
        "path": record.path,
        "status_code": record.status,
        "duration_seconds": round(seconds, 6),
    }
    if record.client:
        fields["client"] = record.client
    if record.error_type:
        fields["error_type"] = record.error_type
    if record.status >= 500:
        severity = Severity.ERROR
    else:
        severity = Severity.WARNING if record.status in (429, 499) else Severity.INFO
    return PendingLog(
        span.start_ns + record.duration_ns,
        severity,
        ACCESS_LOGGER,
        f"{span.name} {record.status}",
        fields,
        span.trace_id,
        span.span_id,
    )
