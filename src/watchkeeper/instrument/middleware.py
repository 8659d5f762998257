"""The one pure ASGI middleware: a record a request, everything else deferred."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from opentelemetry import context as open_context
from opentelemetry import trace

from watchkeeper.contract import Contract
from watchkeeper.instrument.logging_setup import adopt_server_loggers
from watchkeeper.instrument.metrics_app import METRICS_PATH, MetricsApp
from watchkeeper.instrument.records import RequestRecord
from watchkeeper.instrument.routes import route_template
from watchkeeper.instrument.settings import Settings
from watchkeeper.instrument.span import LiveSpan, mark_trace, type_name
from watchkeeper.instrument.telemetry import Telemetry
from watchkeeper.instrument.tracing import context_of
from watchkeeper.model import SpanKind

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
App = TypeVar("App")

CLIENT_CLOSED_REQUEST = 499
"""nginx's code for a client that left before it was answered."""

DISCONNECTED = "client_disconnected"
INCOMPLETE = "incomplete_response"


class RequestMiddleware:
    """Wraps an ASGI app: watches requests and websockets, answers GET /metrics.

    The telemetry starts with the app's lifespan, or at the first request, and stops with the
    lifespan.
    """

    def __init__(self, app: Application, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry
        self._metrics = MetricsApp(telemetry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if self.telemetry.settings.disabled:
            await self.app(scope, receive, send)
            return
        if not self.telemetry.started:
            self.telemetry.start()
        path = scope["path"]
        if path.removeprefix(scope.get("root_path", "")) == METRICS_PATH and kind == "http":
            await self._metrics(scope, receive, send)
            return
        observation = _Observation(self.telemetry, scope, receive, send)
        # FastAPI would trace the request a second time.
        scope.setdefault("fastapi.telemetry", None)
        token = open_context.attach(trace.set_span_in_context(observation.span))
        try:
            await self.app(
                scope,
                observation.watched_receive,
                observation.watched_send if kind == "http" else observation.watched_websocket_send,
            )
        except BaseException as error:
            observation.failed(error)
            raise
        finally:
            open_context.detach(token)
            observation.finish()

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        was_started = self.telemetry.started
        self.telemetry.start()
        self.telemetry.watch_event_loop()
        adopt_server_loggers()
        try:
            await self.app(scope, receive, send)
        finally:
            if not was_started:
                await asyncio.to_thread(self.telemetry.stop)


class _Observation:
    """One request under way."""

    __slots__ = (
        "_receive",
        "_scope",
        "_send",
        "_telemetry",
        "complete",
        "disconnected",
        "ended_ns",
        "error",
        "finished",
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
        self.status = 0
        self.complete = False
        self.disconnected = False
        self.finished = False
        self.error: BaseException | None = None
        self.ended_ns = 0
        self.user_agent = ""
        self.span = self._begin()
        self.started_ns = telemetry.clock.monotonic_ns()

    def _begin(self) -> LiveSpan:
        parent = state = b""
        for name, value in self._scope["headers"]:
            if name == b"traceparent":
                parent = value
            elif name == b"tracestate":
                state = value
            elif name == b"user-agent":
                self.user_agent = value.decode("latin-1")
        context = context_of(parent.decode("latin-1"), state.decode("latin-1")) if parent else None
        method = self._scope.get("method", "WEBSOCKET")
        return self._telemetry.tracing.begin(method, SpanKind.SERVER, context)

    async def watched_receive(self) -> Message:
        message = await self._receive()
        if message["type"] in ("http.disconnect", "websocket.disconnect"):
            self.disconnected = True
        return message

    def watched_send(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
        elif kind == "http.response.body" and not message.get("more_body"):
            self.complete = True
            self.ended_ns = self._telemetry.clock.monotonic_ns()
            # A server error's exception is still on its way; background work is not waited for.
            if self.status < 500:
                self.finish()
        return self._send(message)

    def watched_websocket_send(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.http.response.start":
            self.status = message["status"]
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
            self._telemetry.put(self._record())
        except Exception as error:  # noqa: BLE001 - never break the host
            self._telemetry.faults.note("middleware", error)

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
        )

    def _outcome(self, websocket: bool) -> tuple[int, str]:
        """Return the status and the type of the error, if there was one."""
        error = self.error
        if websocket:
            failed = error is not None and not self.disconnected
            return (self.status or (500 if failed else 403)), type_name(error) if (
                failed and error is not None
            ) else ""
        if error is not None and not (self.disconnected and not self.status):
            if isinstance(error, Exception):
                self.span.fail(error)
            return self.status or 500, type_name(error)
        if self.complete:
            return self.status, str(self.status) if self.status >= 500 else ""
        if self.disconnected:
            return self.status or CLIENT_CLOSED_REQUEST, DISCONNECTED
        return self.status or 500, INCOMPLETE


def instrument(
    app: App, telemetry: Telemetry | Contract, settings: Settings | None = None
) -> Telemetry:
    """Watch a FastAPI or Starlette app: every request, and GET /metrics.

    Given a contract, makes its Telemetry with `settings` (default: the environment's). Starts
    with the app's lifespan, or at its first request, and stops with it.

    The app becomes an instance of a subclass whose `__call__` is the middleware: the one place
    that lies outside of the app's own error handling and of FastAPI's own telemetry.
    """
    if isinstance(telemetry, Contract):
        telemetry = Telemetry(telemetry, settings or Settings.from_environment())
    original: Any = type(app)

    async def unwatched(scope: Scope, receive: Receive, send: Send) -> None:
        await original.__call__(app, scope, receive, send)

    middleware = RequestMiddleware(unwatched, telemetry)

    async def watched(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        await middleware(scope, receive, send)

    watched_class = type(
        original.__name__,
        (original,),
        {"__call__": watched, "__module__": original.__module__, "__doc__": original.__doc__},
    )
    app.__class__ = watched_class
    return telemetry
