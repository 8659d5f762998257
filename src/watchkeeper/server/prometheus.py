"""Prometheus' HTTP API under /prometheus: what Grafana, promtool and the page ask.

Source: prometheus.io, "HTTP API", and prometheus/prometheus, web/api/v1/api.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.promql import Engine, Result, tree_json
from watchkeeper.promql import format as format_expression
from watchkeeper.server.answers import Refusal, answering, unrouted
from watchkeeper.server.arguments import Arguments, arguments
from watchkeeper.server.prometheus_features import Features
from watchkeeper.server.prometheus_lookups import TRUNCATED, Lookups
from watchkeeper.server.prometheus_parameters import (
    data_answer,
    error_answer,
    expression_of,
    limit_of,
    lookback_ms,
    now_ms,
    step_range_ms,
    time_ms,
    timeout_seconds,
)
from watchkeeper.server.prometheus_status import Status
from watchkeeper.server.query_answers import result_answer
from watchkeeper.server.remote_read import RemoteRead
from watchkeeper.server.threads import Threads

LONGEST_QUERY_SECONDS = 60.0
TIMED_OUT = "query timed out in expression evaluation"
"""Prometheus' words for a query that took longer than its timeout."""


@dataclass(frozen=True, slots=True)
class Queries:
    """The endpoints that evaluate PromQL."""

    engine: Engine
    threads: Threads
    clock: Clock

    async def instant(self, request: Request) -> Response:
        given = await arguments(request)
        moment_ms = time_ms(given, "time", now_ms(self.clock))
        reach_ms = lookback_ms(given)

        def evaluate(query: str, stop: Callable[[], bool]) -> Result:
            return self.engine.instant(query, moment_ms, lookback_ms=reach_ms, cancelled=stop)

        return await self._answer(request, given, evaluate)

    async def range(self, request: Request) -> Response:
        given = await arguments(request)
        start_ms, end_ms, step_ms = step_range_ms(given)
        reach_ms = lookback_ms(given)

        def evaluate(query: str, stop: Callable[[], bool]) -> Result:
            return self.engine.range(
                query, start_ms, end_ms, step_ms, lookback_ms=reach_ms, cancelled=stop
            )

        return await self._answer(request, given, evaluate)

    async def format(self, request: Request) -> Response:
        given = await arguments(request)
        shown = await self.threads.run(lambda: format_expression(expression_of(given)))
        return data_answer(shown)

    async def parse(self, request: Request) -> Response:
        given = await arguments(request)
        return data_answer(await self.threads.run(lambda: tree_json(expression_of(given))))

    async def _answer(
        self,
        request: Request,
        given: Arguments,
        evaluate: Callable[[str, Callable[[], bool]], Result],
    ) -> Response:
        """Parse, evaluate and encode off the event loop; stop if nobody waits any more."""
        limit, within = limit_of(given), timeout_seconds(given, LONGEST_QUERY_SECONDS)
        abandoned = Event()

        def work() -> Response:
            expression_of(given)
            began_ns = self.clock.monotonic_ns()
            result = evaluate(given.first("query"), abandoned.is_set)
            seconds = (self.clock.monotonic_ns() - began_ns) / 1e9
            stats = statistics(result, seconds) if given.first("stats") else None
            warnings = list(result.warnings)
            if limit and len(result.labels) > limit:
                result = first_series(result, limit)
                warnings.append(TRUNCATED)
            return result_answer(result, warnings=warnings, stats=stats)

        watch = asyncio.create_task(_departure(request, abandoned))
        try:
            return await self.threads.run(work, timeout_seconds=within)
        except Refusal as refusal:
            if refusal.code == "timeout":
                raise Refusal(503, "timeout", TIMED_OUT) from None
            raise
        finally:
            abandoned.set()
            watch.cancel()


async def _departure(request: Request, abandoned: Event) -> None:
    """Note when the client goes away; the query then stops at its next step."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    abandoned.set()


def statistics(result: Result, seconds: float) -> dict[str, Any]:
    """Return what a query cost, as `stats` asks for it."""
    return {
        "timings": {
            "evalTotalTime": seconds,
            "resultSortTime": 0,
            "queryPreparationTime": 0,
            "innerEvalTime": seconds,
            "execQueueTime": 0,
            "execTotalTime": seconds,
        },
        "samples": {
            "totalQueryableSamples": result.samples_touched,
            "peakSamples": result.samples_touched,
        },
    }


def first_series(result: Result, count: int) -> Result:
    """Return a result with its first series only."""
    return replace(
        result,
        labels=result.labels[:count],
        values=result.values[:count],
        present=result.present[:count],
        histograms=None if result.histograms is None else result.histograms[:count],
    )


async def page(request: Request) -> Response:
    """Lead to the page: clients try this address to see whether anybody is there."""
    return RedirectResponse("../", 302)


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
    status = Status(backend, reads, clock)
    features = Features(backend, reads, clock)
    remote = RemoteRead(backend.store.metrics, queries)
    by_form = {
        "query": evaluated.instant,
        "query_range": evaluated.range,
        "format_query": evaluated.format,
        "parse_query": evaluated.parse,
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
        "scrape_pools": status.scrape_pools,
        "targets/metadata": features.targets_metadata,
        "alertmanagers": features.alertmanagers,
        "features": features.features,
        "status/walreplay": features.wal_replay,
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
            Route("/api/v1/read", answer(remote.read), methods=["POST"]),
            Route("/", page),
            Route("/federate", answer(features.federate)),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
        ],
        exception_handlers=unrouted(error_answer),
    )
