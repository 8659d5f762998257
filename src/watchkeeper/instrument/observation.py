"""One request under way: what is seen of it between the server and the app."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from opentelemetry.context import Context

from watchkeeper.instrument.routes import route_template
from watchkeeper.instrument.span import NOTHING, UNSET, LiveSpan, mark_trace, type_name
from watchkeeper.instrument.tracing import Tracing, context_of, with_baggage
from watchkeeper.model import SpanKind, StatusCode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLIENT_CLOSED_REQUEST = 499
"""nginx's code for a client that left before it was answered."""

_DISCONNECTS = frozenset(("http.disconnect", "websocket.disconnect"))
_BODIES = frozenset(("http.response.body", "http.response.pathsend", "http.response.zerocopysend"))
"""Messages that carry the body, two of them as extensions of ASGI."""

CLOSE_CODE = "websocket.close_code"
"""The attribute that tells with which code a websocket was closed (RFC 6455), by either side."""

_WANTED = frozenset((b"traceparent", b"tracestate", b"baggage", b"user-agent"))
_GONE: Scope = {}
_SERVER = SpanKind.SERVER
DISCONNECTED = "client_disconnected"
_PARTED = "ClientDisconnect"
"""The name of Starlette's exception that says the same."""
INCOMPLETE = "incomplete_response"


class Observation(LiveSpan):
    """Watches the messages of one request; its span ends, and is queued, once it is answered.

    One object is all of it, and it dies with the request: what a request costs is above all how
    much of memory it touches. What waits for the pump is a RequestRecord.
    """

    __slots__ = (
        "_answered_ns",
        "_asgi",
        "_receive",
        "_root_path",
        "_send",
        "_user_agent",
        "complete",
        "context",
        "disconnected",
        "error",
        "quiet",
        "status_code",
        "websocket",
    )

    def __init__(
        self, tracing: Tracing, asgi: Scope, receive: Receive, send: Send, root_path: str
    ) -> None:
        user_agent = b""
        carried: dict[bytes, bytes] | None = None
        for name, value in asgi["headers"]:
            if name in _WANTED:
                if name == b"user-agent":
                    user_agent = value
                elif carried is None:
                    carried = {name: value}
                else:
                    carried[name] = value
        self.context: Context | None = None
        if carried is None:
            ids, sampler = tracing.ids, tracing.sampler
            trace_id = ids.trace_id()
            sampled = sampler.everything or sampler.root(trace_id)
            LiveSpan.__init__(self, tracing, "", _SERVER, trace_id, ids.span_id(), 0, sampled)
        else:
            self._continue(tracing, carried)
        self.status_code = 0
        self.websocket = asgi["type"] == "websocket"
        self.quiet = self.complete = self.disconnected = False
        self.error: BaseException | None = None
        self._answered_ns = 0
        self._asgi = asgi
        self._receive = receive
        self._root_path = root_path
        self._send = send
        self._user_agent = user_agent
        if not self.sampled:
            tracing.await_end(self)

    def _continue(self, tracing: Tracing, carried: Mapping[bytes, bytes]) -> None:
        """Begin below the caller's span, if the headers name one."""
        texts = {name: value.decode("latin-1") for name, value in carried.items()}
        remote = context_of(texts.get(tracing.parent_header, ""), texts.get(b"tracestate", ""))
        trace_id, parent_span_id, sampled, state = tracing.origin(remote)
        span_id = tracing.ids.span_id()
        LiveSpan.__init__(
            self, tracing, "", _SERVER, trace_id, span_id, parent_span_id, sampled, state
        )
        baggage = texts.get(tracing.baggage_header)
        if baggage:
            self.context = with_baggage(baggage)

    def hush(self) -> None:
        """Leave neither a span nor an access line, nor spans of what lies below."""
        self.quiet = True
        self.sampled = False
        self.undecided = None

    async def watched_receive(self) -> Message:
        """Pass a message on, and notice that the client left."""
        message = await self._receive()
        if message["type"] in _DISCONNECTS:
            if not self.disconnected and "code" in message:
                self.set_attribute(CLOSE_CODE, message["code"])
            self.disconnected = True
        return message

    def watched_send(self, message: Message) -> Awaitable[None]:
        """Pass a message on, and notice the status and the end of the answer."""
        kind = message["type"]
        if kind == "http.response.start":
            # An answer that nobody hears any more is none, whatever it says.
            gone = self.disconnected
            self.status_code = CLIENT_CLOSED_REQUEST if gone else message.get("status", 0)
        elif kind in _BODIES and not message.get("more_body"):
            self.complete = True
            monotonic_ns = self.owner.monotonic_ns
            self._answered_ns = monotonic_ns()
            # A server error's exception is still on its way; background work is not waited for.
            if self.status_code < CLIENT_CLOSED_REQUEST:
                self.finish()
        send = self._send
        return send(message)

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
        send = self._send
        return send(message)

    def failed(self, error: BaseException) -> None:
        """Take the exception that left the app, and finish."""
        # The server logs it after the span's context is gone.
        mark_trace(error, self)
        if not self.end_ns:
            self.error = error
            if isinstance(error, CancelledError) and not self.disconnected:
                self.disconnected = _has_left(self._receive)
            self.finish()

    def end(self, end_time: int | None = None) -> None:
        """Do nothing: the span ends with the answer, whoever else means to end it."""

    def finish(self) -> None:
        """End the span and queue its record, once."""
        if self.end_ns:
            return
        try:
            asgi = self._asgi
            error_type = ""
            worth_a_look = self.status_code >= CLIENT_CLOSED_REQUEST
            if worth_a_look or not self.complete or self.error is not None:
                self.status_code, error_type = self._outcome()
            answered_ns = self._answered_ns or self.owner.monotonic_ns()
            # From here on the span takes nothing more.
            self.end_ns = end_ns = self.start_ns + answered_ns - self._started_ns
            if self.undecided is not None:
                failed = self.status_code >= 500 or self.status is StatusCode.ERROR
                # A websocket is long by nature, not slow.
                duration_ns = 0 if self.websocket else end_ns - self.start_ns
                self.undecided.decide(self, failed=failed, duration_ns=duration_ns)
            client = asgi.get("client")
            on_end = self.owner.on_end
            given = (
                self.attributes is not NOTHING
                or self.status is not UNSET
                or self.events
                or self.links
                or self.state
            )
            on_end(
                (
                    (
                        "GET" if self.websocket else asgi["method"],
                        route_template(asgi, self._root_path),
                        self.status_code,
                        asgi.get("scheme", "http"),
                        error_type,
                        self.websocket,
                    ),
                    (client[0] if client else "", self._user_agent),
                    asgi["path"],
                    self.trace_id,
                    self.span_id,
                    self.parent_span_id,
                    self.start_ns,
                    end_ns,
                    self.sampled,
                    self.quiet,
                    self if given else None,
                )
            )
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
        # Some servers cancel what they cannot answer any more: gunicorn, three seconds later.
        gone = self.disconnected and isinstance(error, CancelledError)
        parted = gone or type(error).__name__ == _PARTED
        unheard = self.disconnected and self.status_code == CLIENT_CLOSED_REQUEST
        if error is not None and not parted and not (self.disconnected and not self.status_code):
            if isinstance(error, Exception):
                self.fail(error)
            return 500 if unheard else self.status_code or 500, type_name(error)
        if unheard:
            return CLIENT_CLOSED_REQUEST, DISCONNECTED
        if self.complete and not parted:
            return self.status_code, str(self.status_code) if self.status_code >= 500 else ""
        if self.disconnected or parted:
            return self.status_code or CLIENT_CLOSED_REQUEST, DISCONNECTED
        return self.status_code or 500, INCOMPLETE


def _has_left(receive: Receive) -> bool:
    """Return whether the server says at once that the client left; does not wait for it."""
    asked: Any = receive()
    try:
        asked.send(None)
    except StopIteration as answer:
        return answer.value["type"] in _DISCONNECTS
    except Exception:  # noqa: BLE001 - whatever a server does when asked once more
        return False
    asked.close()
    return False
