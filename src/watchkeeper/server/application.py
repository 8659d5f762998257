"""The whole server as one ASGI application: every protocol under its prefix, behind the guard."""

from __future__ import annotations

from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.server import alertmanager, bulk, jaeger, otlp, prometheus, remote_write
from watchkeeper.server.access import Access
from watchkeeper.server.answers import Refusal, answering, error_answer
from watchkeeper.server.api import Api
from watchkeeper.server.backup import Backups
from watchkeeper.server.dashboards import Dashboards
from watchkeeper.server.guard import Guard
from watchkeeper.server.intake import Intake
from watchkeeper.server.logs import Logs
from watchkeeper.server.own_metrics import OwnMetrics, RequestCounts
from watchkeeper.server.page import Page
from watchkeeper.server.tail import Tails
from watchkeeper.server.threads import Threads
from watchkeeper.server.traces import Traces


class Application:
    """Answers every request of one backend.

    Queries, other reads and writes have threads of their own: a slow query holds up neither
    the page nor what comes in.
    """

    def __init__(self, backend: Backend, *, access: Access, clock: Clock) -> None:
        self.backend = backend
        self.access = access
        self.clock = clock
        self._queries = Threads("queries", threads=2, waiting=64)
        self._reads = Threads("reads", threads=4, waiting=128)
        self._writes = Threads("writes", threads=4, waiting=64)
        self.intake = Intake(self._writes, backend.quotas)
        self._tails = Tails(backend.logs)
        self.requests = RequestCounts()
        routed = Starlette(routes=[*self._protocols(), *self._own(), Mount("/", Page())])
        self._app = Guard(routed, access=access, tally=self.requests, clock=clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def end_streams(self) -> None:
        """End the answers that would never end by themselves."""
        self._tails.close()

    def close(self) -> None:
        """Let go of the threads."""
        for threads in (self._queries, self._reads, self._writes):
            threads.close()

    def _own(self) -> list[BaseRoute]:
        """Return what the page and the operator ask."""
        backend, store, reads, clock = self.backend, self.backend.store, self._reads, self.clock
        dashboards = Dashboards(backend.places.dashboards)
        answer = answering(error_answer)
        return [
            Route("/healthz", alive),
            Route("/metrics", answer(OwnMetrics(backend, self.requests).answer)),
            Route("/-/reload", answer(self._reload), methods=["POST"]),
            Route("/graph", explore),
            *Backups(store, backend.places.data, self._writes).routes(),
            *Logs(store.logs, self._tails, reads, clock).routes(),
            *Traces(store.spans, store.logs, reads, clock).routes(),
            *Api(backend, dashboards, reads, clock).routes(),
            Route("/api/{path:path}", answer(absent)),
        ]

    def _protocols(self) -> list[BaseRoute]:
        """Return what others' clients speak."""
        backend, reads, clock = self.backend, self._reads, self.clock
        spans = backend.store.spans
        return [
            *otlp.routes(backend.receiver, self.intake),
            *bulk.routes(backend.bulk, self.intake, clock),
            *remote_write.routes(backend.remote_write, self.intake),
            Mount("/prometheus", prometheus.app(backend, self._queries, reads, clock)),
            Mount("/jaeger", jaeger.app(spans, reads, clock)),
            Mount("/alertmanager", alertmanager.app(backend, reads, clock)),
        ]

    async def _reload(self, request: Request) -> Response:
        await self.backend.reload()
        return PlainTextResponse("reloaded\n")


async def alive(request: Request) -> Response:
    """Say that the process answers; whether all is well, /api/health knows."""
    return PlainTextResponse("OK\n")


async def explore(request: Request) -> Response:
    """Lead from Prometheus' address of an expression, which alerts carry, to the page's own."""
    expression = request.query_params.get("g0.expr", "")
    return RedirectResponse(f"/#/explore?expr={quote(expression, safe='')}", 302)


async def absent(request: Request) -> Response:
    """Answer an address under /api that means nothing, so that it is not taken for the page."""
    raise Refusal(404, "no_such_endpoint", f"{request.url.path} is not part of this API")
