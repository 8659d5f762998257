"""Requests and websockets over a real server: what the client and the wire do, the record says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import uvicorn
import websockets
from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

from watchkeeper import Severity, instrument
from watchkeeper.conventions import http
from watchkeeper.model import LogRecord, SpanRecord, StatusCode
from watchkeeper.testing import Captured

pytestmark = pytest.mark.anyio
ROOM = "/v1/rooms/{floor}/live/{room}"


def service() -> FastAPI:
    app = FastAPI()
    rooms = APIRouter(prefix="/rooms/{floor}")

    @rooms.websocket("/live/{room}")
    async def live(websocket: WebSocket, floor: int, room: str) -> None:
        await websocket.accept()
        async for word in websocket.iter_text():
            if word == "break":
                raise ValueError("it broke")
            if word == "leave":
                await websocket.close(4001)
                return
            await websocket.send_text(word)

    @app.websocket("/closed")
    async def closed(websocket: WebSocket) -> None:
        await websocket.close()

    @app.websocket("/broken")
    async def broken(websocket: WebSocket) -> None:
        raise ValueError("it broke before it began")

    api = APIRouter(prefix="/v1")
    api.include_router(rooms)
    app.include_router(api)
    app.include_router(streams())
    return app


def streams() -> APIRouter:
    router = APIRouter()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"more"
            await asyncio.sleep(0.01)

    async def breaking() -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("in the middle")

    @router.get("/endless")
    async def stream() -> StreamingResponse:
        return StreamingResponse(endless())

    @router.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @router.post("/parsed")
    async def parsed(body: dict[str, int]) -> int:
        return len(body)

    @router.get("/breaking")
    async def breaks() -> StreamingResponse:
        return StreamingResponse(breaking())

    return router


@pytest.fixture
async def address(seen: Captured) -> AsyncIterator[str]:
    """Host and port of the service under uvicorn."""
    app = service()
    instrument(app, seen.telemetry)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


async def seen_soon(ids: Any, spans: int) -> None:
    """Wait until so many spans have begun."""
    async with asyncio.timeout(60):
        while ids._spans < spans:  # noqa: ASYNC110 - the server has the same loop
            await asyncio.sleep(0)


async def record_of(seen: Captured, route: str) -> tuple[SpanRecord, LogRecord]:
    """The span and the access line of the one request for a route, once it has ended."""

    def ended() -> list[SpanRecord]:
        return [span for span in seen.spans if span.attributes.get("http.route") == route]

    async with asyncio.timeout(60):
        while not ended():  # noqa: ASYNC110 - the server has the same loop
            await asyncio.sleep(0)
    [span] = ended()
    [line] = [line for line in seen.logs if line.span_id == span.span_id and "path" in
              line.attributes]  # fmt: skip
    return span, line


async def test_a_websocket_that_the_client_closes(seen: Captured, address: str) -> None:
    async with websockets.connect(f"ws://{address}/v1/rooms/3/live/kitchen") as client:
        await client.send("hello")
        assert await client.recv() == "hello"
        await client.close(1001)
    span, line = await record_of(seen, ROOM)
    assert span.name == f"GET {ROOM}"
    assert span.status is StatusCode.UNSET
    assert span.attributes["websocket.close_code"] == 1001
    assert span.attributes["url.path"] == "/v1/rooms/3/live/kitchen"
    assert "error.type" not in span.attributes
    assert line.severity is Severity.INFO
    assert seen.value(http.REQUESTS, endpoint=ROOM, status_code="101") == 1


async def test_a_websocket_that_the_service_closes(seen: Captured, address: str) -> None:
    async with websockets.connect(f"ws://{address}/v1/rooms/3/live/kitchen") as client:
        await client.send("leave")
        await client.wait_closed()
    span, _ = await record_of(seen, ROOM)
    assert span.attributes["websocket.close_code"] == 4001
    assert span.status is StatusCode.UNSET


async def test_a_websocket_whose_client_vanishes_is_no_error(seen: Captured, address: str) -> None:
    client = await websockets.connect(f"ws://{address}/v1/rooms/3/live/kitchen")
    client.transport.abort()
    span, _ = await record_of(seen, ROOM)
    assert span.attributes["websocket.close_code"] in (1005, 1006)
    assert span.status is StatusCode.UNSET


async def test_a_websocket_that_breaks_is_an_error(seen: Captured, address: str) -> None:
    async with websockets.connect(f"ws://{address}/v1/rooms/3/live/kitchen") as client:
        await client.send("break")
        await client.wait_closed()
    span, line = await record_of(seen, ROOM)
    assert span.status is StatusCode.ERROR
    assert span.attributes["error.type"] == "ValueError"
    [event] = span.events
    assert event.attributes["exception.message"] == "it broke"
    assert line.severity is Severity.ERROR
    assert line.attributes["error_type"] == "ValueError"


@pytest.mark.parametrize(
    ("path", "status", "failed"), [("/closed", 403, False), ("/broken", 500, True)]
)
async def test_a_websocket_that_is_refused_has_the_status_of_the_refusal(
    seen: Captured, address: str, path: str, status: int, failed: bool
) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with websockets.connect(f"ws://{address}{path}"):
            pass
    assert refused.value.response.status_code == status
    span, _ = await record_of(seen, path)
    assert span.attributes["http.response.status_code"] == status
    assert (span.status is StatusCode.ERROR) is failed
    assert bool(span.events) is failed


async def test_a_client_that_leaves_a_stream_is_told_apart(seen: Captured, address: str) -> None:
    async with (
        httpx2.AsyncClient(timeout=60) as client,
        client.stream("GET", f"http://{address}/endless") as answer,
    ):
        await anext(answer.aiter_raw())
    span, line = await record_of(seen, "/endless")
    assert span.attributes["error.type"] == "client_disconnected"
    assert span.attributes["http.response.status_code"] == 200
    assert span.status is StatusCode.UNSET
    assert line.severity is Severity.INFO


@pytest.mark.parametrize("path", ["/raw", "/parsed"])
async def test_a_client_that_leaves_amid_its_upload_is_no_error_of_ours(
    seen: Captured, address: str, path: str
) -> None:
    host, _, port = address.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST {path} HTTP/1.1\r\nhost: door\r\ncontent-type: application/json\r\n"
        'content-length: 1000\r\n\r\n{"a":'.encode()
    )
    await writer.drain()
    await seen_soon(seen.telemetry.tracing.ids, 1)
    writer.transport.abort()
    span, line = await record_of(seen, path)
    assert span.attributes["http.response.status_code"] == 499
    assert span.attributes["error.type"] == "client_disconnected"
    assert span.status is StatusCode.UNSET
    assert line.severity is Severity.WARNING
    assert seen.value(http.REQUESTS, endpoint=path, status_code="499") == 1


async def test_a_stream_that_breaks_is_an_error_though_its_status_was_sent(
    seen: Captured, address: str
) -> None:
    async with httpx2.AsyncClient(timeout=60) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(f"http://{address}/breaking")
    span, line = await record_of(seen, "/breaking")
    assert span.status is StatusCode.ERROR
    assert span.attributes["http.response.status_code"] == 200
    assert line.severity is Severity.ERROR


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_fastapis_own_pages_are_known_by_their_routes(
    seen: Captured, address: str, path: str
) -> None:
    async with httpx2.AsyncClient(timeout=60) as client:
        await client.get(f"http://{address}{path}")
    span, _ = await record_of(seen, path)
    assert span.name == f"GET {path}"


async def test_a_method_that_nobody_knows_is_told_as_other(seen: Captured) -> None:
    app: Any = service()
    instrument(app, seen.telemetry)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
        await client.request("BREW", "/coffee")
    [span] = [span for span in seen.spans if span.name == "HTTP unmatched"]
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "BREW"
