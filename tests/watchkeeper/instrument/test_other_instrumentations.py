"""OpenTelemetry's own instrumentations of drivers work unchanged, below our spans."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import pytest
import redis
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor

from watchkeeper.model import SpanKind, StatusCode
from watchkeeper.testing import Captured

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

SCOPE = "opentelemetry.instrumentation."


@pytest.fixture(autouse=True)
def instrumented() -> Iterator[None]:
    """All of them, as `opentelemetry-instrument` would put them in."""
    instrumentors = [
        kind() for kind in (AsyncPGInstrumentor, HTTPXClientInstrumentor, RedisInstrumentor)
    ]
    for instrumentor in instrumentors:
        instrumentor.instrument()
    yield
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


async def test_queries_of_asyncpg(seen: Captured, door: SimpleNamespace, servers: Any) -> None:
    connection = await asyncpg.connect(servers.environment["DATABASE_URL"])
    with seen.telemetry.span(door.work):
        assert await connection.fetchval("SELECT 1") == 1
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch("SELECT nothing FROM nowhere")
    await connection.close()
    good, bad, work = seen.spans
    for span in (good, bad):
        assert (span.scope.name, span.kind) == (f"{SCOPE}asyncpg", SpanKind.CLIENT)
        assert span.parent_span_id == work.span_id
    assert (good.status, bad.status) == (StatusCode.UNSET, StatusCode.ERROR)
    assert bad.events[0].name == "exception"


def test_commands_of_redis(seen: Captured, door: SimpleNamespace, servers: Any) -> None:
    client = redis.from_url(servers.environment["CACHE_URL"])
    with seen.telemetry.span(door.work):
        client.set("theirs", 1)
        client.pipeline().get("theirs").execute()
    client.close()
    *commands, work = seen.spans
    assert [span.name for span in commands] == ["SET", "GET"]
    assert {(span.scope.name, span.parent_span_id) for span in commands} == {
        (f"{SCOPE}redis", work.span_id)
    }


def test_requests_of_httpx_hand_the_trace_on(seen: Captured, door: SimpleNamespace) -> None:
    heard: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["traceparent"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with seen.telemetry.span(door.work), httpx.Client() as client:
            client.get(f"http://127.0.0.1:{server.server_address[1]}/way?token=secret")
    call, work = seen.spans
    assert (call.scope.name, call.parent_span_id) == (f"{SCOPE}httpx", work.span_id)
    assert heard == [f"00-{work.trace_id}-{call.span_id}-01"]
    assert "secret" not in repr(call)
