"""Prometheus' HTTP API under /prometheus: what Grafana, promtool and the page ask.

Source: prometheus.io, "HTTP API", and prometheus/prometheus, web/api/v1/api.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.promql import Engine, Result, encode
from watchkeeper.promql import format as format_expression
from watchkeeper.server.answers import answering, unrouted
from watchkeeper.server.arguments import Arguments, arguments
from watchkeeper.server.prometheus_lookups import TRUNCATED, Lookups
from watchkeeper.server.prometheus_parameters import (
    data_answer,
    error_answer,
    expression_of,
    limit_of,
    now_ms,
    step_range_ms,
    time_ms,
    timeout_seconds,
)
from watchkeeper.server.prometheus_status import Status
from watchkeeper.server.threads import Threads

LONGEST_QUERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Queries:
    """The endpoints that evaluate PromQL."""

    engine: Engine
    threads: Threads
    clock: Clock

    async def instant(self, request: Request) -> Response:
        given = await arguments(request)
        moment_ms = time_ms(given, "time", now_ms(self.clock))
        return await self._answer(
            given, lambda query, stop: self.engine.instant(query, moment_ms, cancelled=stop)
        )

    async def range(self, request: Request) -> Response:
        given = await arguments(request)
        start_ms, end_ms, step_ms = step_range_ms(given)

        def evaluate(query: str, stop: Callable[[], bool]) -> Result:
            return self.engine.range(query, start_ms, end_ms, step_ms, cancelled=stop)

        return await self._answer(given, evaluate)

    async def format(self, request: Request) -> Response:
        given = await arguments(request)
        shown = await self.threads.run(lambda: format_expression(expression_of(given)))
        return data_answer(shown)

    async def _answer(
        self, given: Arguments, evaluate: Callable[[str, Callable[[], bool]], Result]
    ) -> Response:
        """Parse, evaluate and encode off the event loop; stop if nobody waits any more."""
        limit, within = limit_of(given), timeout_seconds(given, LONGEST_QUERY_SECONDS)
        abandoned = Event()

        def work() -> Response:
            expression_of(given)
            result = evaluate(given.first("query"), abandoned.is_set)
            warnings = list(result.warnings)
            if limit and len(result.labels) > limit:
                result = first_series(result, limit)
                warnings.append(TRUNCATED)
            return data_answer(encode(result), warnings=warnings, infos=result.infos)

        try:
            return await self.threads.run(work, timeout_seconds=within)
        finally:
            abandoned.set()


def first_series(result: Result, count: int) -> Result:
    """Return a result with its first series only."""
    return replace(
        result,
        labels=result.labels[:count],
        values=result.values[:count],
        present=result.present[:count],
        histograms=None if result.histograms is None else result.histograms[:count],
    )


async def ready(request: Request) -> Response:
    """Say that requests are answered, as Prometheus words it."""
    return PlainTextResponse("Prometheus Server is Ready.\n")


async def healthy(request: Request) -> Response:
    """Say that the process lives, as Prometheus words it."""
    return PlainTextResponse("Prometheus Server is Healthy.\n")


def app(backend: Backend, queries: Threads, reads: Threads, clock: Clock) -> Starlette:
    """Return the API. Queries have threads of their own."""
    answer = answering(error_answer)
    evaluated = Queries(backend.engine, queries, clock)
    lookups = Lookups(backend.store.metrics, reads)
    status = Status(backend, reads)
    by_form = {
        "query": evaluated.instant,
        "query_range": evaluated.range,
        "format_query": evaluated.format,
        "query_exemplars": lookups.exemplars,
        "labels": lookups.label_names,
        "series": lookups.series,
    }
    by_get = {
        "label/{name}/values": lookups.label_values,
        "metadata": lookups.metadata,
        "rules": status.rules,
        "alerts": status.alerts,
        "targets": status.targets,
        "status/buildinfo": status.build,
        "status/runtimeinfo": status.runtime,
        "status/config": status.config,
        "status/flags": status.flags,
        "status/tsdb": status.storage,
    }
    return Starlette(
        routes=[
            *(
                Route(f"/api/v1/{path}", answer(call), methods=["GET", "POST"])
                for path, call in by_form.items()
            ),
            *(Route(f"/api/v1/{path}", answer(call)) for path, call in by_get.items()),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
        ],
        exception_handlers=unrouted(error_answer),
    )
