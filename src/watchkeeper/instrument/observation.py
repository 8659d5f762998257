"""One request under way: what is seen of it between the server and the app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from watchkeeper.instrument.records import RequestSpan
from watchkeeper.instrument.routes import route_template
from watchkeeper.instrument.span import mark_trace, type_name
from watchkeeper.instrument.tracing import Tracing, context_of, with_baggage
from watchkeeper.model import SpanKind, StatusCode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLIENT_CLOSED_REQUEST = 499
"""nginx's code for a client that left before it was answered."""

_BODIES = frozenset(("http.response.body", "http.response.pathsend", "http.response.zerocopysend"))
"""Messages that carry the body, two of them as extensions of ASGI."""

CLOSE_CODE = "websocket.close_code"
"""The attribute that tells with which code a websocket was closed (RFC 6455), by either side."""

_GONE: Scope = {}
_SERVER = SpanKind.SERVER
DISCONNECTED = "client_disconnected"
INCOMPLETE = "incomplete_response"


class Observation(RequestSpan):
    """Watches the messages of one request; its span ends, and is queued, once it is answered.

    One object is all of it: what a request costs is above all how much of memory it touches.
    """

    __slots__ = (
        "_answered_ns",
        "_asgi",
        "_receive",
        "_root_path",
        "_send",
        "complete",
        "context",
        "disconnected",
        "error",
    )

    def __init__(
        self, tracing: Tracing, asgi: Scope, receive: Receive, send: Send, root_path: str
    ) -> None:
        headers = dict(asgi["headers"])
        parent = headers.get(tracing.parent_header)
        remote = None
        if parent is not None:
            state = headers.get(b"tracestate", b"")
            remote = context_of(parent.decode("latin-1"), state.decode("latin-1"))
        trace_id, parent_span_id, sampled, trace_state = tracing.origin(remote)
        super().__init__(
            tracing,
            "",
            _SERVER,
            trace_id,
            tracing.ids.span_id(),
            parent_span_id=parent_span_id,
            sampled=sampled,
            state=trace_state,
        )
        baggage = headers.get(tracing.baggage_header)
        self.context = with_baggage(baggage.decode("latin-1")) if baggage else None
        self.user_agent = headers.get(b"user-agent", b"")
        self.status_code = 0
        self.error_type = ""
        self.quiet = self.complete = self.disconnected = False
        self.error: BaseException | None = None
        self._answered_ns = 0
        self._asgi = asgi
        self._receive = receive
        self._send = send
        self._root_path = root_path
        if not sampled:
            tracing.await_end(self)

    def hush(self) -> None:
        """Leave neither a span nor an access line, nor spans of what lies below."""
        self.quiet = True
        self.sampled = False
        self.undecided = None

    async def watched_receive(self) -> Message:
        """Pass a message on, and notice that the client left."""
        message = await self._receive()
        if message["type"] in ("http.disconnect", "websocket.disconnect"):
            if not self.disconnected and "code" in message:
                self.set_attribute(CLOSE_CODE, message["code"])
            self.disconnected = True
        return message

    def watched_send(self, message: Message) -> Awaitable[None]:
        """Pass a message on, and notice the status and the end of the answer."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status_code = message.get("status", 0)
        elif kind in _BODIES and not message.get("more_body"):
            self.complete = True
            self._answered_ns = self.owner.clock.monotonic_ns()
            # A server error's exception is still on its way; background work is not waited for.
            if self.status_code < 500:
                self.finish()
        return self._send(message)

    def watched_websocket_send(self, message: Message) -> Awaitable[None]:
        """Pass a message on, and notice whether the connection was accepted, and who closed it."""
        kind = message["type"]
        if kind == "websocket.accept":
            self.status_code = 101
        elif kind == "websocket.http.response.start":
            self.status_code = message.get("status", 0)
        elif kind == "websocket.close":
            if self.status_code:
                self.set_attribute(CLOSE_CODE, message.get("code", 1000))
            else:
                self.status_code = 403
        return self._send(message)

    def failed(self, error: BaseException) -> None:
        """Take the exception that left the app, and finish."""
        # The server logs it after the span's context is gone.
        mark_trace(error, self.trace_id, self.span_id)
        if not self.end_ns:
            self.error = error
            self.finish()

    def end(self, end_time: int | None = None) -> None:
        """Do nothing: the span ends with the answer, whoever else means to end it."""

    def finish(self) -> None:
        """End the span and queue it, once."""
        if self.end_ns:
            return
        try:
            asgi = self._asgi
            self.websocket = websocket = asgi["type"] == "websocket"
            self.method = "GET" if websocket else asgi["method"]
            self.template = route_template(asgi, self._root_path)
            self.path = asgi["path"]
            self.scheme = asgi.get("scheme", "http")
            client = asgi.get("client")
            self.client = client[0] if client else ""
            if not self.complete or self.error is not None or self.status_code >= 500:
                self.status_code, self.error_type = self._outcome()
            answered_ns = self._answered_ns or self.owner.clock.monotonic_ns()
            # From here on the span takes nothing more: the pump reads it.
            self.end_ns = self.start_ns + answered_ns - self._started_ns
            if self.undecided is not None:
                failed = self.status_code >= 500 or self.status is StatusCode.ERROR
                # A websocket is long by nature, not slow.
                duration_ns = 0 if self.websocket else self.end_ns - self.start_ns
                self.undecided.decide(self, failed=failed, duration_ns=duration_ns)
            self.owner.on_end(self)
        except Exception as error:  # noqa: BLE001 - never break the host
            self.end_ns = self.end_ns or self.start_ns
            self.owner.fault("middleware", error)
        # Others may keep the span, and shall not keep the request with it.
        self._asgi = _GONE
        self.error = None

    def _outcome(self) -> tuple[int, str]:
        """Return the status and the type of the error, if there was one."""
        error = self.error
        if self.websocket:
            if error is None or self.disconnected:
                return self.status_code or 403, ""
            if isinstance(error, Exception):
                self.fail(error)
            return self.status_code or 500, type_name(error)
        if error is not None and not (self.disconnected and not self.status_code):
            if isinstance(error, Exception):
                self.fail(error)
            return self.status_code or 500, type_name(error)
        if self.complete:
            return self.status_code, str(self.status_code) if self.status_code >= 500 else ""
        if self.disconnected:
            return self.status_code or CLIENT_CLOSED_REQUEST, DISCONNECTED
        return self.status_code or 500, INCOMPLETE
