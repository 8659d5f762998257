"""Spans in the JSON of Jaeger's query API v1, which its UI and Grafana read.

Shapes: jaegertracing/jaeger, internal/uimodel. Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchkeeper.model import Attributes, AttributeValue, SpanKind, SpanRecord, StatusCode


def trace_json(spans: Sequence[SpanRecord]) -> dict[str, Any]:
    """Return one trace: its spans, and the processes that sent them."""
    processes: dict[tuple[str, tuple[tuple[str, AttributeValue], ...]], str] = {}
    rendered = []
    for span in spans:
        process = (span.service, tuple(sorted(span.resource.items())))
        key = processes.setdefault(process, f"p{len(processes) + 1}")
        rendered.append(_span(span, key))
    return {
        "traceID": spans[0].trace_id,
        "spans": rendered,
        "processes": {
            key: {"serviceName": service, "tags": tags_json(dict(resource))}
            for (service, resource), key in processes.items()
        },
        "warnings": None,
    }


def tags_json(attributes: Attributes) -> list[dict[str, Any]]:
    """Return attributes as typed tags; a list becomes its text."""
    return [_tag(name, value) for name, value in attributes.items()]


def _tag(name: str, value: AttributeValue) -> dict[str, Any]:
    match value:
        case bool():
            return {"key": name, "type": "bool", "value": value}
        case int():
            return {"key": name, "type": "int64", "value": value}
        case float():
            return {"key": name, "type": "float64", "value": value}
        case str():
            return {"key": name, "type": "string", "value": value}
        case _:
            return {"key": name, "type": "string", "value": ", ".join(map(str, value))}


def _span(span: SpanRecord, process: str) -> dict[str, Any]:
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "flags": 1,
        "operationName": span.name,
        "references": _references(span),
        "startTime": span.start_ns // 1000,
        "duration": (span.end_ns - span.start_ns) // 1000,
        "tags": tags_json(span.attributes) + _derived_tags(span),
        "logs": [
            {
                "timestamp": event.timestamp_ns // 1000,
                "fields": [_tag("event", event.name), *tags_json(event.attributes)],
            }
            for event in span.events
        ],
        "processID": process,
        "warnings": None,
    }


def _references(span: SpanRecord) -> list[dict[str, str]]:
    references = []
    if span.parent_span_id:
        parent = {"traceID": span.trace_id, "spanID": span.parent_span_id}
        references.append({"refType": "CHILD_OF", **parent})
    for link in span.links:
        target = {"traceID": link.trace_id, "spanID": link.span_id}
        references.append({"refType": "FOLLOWS_FROM", **target})
    return references


def _derived_tags(span: SpanRecord) -> list[dict[str, Any]]:
    tags: list[dict[str, Any]] = []
    if span.kind is not SpanKind.UNSPECIFIED:
        tags.append(_tag("span.kind", span.kind.name.lower()))
    if span.status is not StatusCode.UNSET:
        tags.append(_tag("otel.status_code", span.status.name))
    if span.status is StatusCode.ERROR:
        tags.append(_tag("error", True))
    if span.status_message:
        tags.append(_tag("otel.status_description", span.status_message))
    if span.scope.name:
        tags.append(_tag("otel.scope.name", span.scope.name))
    return tags
