"""The one pure ASGI middleware: a record a request, everything else deferred."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from opentelemetry import context as open_context
from opentelemetry import trace

from watchkeeper.contract import Contract
from watchkeeper.instrument.background import watch_background_tasks
from watchkeeper.instrument.logging_setup import adopt_server_loggers
from watchkeeper.instrument.metrics_app import METRICS_PATH, MetricsApp
from watchkeeper.instrument.observation import Observation, Receive, Scope, Send
from watchkeeper.instrument.settings import LOG_OFF, Settings
from watchkeeper.instrument.telemetry import Telemetry

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
App = TypeVar("App")

_WATCHED_BY = "__watchkeeper_telemetry__"


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
        try:
            observation = Observation(self.telemetry, scope, receive, send)
            # FastAPI would trace the request a second time.
            scope.setdefault("fastapi.telemetry", None)
        except Exception as error:  # noqa: BLE001 - never break the host
            self.telemetry.faults.note("middleware", error)
            await self.app(scope, receive, send)
            return
        token = open_context.attach(
            trace.set_span_in_context(observation.span, observation.context)
        )
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
        if not self.telemetry.settings.disabled and self.telemetry.settings.log != LOG_OFF:
            adopt_server_loggers()
        try:
            await self.app(scope, receive, send)
        finally:
            if not was_started:
                await asyncio.to_thread(self.telemetry.stop)


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
    middleware = RequestMiddleware(partial(original.__call__, app), telemetry)

    async def watched(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
        await middleware(scope, receive, send)

    members = {
        "__call__": watched,
        "__doc__": original.__doc__,
        "__module__": original.__module__,
        _WATCHED_BY: telemetry,
    }
    app.__class__ = type(original.__name__, (original,), members)
    return telemetry
