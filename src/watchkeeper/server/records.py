"""Log records, spans and traces in the JSON of the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from watchkeeper.model import LogRecord, SpanRecord, StatusCode
from watchkeeper.server.arguments import rfc3339


def log_json(record: LogRecord) -> dict[str, Any]:
    """Return one log record."""
    return {
        "timestamp": rfc3339(record.timestamp_ns, digits=9),
        "timestamp_ns": str(record.timestamp_ns),
        "level": record.severity.name,
        "message": record.message,
        "service": record.service,
        "logger": record.logger,
        "trace_id": record.trace_id,
        "span_id": record.span_id,
        "attributes": dict(record.attributes),
    }


def span_json(span: SpanRecord) -> dict[str, Any]:
    """Return one span."""
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "service": span.service,
        "kind": span.kind.name.lower(),
        "start_ns": str(span.start_ns),
        "duration_ns": span.end_ns - span.start_ns,
        "status": span.status.name.lower(),
        "status_message": span.status_message,
        "attributes": dict(span.attributes),
        "events": [
            {
                "name": event.name,
                "timestamp_ns": str(event.timestamp_ns),
                "attributes": dict(event.attributes),
            }
            for event in span.events
        ],
        "links": [
            {
                "trace_id": link.trace_id,
                "span_id": link.span_id,
                "attributes": dict(link.attributes),
            }
            for link in span.links
        ],
        "scope": span.scope.name,
    }


def trace_summary_json(spans: Sequence[SpanRecord]) -> dict[str, Any]:
    """Return one trace in a line: its root, how long it took, who took part, what failed."""
    root = root_of(spans)
    start_ns = min(span.start_ns for span in spans)
    end_ns = max(span.end_ns for span in spans)
    return {
        "trace_id": root.trace_id,
        "root_service": root.service,
        "root_name": root.name,
        "start": start_ns / 1e9,
        "duration_seconds": (end_ns - start_ns) / 1e9,
        "spans": len(spans),
        "errors": sum(span.status is StatusCode.ERROR for span in spans),
        "services": dict(Counter(span.service for span in spans)),
    }


def root_of(spans: Sequence[SpanRecord]) -> SpanRecord:
    """Return the span that everything hangs on: without a parent here, earliest first."""
    known = {span.span_id for span in spans}
    return min(spans, key=lambda span: (span.parent_span_id in known, span.start_ns))
