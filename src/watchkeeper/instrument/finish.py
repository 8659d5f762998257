"""Records made final: clean of personal data, in the types that the wire knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from opentelemetry.trace import TraceState

from watchkeeper.instrument.records import PendingLog
from watchkeeper.instrument.redaction import LONGEST_NAME, Redactor, whole_text
from watchkeeper.instrument.span import LiveSpan
from watchkeeper.model import (
    Attributes,
    AttributeValue,
    LogRecord,
    Severity,
    SpanEvent,
    SpanLink,
    SpanRecord,
)
from watchkeeper.wire.record_making import maker

_make_span = maker(SpanRecord)
_make_log = maker(LogRecord)
SEVERITIES = {severity.value: severity for severity in Severity}
_PLAIN = frozenset((bool, float))
_TEXT_OR_PLAIN = frozenset((str, bool, float))
_LARGEST_INTEGER = 2**63


class Finisher:
    """Makes SpanRecords and LogRecords of what the queue held.

    Texts in the attributes of spans are cut to `longest_value` characters, once they are clean,
    those in the fields of log lines to `longest_field`.
    """

    def __init__(
        self,
        service: str,
        resource: Attributes,
        redactor: Redactor,
        longest_value: int | None = None,
        longest_field: int | None = None,
    ) -> None:
        self.longest_value = longest_value
        self.longest_field = longest_field
        self.service = service
        self.resource = resource
        self.clean = redactor.text
        self._stack = redactor.stack
        self._field = redactor.field
        self._harmless = redactor.harmless_names
        self._seen = redactor.seen

    def span(self, span: LiveSpan) -> SpanRecord:
        """Return the span's record."""
        return _make_span(
            span.trace_id.to_bytes(16, "big").hex(),
            span.span_id.to_bytes(8, "big").hex(),
            span.parent_span_id.to_bytes(8, "big").hex() if span.parent_span_id else "",
            self.clean(span.name),
            span.kind,
            span.start_ns,
            span.end_ns,
            self.service,
            span.status,
            self.clean(span.status_message),
            self.span_attributes(span.attributes),
            self.events(span) if span.events else (),
            self.links(span) if span.links else (),
            self.resource,
            span.scope,
            span.dropped,
            self.state(span.state) if span.state else "",
            span.remote_parent,
        )

    def events(self, span: LiveSpan) -> tuple[SpanEvent, ...]:
        """Return the span's events."""
        return tuple(
            [
                SpanEvent(self.clean(name), when, self.span_attributes(fields), dropped)
                for name, when, fields, dropped in span.events
            ]
        )

    def links(self, span: LiveSpan) -> tuple[SpanLink, ...]:
        """Return the span's links."""
        return tuple(
            [
                SpanLink(
                    f"{context.trace_id:032x}",
                    f"{context.span_id:016x}",
                    self.span_attributes(fields),
                    dropped,
                    self.state(context.trace_state),
                    context.is_remote,
                )
                for context, fields, dropped in span.links
            ]
        )

    def state(self, state: TraceState | None) -> str:
        """Return a trace state as the W3C header has it, clean: a client may write anything."""
        return self.clean(state.to_header()) if state else ""

    def log(self, pending: PendingLog) -> LogRecord:
        """Return the log line's record."""
        time_ns, severity, logger, message, fields, trace_id, span_id, sampled, error = pending
        attributes = self.line_attributes(fields)
        if error is not None:
            attributes["exception.type"] = error.type
            attributes["exception.message"] = self.clean(error.message)
            attributes["exception.stacktrace"] = self._stack(error.stack)
        return _make_log(
            time_ns,
            SEVERITIES[severity],
            self.clean(message),
            self.service,
            self.clean(logger),
            trace_id.to_bytes(16, "big").hex() if trace_id else "",
            span_id.to_bytes(8, "big").hex() if span_id else "",
            attributes,
            self.resource,
            sampled,
        )

    def span_attributes(self, fields: Mapping[str, Any]) -> Attributes:
        """Return clean fields as attributes of a span, its events or its links."""
        return self.cut(self.attributes(fields))

    def line_attributes(self, fields: Mapping[str, Any]) -> dict[str, AttributeValue]:
        """Return clean fields as attributes of a log line."""
        return _all_cut(self.attributes(fields), self.longest_field)

    def cut(self, attributes: dict[str, AttributeValue]) -> Attributes:
        """Return the attributes of a span with long texts cut."""
        return _all_cut(attributes, self.longest_value)

    def attributes(self, fields: Mapping[str, Any]) -> dict[str, AttributeValue]:
        """Return clean fields as attributes; a None is left out."""
        harmless, seen = self._harmless, self._seen
        found: dict[str, AttributeValue] = {}
        for name, value in fields.items():
            # Nearly all fields have a known name, and a plain value or a text seen before.
            kind = type(value)
            if name in harmless and (
                value in seen
                if kind is str
                else kind in _PLAIN
                or (kind is int and -_LARGEST_INTEGER <= value < _LARGEST_INTEGER)
            ):
                found[name] = value
            elif value is not None:
                clean = self._field(name, value)
                found[str(name)[:LONGEST_NAME]] = (
                    clean if type(clean) in _TEXT_OR_PLAIN else attribute_value(clean)
                )
        return found


def _all_cut(
    attributes: dict[str, AttributeValue], longest: int | None
) -> dict[str, AttributeValue]:
    if longest is None:
        return attributes
    return {name: _cut(value, longest) for name, value in attributes.items()}


def _cut(value: AttributeValue, longest: int) -> AttributeValue:
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, tuple):
        return cast(AttributeValue, tuple([_cut(item, longest) for item in value]))
    return value


def attribute_value(value: Any) -> AttributeValue:
    """Return any value as one that the wire knows; all of them can be hashed."""
    if isinstance(value, str | bool | float):
        return value
    if isinstance(value, int):
        return value if -_LARGEST_INTEGER <= value < _LARGEST_INTEGER else whole_text(value)
    if isinstance(value, Sequence):
        kinds = {type(item) for item in value}
        if len(kinds) == 1 and kinds <= {str, bool, int, float}:
            return cast(AttributeValue, tuple(value))
        return tuple([str(item) for item in value])
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:
        return str(value)
