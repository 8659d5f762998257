"""The one pure ASGI middleware: a record a request, everything else deferred."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from watchkeeper.contract import Contract
from watchkeeper.instrument.background import watch_background_tasks
from watchkeeper.instrument.current import enter, leave
from watchkeeper.instrument.logging_setup import adopt_server_loggers
from watchkeeper.instrument.metrics_app import METRICS_PATH, MetricsApp
from watchkeeper.instrument.observation import Message, Observation, Receive, Scope, Send
from watchkeeper.instrument.settings import LOG_OFF, Settings
from watchkeeper.instrument.telemetry import Telemetry

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
App = TypeVar("App")
Call = Callable[[Any, Scope, Receive, Send], Awaitable[None]]
"""An app's `__call__` as its class has it, with the app first."""

_SHUT_DOWN = ("lifespan.shutdown.complete", "lifespan.shutdown.failed")
_WATCHED_BY = "__watchkeeper_telemetry__"


class RequestMiddleware:
    """Wraps an ASGI app: watches requests and websockets, answers GET /metrics.

    The telemetry starts with the app's lifespan, or at the first request, and stops with the
    lifespan.
    """

    def __init__(self, app: Application, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry
        if not telemetry.settings.disabled:
            # As `instrument` does: a call less for every request.
            self.__class__ = _watching(RequestMiddleware, telemetry, _call)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def watched(telemetry: Telemetry, call: Call) -> Call:
    """Return `call`, watched by `telemetry`.

    A function over its own variables, not an object: every request goes through it.
    """
    metrics = MetricsApp(telemetry)
    tracing = telemetry.tracing
    quiet = frozenset(telemetry.settings.quiet_paths)

    async def watched_call(app: Any, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await _lifespan(telemetry, call, app, scope, receive, send)
            return
        if not telemetry.started:
            _start_late(telemetry)
        path, root_path = scope["path"], scope.get("root_path", "")
        if root_path:
            path = path.removeprefix(root_path)
        if path == METRICS_PATH and kind == "http":
            await metrics(scope, receive, send)
            return
        try:
            observation = Observation(tracing, scope, receive, send, root_path)
            if path in quiet:
                observation.hush()
            # FastAPI would trace the request a second time.
            scope.setdefault("fastapi.telemetry", None)
        except Exception as error:  # noqa: BLE001 - never break the host
            telemetry.faults.note("middleware", error)
            await call(app, scope, receive, send)
            return
        token = enter(observation, observation.context)
        try:
            await call(
                app,
                scope,
                observation.watched_receive,
                observation.watched_send if kind == "http" else observation.watched_websocket_send,
            )
        except BaseException as error:
            observation.failed(error)
            raise
        finally:
            leave(token)
            if not observation.end_ns:
                observation.finish()

    return watched_call


def instrument(
    app: App, telemetry: Telemetry | Contract, settings: Settings | None = None
) -> Telemetry:
    """Watch a FastAPI or Starlette app: every request, and GET /metrics.

    Given a contract, makes its Telemetry with `settings` (default: the environment's). Starts
    with the app's lifespan, or at its first request, and stops with it.

    An app that is watched already stays as it is. A plain ASGI function cannot be changed: wrap
    it in RequestMiddleware.

    The app becomes an instance of a subclass whose `__call__` is the middleware: the one place
    that lies outside of the app's own error handling and of FastAPI's own telemetry.
    """
    original: Any = type(app)
    watching: Telemetry | None = getattr(original, _WATCHED_BY, None)
    if watching is not None:
        return watching
    if isinstance(telemetry, Contract):
        telemetry = Telemetry(telemetry, settings or Settings.from_environment())
    watch_background_tasks()
    app.__class__ = _watching(original, telemetry, original.__call__)
    return telemetry


def _watching(original: type, telemetry: Telemetry, call: Call) -> Any:
    """Return a subclass of `original` whose calls are watched, unless that is disabled."""
    members = {
        "__call__": call if telemetry.settings.disabled else watched(telemetry, call),
        "__doc__": original.__doc__,
        "__module__": original.__module__,
        _WATCHED_BY: telemetry,
    }
    return type(original.__name__, (original,), members)


def _start_late(telemetry: Telemetry) -> None:
    """Start without a lifespan, which the server leaves out."""
    telemetry.start()
    if not telemetry.settings.disabled and telemetry.settings.log != LOG_OFF:
        adopt_server_loggers()


async def _lifespan(
    telemetry: Telemetry, call: Call, app: Any, scope: Scope, receive: Receive, send: Send
) -> None:
    was_started = telemetry.started
    telemetry.start()
    telemetry.watch_event_loop()
    give_back = adopt_server_loggers() if telemetry.settings.log != LOG_OFF else None

    async def stop() -> None:
        if not was_started:
            await asyncio.to_thread(telemetry.stop)
            if give_back is not None:
                give_back()

    async def watched_send(message: Message) -> None:
        # A server ends its process as soon as it hears that all is done.
        if message["type"] in _SHUT_DOWN:
            await stop()
        await send(message)

    try:
        await call(app, scope, receive, watched_send)
    finally:
        await stop()


def _call(
    middleware: RequestMiddleware, scope: Scope, receive: Receive, send: Send
) -> Awaitable[None]:
    return middleware.app(scope, receive, send)
