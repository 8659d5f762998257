"""A request that was answered, on its way out: a span over OTLP, an access line over OTLP and
as JSON.

What requests of one kind have in common is encoded once, and so is what is known of a visitor.
Left for each request are its times, its ids and its path. A request whose span was given more by
the service becomes an ordinary SpanRecord instead.
"""

from __future__ import annotations

from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.log_line import encode_fields, encode_json, encode_line, timestamp
from watchkeeper.instrument.records import RequestRecord
from watchkeeper.model import (
    Attributes,
    AttributeValue,
    LogRecord,
    Severity,
    SpanKind,
    SpanRecord,
    StatusCode,
)
from watchkeeper.wire.otlp_template import (
    LogTemplate,
    SpanTemplate,
    log_number,
    log_text,
    span_text,
)

ACCESS_LOGGER = "watchkeeper.access"

_span_path = span_text("url.path")
_span_client = span_text("client.address")
_span_user_agent = span_text("user_agent.original")
_log_path = log_text("path")
_log_client = log_text("client")
_log_duration = log_number("duration_seconds")


class Visitor:
    """Who asked: clean address and user agent, '' if not known, and both as they leave."""

    __slots__ = ("client", "line", "log", "span", "user_agent")

    def __init__(self, client: str, user_agent: str) -> None:
        self.client = client
        self.user_agent = user_agent
        self.span = self.log = self.line = b""
        if client:
            self.span = _span_client(client)
            self.log = _log_client(client)
            self.line = b"," + encode_fields({"client": client})
        if user_agent:
            self.span += _span_user_agent(user_agent)

    def attributes(self) -> dict[str, AttributeValue]:
        """Return the span's attributes of the visitor."""
        named = {"client.address": self.client, "user_agent.original": self.user_agent}
        return {name: value for name, value in named.items() if value}


class Frame:
    """What the requests of one kind have in common. `attributes` are those of the span."""

    __slots__ = (
        "attributes",
        "fields",
        "finisher",
        "line_fields",
        "line_head",
        "log",
        "message",
        "severity",
        "span",
        "span_name",
        "status",
    )

    def __init__(
        self,
        finisher: Finisher,
        span_name: str,
        status: StatusCode,
        severity: Severity,
        attributes: Attributes,
        fields: Attributes,
    ) -> None:
        self.finisher = finisher
        self.span_name = span_name
        self.status = status
        self.severity = severity
        self.attributes = attributes
        self.fields = fields
        self.message = f"{span_name} {fields['status_code']}"
        self.span = SpanTemplate(span_name, SpanKind.SERVER, status, attributes)
        self.log = LogTemplate(severity, self.message, fields)
        resource = finisher.resource
        known = {
            "level": severity.name,
            "logger": ACCESS_LOGGER,
            "message": self.message,
            "service": finisher.service,
            "version": resource.get("service.version", ""),
            "environment": resource.get("deployment.environment.name", ""),
        }
        self.line_head = b'",' + encode_fields(known) + b',"trace_id":"'
        self.line_fields = b'",' + encode_fields(fields) + b',"path":'


class AnsweredRequest:
    """One request: `frame` and `visitor` with its own path (clean), ids and times.

    Stands in for its SpanRecord and its LogRecord; `as_span` and `as_log` make these.
    """

    __slots__ = (
        "_duration_seconds",
        "_frame",
        "_path",
        "_record",
        "_visitor",
        "resource",
        "service",
        "span_id",
        "trace_id",
    )

    logger = ACCESS_LOGGER

    def __init__(
        self, record: RequestRecord, frame: Frame, visitor: Visitor, path: str, trace_id: bytes
    ) -> None:
        self._record = record
        self._frame = frame
        self._visitor = visitor
        self._path = path
        self._duration_seconds = (record.duration_ns + 500) // 1_000 / 1e6
        self.service = frame.finisher.service
        self.resource = frame.finisher.resource
        self.trace_id = trace_id
        self.span_id = record.span.span_id.to_bytes(8, "big")

    @property
    def scope(self) -> str:
        return self._record.span.scope

    def span_message(self) -> bytes:
        """Return OTLP's Span message."""
        span = self._record.span
        parent = span.parent_span_id
        return self._frame.span.encode(
            self.trace_id,
            self.span_id,
            parent.to_bytes(8, "big") if parent else b"",
            span.start_ns,
            span.start_ns + self._record.duration_ns,
            _span_path(self._path) + self._visitor.span,
        )

    def log_message(self) -> bytes:
        """Return OTLP's LogRecord message."""
        return self._frame.log.encode(
            self._ended_ns(),
            self.trace_id,
            self.span_id,
            _log_path(self._path) + _log_duration(self._duration_seconds) + self._visitor.log,
        )

    def line(self) -> bytes:
        """Return the access line as JSON, newline included."""
        frame = self._frame
        return b'{"@timestamp":"%b%b%b","span_id":"%b%b%b,"duration_seconds":%.6f%b}\n' % (
            timestamp(self._ended_ns()).encode(),
            frame.line_head,
            self.trace_id.hex().encode(),
            self.span_id.hex().encode(),
            frame.line_fields,
            encode_json(self._path),
            self._duration_seconds,
            self._visitor.line,
        )

    def as_span(self) -> SpanRecord:
        """Return the span as a record."""
        span = self._record.span
        frame = self._frame
        finisher = frame.finisher
        status = span.status if span.status is not StatusCode.UNSET else frame.status
        return SpanRecord(
            trace_id=self.trace_id.hex(),
            span_id=self.span_id.hex(),
            parent_span_id=f"{span.parent_span_id:016x}" if span.parent_span_id else "",
            name=frame.span_name,
            kind=span.kind,
            start_ns=span.start_ns,
            end_ns=span.start_ns + self._record.duration_ns,
            service=finisher.service,
            status=status,
            status_message=finisher.clean(span.status_message),
            attributes={
                **frame.attributes,
                "url.path": self._path,
                **self._visitor.attributes(),
                **finisher.attributes(span.attributes),
            },
            events=finisher.events(span),
            links=finisher.links(span),
            resource=finisher.resource,
            scope=span.scope,
        )

    def as_log(self) -> LogRecord:
        """Return the access line as a record."""
        frame = self._frame
        fields = {
            **frame.fields,
            "path": self._path,
            "duration_seconds": self._duration_seconds,
        }
        if self._visitor.client:
            fields["client"] = self._visitor.client
        return LogRecord(
            timestamp_ns=self._ended_ns(),
            severity=frame.severity,
            message=frame.message,
            service=frame.finisher.service,
            logger=ACCESS_LOGGER,
            trace_id=self.trace_id.hex(),
            span_id=self.span_id.hex(),
            attributes=fields,
            resource=frame.finisher.resource,
        )

    def _ended_ns(self) -> int:
        return self._record.span.start_ns + self._record.duration_ns


Span = SpanRecord | AnsweredRequest
Line = LogRecord | AnsweredRequest


def span_record(span: Span) -> SpanRecord:
    """Return any span as a record."""
    return span.as_span() if isinstance(span, AnsweredRequest) else span


def log_record(line: Line) -> LogRecord:
    """Return any log line as a record."""
    return line.as_log() if isinstance(line, AnsweredRequest) else line


def line_of(line: Line) -> bytes:
    """Return any log line as JSON, newline included."""
    return line.line() if isinstance(line, AnsweredRequest) else encode_line(line)
