"""A request that was answered, on its way out: a span over OTLP, an access line over OTLP and
as JSON.

What requests of one kind have in common is encoded once, and so is what is known of a visitor.
Left for each request are its times, its ids and its path. A request whose span was given more by
the service becomes an ordinary SpanRecord instead.
"""

from __future__ import annotations

from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.log_line import encode_fields, encode_json, timestamp
from watchkeeper.instrument.records import RequestSpan
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
        self.span = self.log = b""
        self.line = ""
        if client:
            self.span = _span_client(client)
            self.log = _log_client(client)
            self.line = "," + encode_fields({"client": client})
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
        self.line_head = f'",{encode_fields(known)},"trace_id":"'
        self.line_fields = f'",{encode_fields(fields)},"path":'


class AnsweredRequest:
    """One request: `frame` and `visitor` with its own path (clean), ids and times.

    Stands in for its SpanRecord and its LogRecord; `as_span` and `as_log` make these.
    """

    __slots__ = (
        "_duration_seconds",
        "_frame",
        "_path",
        "_request",
        "_span_id",
        "_visitor",
        "trace_id",
    )

    def __init__(self, request: RequestSpan, frame: Frame, visitor: Visitor, path: str) -> None:
        self._request = request
        self._frame = frame
        self._visitor = visitor
        self._path = path
        self._duration_seconds = (request.end_ns - request.start_ns + 500) // 1_000 / 1e6
        self.trace_id = request.trace_id.to_bytes(16, "big")
        self._span_id = request.span_id.to_bytes(8, "big")

    def span_message(self) -> bytes:
        """Return OTLP's Span message."""
        request = self._request
        parent = request.parent_span_id
        return self._frame.span.encode(
            self.trace_id,
            self._span_id,
            parent.to_bytes(8, "big") if parent else b"",
            request.start_ns,
            request.end_ns,
            _span_path(self._path) + self._visitor.span,
        )

    def log_message(self) -> bytes:
        """Return OTLP's LogRecord message."""
        return self._frame.log.encode(
            self._request.end_ns,
            self.trace_id,
            self._span_id,
            _log_path(self._path) + _log_duration(self._duration_seconds) + self._visitor.log,
        )

    def line(self) -> bytes:
        """Return the access line as JSON, newline included."""
        frame = self._frame
        return (
            f'{{"@timestamp":"{timestamp(self._request.end_ns)}{frame.line_head}'
            f'{self.trace_id.hex()}","span_id":"{self._span_id.hex()}{frame.line_fields}'
            f'{encode_json(self._path).decode()},"duration_seconds":{self._duration_seconds:.6f}'
            f"{self._visitor.line}}}\n"
        ).encode()

    def as_span(self) -> SpanRecord:
        """Return the span as a record."""
        request = self._request
        frame = self._frame
        finisher = frame.finisher
        status = request.status if request.status is not StatusCode.UNSET else frame.status
        return SpanRecord(
            trace_id=self.trace_id.hex(),
            span_id=self._span_id.hex(),
            parent_span_id=f"{request.parent_span_id:016x}" if request.parent_span_id else "",
            name=frame.span_name,
            kind=request.kind,
            start_ns=request.start_ns,
            end_ns=request.end_ns,
            service=finisher.service,
            status=status,
            status_message=finisher.clean(request.status_message),
            attributes=finisher.cut(
                {
                    **frame.attributes,
                    "url.path": self._path,
                    **self._visitor.attributes(),
                    **finisher.attributes(request.attributes),
                }
            ),
            events=finisher.events(request),
            links=finisher.links(request),
            resource=finisher.resource,
            scope=request.scope,
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
            timestamp_ns=self._request.end_ns,
            severity=frame.severity,
            message=frame.message,
            service=frame.finisher.service,
            logger=ACCESS_LOGGER,
            trace_id=self.trace_id.hex(),
            span_id=self._span_id.hex(),
            attributes=fields,
            resource=frame.finisher.resource,
        )
