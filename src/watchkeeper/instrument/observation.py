"""One request under way: what is seen of it between the server and the app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry.context import Context

from watchkeeper.instrument.records import RequestRecord
from watchkeeper.instrument.routes import route_template
from watchkeeper.instrument.span import LiveSpan, mark_trace, type_name
from watchkeeper.instrument.tail import Undecided
from watchkeeper.instrument.telemetry import Telemetry
from watchkeeper.instrument.tracing import context_of, with_baggage
from watchkeeper.model import SpanKind, StatusCode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLIENT_CLOSED_REQUEST = 499
"""nginx's code for a client that left before it was answered."""

_BODIES = frozenset(("http.response.body", "http.response.pathsend", "http.response.zerocopysend"))
"""Messages that carry the body, two of them as extensions of ASGI."""

DISCONNECTED = "client_disconnected"
INCOMPLETE = "incomplete_response"


class Observation:
    """Watches the messages of one request, and queues its record once it is answered."""

    __slots__ = (
        "_receive",
        "_scope",
        "_send",
        "_telemetry",
        "complete",
        "context",
        "disconnected",
        "ended_ns",
        "error",
        "finished",
        "quiet",
        "root_path",
        "span",
        "started_ns",
        "status",
        "user_agent",
    )

    def __init__(self, telemetry: Telemetry, scope: Scope, receive: Receive, send: Send) -> None:
        self._telemetry = telemetry
        self._scope = scope
        self._receive = receive
        self._send = send
        self.root_path = scope.get("root_path", "")
        path = scope["path"].removeprefix(self.root_path)
        self.quiet = path in telemetry.settings.quiet_paths
        self.status = 0
        self.complete = False
        self.disconnected = False
        self.finished = False
        self.error: BaseException | None = None
        self.ended_ns = 0
        self.user_agent = ""
        self.context: Context | None = None
        self.span = self._begin()
        self.started_ns = telemetry.clock.monotonic_ns()

    def _begin(self) -> LiveSpan:
        parent = state = baggage = b""
        for name, value in self._scope["headers"]:
            if name == b"traceparent":
                parent = value
            elif name == b"tracestate":
                state = value
            elif name == b"baggage":
                baggage = value
            elif name == b"user-agent":
                self.user_agent = value.decode("latin-1")
        if baggage:
            self.context = with_baggage(baggage.decode("latin-1"))
        context = context_of(parent.decode("latin-1"), state.decode("latin-1")) if parent else None
        method = self._scope.get("method", "WEBSOCKET")
        return self._telemetry.tracing.begin(method, SpanKind.SERVER, context, quiet=self.quiet)

    async def watched_receive(self) -> Message:
        """Pass a message on, and notice that the client left."""
        message = await self._receive()
        if message["type"] in ("http.disconnect", "websocket.disconnect"):
            self.disconnected = True
        return message

    def watched_send(self, message: Message) -> Awaitable[None]:
        """Pass a message on, and notice the status and the end of the answer."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message.get("status", 0)
        elif kind in _BODIES and not message.get("more_body"):
            self.complete = True
            self.ended_ns = self._telemetry.clock.monotonic_ns()
            # A server error's exception is still on its way; background work is not waited for.
            if self.status < 500:
                self.finish()
        return self._send(message)

    def watched_websocket_send(self, message: Message) -> Awaitable[None]:
        """Pass a message on, and notice whether the connection was accepted."""
        kind = message["type"]
        if kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.http.response.start":
            self.status = message.get("status", 0)
        elif kind == "websocket.close" and not self.status:
            self.status = 403
        return self._send(message)

    def failed(self, error: BaseException) -> None:
        """Take the exception that left the app."""
        self.error = error
        # The server logs it after the span's context is gone.
        mark_trace(error, self.span.trace_id, self.span.span_id)

    def finish(self) -> None:
        """Queue the record, once."""
        if self.finished:
            return
        self.finished = True
        try:
            record = self._record()
            # From here on the span takes nothing more: the pump reads it.
            self.span.end_ns = self.span.start_ns + record.duration_ns
            if self.span.undecided is not None:
                self._decide(self.span.undecided, record)
            self._telemetry.put(record)
        except Exception as error:  # noqa: BLE001 - never break the host
            self._telemetry.faults.note("middleware", error)

    def _decide(self, undecided: Undecided, record: RequestRecord) -> None:
        """Let the end of the request decide whether its trace is kept."""
        failed = record.status >= 500 or self.span.status is StatusCode.ERROR
        # A websocket is long by nature, not slow.
        duration_ns = 0 if record.websocket else record.duration_ns
        undecided.decide(self.span, failed=failed, duration_ns=duration_ns)

    def _record(self) -> RequestRecord:
        scope = self._scope
        websocket = scope["type"] == "websocket"
        ended_ns = self.ended_ns or self._telemetry.clock.monotonic_ns()
        client = scope.get("client")
        return RequestRecord(
            self.span,
            ended_ns - self.started_ns,
            scope.get("method", "GET"),
            route_template(scope, self.root_path),
            scope["path"],
            scope.get("scheme", "http"),
            client[0] if client else "",
            self.user_agent,
            *self._outcome(websocket),
            websocket,
            self.quiet,
        )

    def _outcome(self, websocket: bool) -> tuple[int, str]:
        """Return the status and the type of the error, if there was one."""
        error = self.error
        if websocket:
            failed = error is not None and not self.disconnected
            name = type_name(error) if error is not None and failed else ""
            return self.status or (500 if failed else 403), name
        if error is not None and not (self.disconnected and not self.status):
            if isinstance(error, Exception):
                self.span.fail(error)
            return self.status or 500, type_name(error)
        if self.complete:
            return self.status, str(self.status) if self.status >= 500 else ""
        if self.disconnected:
            return self.status or CLIENT_CLOSED_REQUEST, DISCONNECTED
        return self.status or 500, INCOMPLETE
