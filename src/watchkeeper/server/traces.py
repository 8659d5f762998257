"""The page's traces: /api/traces, /api/services and /api/find."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchkeeper.clock import Clock
from watchkeeper.ports import LogQuery, LogStore, SpanStore, TraceQuery
from watchkeeper.server.answers import Refusal, answering, error_answer, json_answer
from watchkeeper.server.arguments import Arguments, arguments, number, period
from watchkeeper.server.records import root_of, span_json, trace_summary_json
from watchkeeper.server.threads import Threads

MOST_TRACES = 500
FIND_WITHIN_NS = 30 * 86_400 * 1_000_000_000
_TRACE_ID = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Traces:
    """The endpoints, over the stores of spans and logs."""

    spans: SpanStore
    logs: LogStore
    threads: Threads
    clock: Clock

    async def search(self, request: Request) -> Response:
        given = await arguments(request)
        query = self._query(given)
        found = await self.threads.run(partial(self.spans.search, query))
        return json_answer({"traces": [trace_summary_json(spans) for spans in found if spans]})

    async def trace(self, request: Request) -> Response:
        trace_id = request.path_params["trace_id"].lower()
        spans = await self.threads.run(partial(self.spans.trace, trace_id))
        if not spans:
            raise Refusal(404, "no_such_trace", f"no spans of trace {trace_id[:32]!r} are stored")
        return json_answer({"trace_id": trace_id, "spans": [span_json(span) for span in spans]})

    async def services(self, request: Request) -> Response:
        return json_answer(await self.threads.run(self.spans.services))

    async def operations(self, request: Request) -> Response:
        service = request.path_params["service"]
        return json_answer(await self.threads.run(partial(self.spans.operations, service)))

    async def find(self, request: Request) -> Response:
        wanted = (await arguments(request)).first("q").strip()
        trace_id = await self.threads.run(partial(self._find, wanted)) if wanted else ""
        return json_answer({"kind": "trace" if trace_id else "none", "trace_id": trace_id})

    def _find(self, wanted: str) -> str:
        """Return the trace of a trace id or of a job's id; '' if neither is known."""
        if _TRACE_ID.match(wanted.lower()) and self.spans.trace(wanted.lower()):
            return wanted.lower()
        end_ns = self.clock.time_ns()
        start_ns = end_ns - FIND_WITHIN_NS
        by_job = TraceQuery(start_ns, end_ns, attributes=(("job.id", wanted),), limit=1)
        traces = self.spans.search(by_job)
        if traces and traces[0]:
            return root_of(traces[0]).trace_id
        lines = LogQuery(start_ns, end_ns, fields=(("job_id", wanted),), limit=20)
        records = self.logs.search(lines)
        return next((record.trace_id for record in records if record.trace_id), "")

    def _query(self, given: Arguments) -> TraceQuery:
        start_ns, end_ns = period(given, self.clock)
        return TraceQuery(
            start_ns=start_ns,
            end_ns=end_ns,
            service=given.first("service"),
            operation=given.first("operation"),
            minimum_duration_ns=int(number(given, "min_duration_seconds", 0.0) * 1e9),
            errors_only=given.first("errors_only").lower() in ("1", "true", "yes"),
            limit=max(1, min(int(number(given, "limit", 50)), MOST_TRACES)),
        )

    def routes(self) -> list[Route]:
        """Return the routes, with errors in the page's words."""
        answer = answering(error_answer)
        return [
            Route("/api/traces", answer(self.search)),
            Route("/api/traces/{trace_id}", answer(self.trace)),
            Route("/api/services", answer(self.services)),
            Route("/api/services/{service:path}/operations", answer(self.operations)),
            Route("/api/find", answer(self.find)),
        ]
