"""Prometheus remote read: POST /prometheus/api/v1/read, answered with samples.

Source: prometheus.io, "Remote Read API".
"""

from __future__ import annotations

from dataclasses import dataclass

import cramjam
from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.errors import QueryLimitError
from watchkeeper.ingest.snappy import open_block
from watchkeeper.ports import SeriesSource
from watchkeeper.server.arguments import body
from watchkeeper.server.threads import Threads
from watchkeeper.wire.remote_read import Column, ReadQuery, decode_queries, encode_results

MAX_BODY_BYTES = 1 << 20
MOST_SAMPLES = 5_000_000
"""How many samples one answer may hold."""


@dataclass(frozen=True, slots=True)
class RemoteRead:
    """The endpoint, over a source of series."""

    metrics: SeriesSource
    threads: Threads

    async def read(self, request: Request) -> Response:
        block = await body(request, MAX_BODY_BYTES)
        answer = await self.threads.run(lambda: self._answer(block))
        headers = {"content-encoding": "snappy"}
        return Response(answer, headers=headers, media_type="application/x-protobuf")

    def _answer(self, block: bytes) -> bytes:
        queries = decode_queries(open_block(block, MAX_BODY_BYTES))
        left = MOST_SAMPLES
        results = []
        for query in queries:
            columns = self._columns(query)
            left -= sum(len(times) for _, times, _ in columns)
            if left < 0:
                raise QueryLimitError(
                    f"remote read asks for more than {MOST_SAMPLES} samples; ask for less"
                )
            results.append(columns)
        return bytes(cramjam.snappy.compress_raw(encode_results(results)))

    def _columns(self, query: ReadQuery) -> list[Column]:
        found = self.metrics.select(query.matchers, query.start_ms, query.end_ms)
        return [(one.labels, one.timestamps_ms.tolist(), one.values.tolist()) for one in found]
