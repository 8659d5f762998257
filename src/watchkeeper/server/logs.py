"""The page's logs: /api/logs, its histogram, and the live tail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from watchkeeper.clock import Clock
from watchkeeper.ports import LogQuery, LogStore
from watchkeeper.search import parse_log_query
from watchkeeper.server.answers import answering, error_answer, json_answer
from watchkeeper.server.arguments import Arguments, arguments, number, period
from watchkeeper.server.records import log_json
from watchkeeper.server.tail import Tails
from watchkeeper.server.threads import Threads

MOST_RECORDS = 5000
MOST_BUCKETS = 500


@dataclass(frozen=True, slots=True)
class Logs:
    """The endpoints, over a log store."""

    logs: LogStore
    tails: Tails
    threads: Threads
    clock: Clock

    async def search(self, request: Request) -> Response:
        given = await arguments(request)
        query = self._query(given, limit=int(number(given, "limit", 200)))
        records = await self.threads.run(partial(self.logs.search, query))
        return json_answer({"records": [log_json(record) for record in records]})

    async def histogram(self, request: Request) -> Response:
        given = await arguments(request)
        buckets = max(1, min(int(number(given, "buckets", 60)), MOST_BUCKETS))
        query = self._query(given, limit=1)
        counted = await self.threads.run(partial(self.logs.histogram, query, buckets))
        return json_answer(
            {
                "buckets": [
                    {
                        "start": bucket.start_ns / 1e9,
                        "counts": {level.name: count for level, count in bucket.counts.items()},
                    }
                    for bucket in counted
                ]
            }
        )

    async def tail(self, request: Request) -> Response:
        query = self._query(await arguments(request), limit=1)
        return StreamingResponse(
            self.tails.follow(query),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    def _query(self, given: Arguments, limit: int) -> LogQuery:
        start_ns, end_ns = period(given, self.clock)
        query = parse_log_query(
            given.first("query"),
            start_ns=start_ns,
            end_ns=end_ns,
            limit=max(1, min(limit, MOST_RECORDS)),
        )
        trace_id = given.first("trace_id").lower()
        return replace(query, trace_id=trace_id) if trace_id else query

    def routes(self) -> list[Route]:
        """Return the routes, with errors in the page's words."""
        answer = answering(error_answer)
        return [
            Route("/api/logs", answer(self.search)),
            Route("/api/logs/histogram", answer(self.histogram)),
            Route("/api/logs/tail", answer(self.tail)),
        ]
