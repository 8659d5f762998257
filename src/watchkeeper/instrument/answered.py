"""A request that was answered, on its way out: a span over OTLP, an access line over OTLP and
as JSON.

Every request goes through here three times over, so nothing is made of it but these bytes. What
requests of one kind have in common is encoded once, and so is what is known of a visitor. Left for
each request are its times, its ids and its path. A request whose span was given more by the
service becomes an ordinary SpanRecord instead.
"""

from __future__ import annotations

from dataclasses import replace

from orjson import dumps

from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.leaving import Leaving
from watchkeeper.instrument.log_line import (
    encode_fields,
    encode_json,
    known_fields,
    timestamp,
)
from watchkeeper.instrument.records import RequestRecord
from watchkeeper.instrument.span import SCOPE, UNSET
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
    NO_PARENT,
    LogTemplate,
    SpanTemplate,
    log_text,
    remote_parent,
    span_text,
)

ACCESS_LOGGER = "watchkeeper.access"

_DURATION = b',"duration_seconds":'

_span_client = span_text("client.address")
_span_user_agent = span_text("user_agent.original")
_log_client = log_text("client")


class Visitor:
    """Who asked: clean address and user agent, '' if not known, and both as they leave: `root` with
    a span that has no parent."""

    __slots__ = ("client", "line", "log", "root", "span", "user_agent")

    def __init__(self, client: str, user_agent: str) -> None:
        self.client = client
        self.user_agent = user_agent
        self.span = self.log = b""
        self.line = b"}\n"
        if client:
            self.span = _span_client(client)
            self.log = _log_client(client)
            self.line = f",{encode_fields({'client': client})}}}\n".encode()
        if user_agent:
            self.span += _span_user_agent(user_agent)
        self.root = self.span + NO_PARENT

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
        self.span = SpanTemplate(span_name, SpanKind.SERVER, status, attributes, "url.path")
        self.log = LogTemplate(severity, self.message, fields, "path", "duration_seconds")
        known = known_fields(
            severity, ACCESS_LOGGER, self.message, finisher.service, finisher.resource
        )
        self.line_head = f'",{encode_fields(known)},"trace_id":"'
        self.line_fields = f'",{encode_fields(fields)},"path":'

    def leave(
        self,
        record: RequestRecord,
        path: str,
        text: bytes,
        visitor: Visitor,
        leaving: Leaving,
        *,
        span: bool,
    ) -> None:
        """Let a request's access line leave in every form that is wanted, and its `span`.

        `path` is clean, and `text` is its UTF-8.
        """
        _, _, _, trace, own, parent, start_ns, end_ns, _, _, _ = record
        seconds = _seconds(start_ns, end_ns)
        trace_id = trace.to_bytes(16, "big")
        span_id = own.to_bytes(8, "big")
        if leaving.wants_lines:
            head = (
                f'{{"@timestamp":"{timestamp(end_ns)}{self.line_head}{trace_id.hex()}'
                f'","span_id":"{span_id.hex()}{self.line_fields}'
            )
            parts = (head.encode(), encode_json(path), _DURATION, dumps(seconds), visitor.line)
            leaving.lines.append(b"".join(parts))
        if leaving.wants_logs:
            log = self.log.encode(end_ns, trace_id, span_id, span, seconds, text, visitor.log)
            leaving.logs[ACCESS_LOGGER].append(log)
        if span and leaving.wants_spans:
            rest = visitor.span + remote_parent(parent) if parent else visitor.root
            message = self.span.encode(trace_id, span_id, start_ns, end_ns, text, rest)
            leaving.spans[SCOPE].append(message)

    def as_span(self, record: RequestRecord, path: str, visitor: Visitor) -> SpanRecord:
        """Return the span as a record, with what the service gave it."""
        _, _, _, trace, own, parent, start_ns, end_ns, _, _, span = record
        finisher = self.finisher
        attributes = {**self.attributes, "url.path": path, **visitor.attributes()}
        made = SpanRecord(
            trace_id=f"{trace:032x}",
            span_id=f"{own:016x}",
            parent_span_id=f"{parent:016x}" if parent else "",
            name=self.span_name,
            kind=SpanKind.SERVER,
            start_ns=start_ns,
            end_ns=end_ns,
            service=finisher.service,
            status=self.status,
            attributes=finisher.cut(attributes),
            resource=finisher.resource,
            scope=SCOPE,
            remote_parent=bool(parent),
        )
        if span is None:
            return made
        return replace(
            made,
            status=self.status if span.status is UNSET else span.status,
            status_message=finisher.clean(span.status_message),
            attributes=finisher.cut({**attributes, **finisher.attributes(span.attributes)}),
            events=finisher.events(span),
            links=finisher.links(span),
            dropped=span.dropped,
            trace_state=finisher.state(span.state),
        )

    def as_log(self, record: RequestRecord, path: str, visitor: Visitor) -> LogRecord:
        """Return the access line as a record."""
        _, _, _, trace, own, _, start_ns, end_ns, sampled, _, _ = record
        fields = {**self.fields, "path": path, "duration_seconds": _seconds(start_ns, end_ns)}
        if visitor.client:
            fields["client"] = visitor.client
        return LogRecord(
            timestamp_ns=end_ns,
            severity=self.severity,
            message=self.message,
            service=self.finisher.service,
            logger=ACCESS_LOGGER,
            trace_id=f"{trace:032x}",
            span_id=f"{own:016x}",
            attributes=fields,
            resource=self.finisher.resource,
            sampled=sampled,
        )


def _seconds(start_ns: int, end_ns: int) -> float:
    """Return how long a request took, to the microsecond."""
    return (end_ns - start_ns + 500) // 1_000 / 1e6
