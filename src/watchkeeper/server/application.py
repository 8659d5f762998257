"""The whole server as one ASGI application: every protocol under its prefix, behind the guard."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.server import alertmanager, jaeger, otlp, page, prometheus
from watchkeeper.server.access import Access
from watchkeeper.server.api import Api
from watchkeeper.server.guard import Guard
from watchkeeper.server.logs import Logs
from watchkeeper.server.selfmetrics import SelfMetrics
from watchkeeper.server.tail import Tails
from watchkeeper.server.threads import Threads
from watchkeeper.server.traces import Traces


class Application:
    """Answers every request of one backend.

    Queries, other reads and writes have threads of their own: a slow query holds up neither
    the page nor what comes in.
    """

    def __init__(self, backend: Backend, *, access: Access, clock: Clock) -> None:
        self._queries = Threads("queries", threads=2, waiting=64)
        self._reads = Threads("reads", threads=4, waiting=128)
        self._writes = Threads("writes", threads=4, waiting=64)
        self._tails = Tails()
        backend.listen_to_logs(self._tails.publish)
        metrics = SelfMetrics(backend)
        self._app = Guard(
            self._routed(backend, metrics, clock), access=access, tally=metrics, clock=clock
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def end_streams(self) -> None:
        """End the answers that would never end by themselves."""
        self._tails.close()

    def close(self) -> None:
        """Let go of the threads."""
        for threads in (self._queries, self._reads, self._writes):
            threads.close()

    def _routed(self, backend: Backend, metrics: SelfMetrics, clock: Clock) -> Starlette:
        store, reads = backend.store, self._reads
        return Starlette(
            routes=[
                Route("/healthz", alive),
                Route("/metrics", metrics.answer),
                *otlp.routes(backend.receiver, self._writes),
                *Logs(store.logs, self._tails, reads, clock).routes(),
                *Traces(store.spans, store.logs, reads, clock).routes(),
                *Api(backend, reads, clock).routes(),
                Mount("/prometheus", prometheus.app(backend, self._queries, reads, clock)),
                Mount("/jaeger", jaeger.app(store.spans, reads, clock)),
                Mount("/alertmanager", alertmanager.app(backend, reads, clock)),
                Mount("/", page.Page()),
            ]
        )


async def alive(request: Request) -> Response:
    """Say that the process answers; whether all is well, /api/health knows."""
    return PlainTextResponse("OK\n")
