"""Jaeger's query API under /jaeger: what Grafana's Jaeger source and Jaeger UI call.

Source: jaegertracing/jaeger, cmd/jaeger/internal/extension/jaegerquery.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchkeeper.clock import Clock
from watchkeeper.ports import SpanStore, TraceQuery
from watchkeeper.server.answers import Failure, Refusal, answering, json_answer, unrouted
from watchkeeper.server.arguments import Arguments, arguments
from watchkeeper.server.jaeger_json import trace_json
from watchkeeper.server.threads import Threads
from watchkeeper.storage.attributes import as_text

DEFAULT_LOOKBACK_NS = 3_600 * 1_000_000_000
MOST_TRACES = 1500
_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def error_answer(failure: Failure) -> Response:
    """Return a failure as Jaeger words it."""
    return json_answer(
        _structured(None, [{"code": failure.status, "msg": failure.message}]),
        failure.status,
        failure.headers,
    )


@dataclass(frozen=True, slots=True)
class JaegerQueries:
    """The endpoints, over a span store."""

    spans: SpanStore
    threads: Threads
    clock: Clock

    async def services(self, request: Request) -> Response:
        names = await self.threads.run(self.spans.services)
        return json_answer(_structured(names, total=len(names)))

    async def operations(self, request: Request) -> Response:
        service = request.path_params["service"]
        names = await self.threads.run(partial(self.spans.operations, service))
        return json_answer(_structured(names, total=len(names)))

    async def operations_of(self, request: Request) -> Response:
        service = _required(await arguments(request), "service")
        names = await self.threads.run(partial(self.spans.operations, service))
        data = [{"name": name, "spanKind": ""} for name in names]
        return json_answer(_structured(data, total=len(data)))

    async def services_v3(self, request: Request) -> Response:
        return json_answer({"services": await self.threads.run(self.spans.services)})

    async def operations_v3(self, request: Request) -> Response:
        service = _required(await arguments(request), "service")
        names = await self.threads.run(partial(self.spans.operations, service))
        return json_answer({"operations": [{"name": name, "spanKind": ""} for name in names]})

    async def traces(self, request: Request) -> Response:
        given = await arguments(request)
        if wanted := given.every("traceID"):
            found = [await self._trace(trace_id) for trace_id in wanted]
            return json_answer(_structured([trace_json(spans) for spans in found if spans]))
        query = self._query(given)
        found = await self.threads.run(partial(self.spans.search, query))
        return json_answer(_structured([trace_json(spans) for spans in found if spans]))

    async def trace(self, request: Request) -> Response:
        spans = await self._trace(request.path_params["trace_id"])
        if not spans:
            raise Refusal(404, "not_found", "trace not found")
        return json_answer(_structured([trace_json(spans)]))

    async def dependencies(self, request: Request) -> Response:
        given = await arguments(request)
        now_ms = self.clock.time_ns() // 1_000_000
        end_ms = _integer(given, "endTs", now_ms)
        start_ms = end_ms - _integer(given, "lookback", 24 * 3_600_000)
        edges = await self.threads.run(
            partial(self.spans.dependencies, start_ms * 1_000_000, end_ms * 1_000_000)
        )
        data = [{"parent": e.parent, "child": e.child, "callCount": e.calls} for e in edges]
        return json_answer(_structured(data, total=len(data)))

    async def _trace(self, trace_id: str) -> list[Any]:
        return await self.threads.run(partial(self.spans.trace, normal_trace_id(trace_id)))

    def _query(self, given: Arguments) -> TraceQuery:
        service = _required(given, "service")
        now_ns = self.clock.time_ns()
        tags = _tags(given)
        error = tags.pop("error") if tags.get("error") in ("true", "false") else ""
        maximum = given.first("maxDuration")
        return TraceQuery(
            start_ns=_integer(given, "start", (now_ns - DEFAULT_LOOKBACK_NS) // 1000) * 1000,
            end_ns=_integer(given, "end", now_ns // 1000) * 1000,
            service=service,
            operation=given.first("operation"),
            attributes=tuple(tags.items()),
            minimum_duration_ns=_duration(given, "minDuration"),
            maximum_duration_ns=_duration(given, "maxDuration") if maximum else None,
            errors_only=error == "true",
            without_errors=error == "false",
            limit=min(_integer(given, "limit", 20), MOST_TRACES),
        )


def app(spans: SpanStore, threads: Threads, clock: Clock) -> Starlette:
    """Return the query API."""
    queries = JaegerQueries(spans, threads, clock)
    answer = answering(error_answer)
    routes = {
        "/api/services": queries.services,
        "/api/services/{service:path}/operations": queries.operations,
        "/api/operations": queries.operations_of,
        "/api/traces": queries.traces,
        "/api/traces/{trace_id}": queries.trace,
        "/api/dependencies": queries.dependencies,
        "/api/v3/services": queries.services_v3,
        "/api/v3/operations": queries.operations_v3,
    }
    return Starlette(
        routes=[Route(path, answer(call)) for path, call in routes.items()],
        exception_handlers=unrouted(error_answer),
    )


def normal_trace_id(text: str) -> str:
    """Return a trace id as 32 lower-case hex digits. Raises Refusal 400 if it is none."""
    if not re.fullmatch(r"[0-9a-fA-F]{1,32}", text):
        raise Refusal(400, "bad_trace_id", "a trace id is up to 32 hexadecimal digits")
    return text.lower().zfill(32)


def _structured(
    data: Any, errors: list[dict[str, Any]] | None = None, total: int = 0
) -> dict[str, Any]:
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": errors}


def _required(given: Arguments, name: str) -> str:
    if text := given.first(name):
        return text
    raise Refusal(400, "bad_parameter", f"parameter '{name}' is required")


def _integer(given: Arguments, name: str, default: int) -> int:
    text = given.first(name)
    if not text:
        return default
    if not re.fullmatch(r"\d{1,18}", text):
        raise Refusal(400, "bad_parameter", f"unable to parse param '{name}': not an integer")
    return int(text)


def _duration(given: Arguments, name: str) -> int:
    text = given.first(name)
    parts = _GO_DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise Refusal(400, "bad_parameter", f"unable to parse param '{name}': write it as 100ms")
    return sum(int(float(number) * _UNITS_NS[unit]) for number, unit in parts)


def _tags(given: Arguments) -> dict[str, str]:
    tags: dict[str, str] = {}
    for pair in given.every("tag"):
        name, colon, value = pair.partition(":")
        if not colon:
            raise Refusal(400, "bad_parameter", "malformed 'tag' parameter, expecting key:value")
        tags[name] = value
    for text in given.every("tags"):
        try:
            parsed = orjson.loads(text)
        except orjson.JSONDecodeError:
            parsed = None
        if not isinstance(parsed, dict):
            raise Refusal(
                400, "bad_parameter", "malformed 'tags' parameter, expecting a JSON object"
            )
        tags |= {name: as_text(value) for name, value in parsed.items()}
    return tags
