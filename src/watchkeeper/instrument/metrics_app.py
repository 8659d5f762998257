"""An ASGI app that answers GET /metrics."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from watchkeeper.wire import exposition

METRICS_PATH = "/metrics"
_SMALLEST_COMPRESSED_BYTES = 1024

Message = MutableMapping[str, Any]


class Exposes(Protocol):
    """Whatever can show its metrics."""

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Return body and content type."""
        ...

    def watch_event_loop(self) -> None:
        """Measure the lag of the running event loop from now on."""
        ...


class MetricsApp:
    """Answers GET and HEAD /metrics, by content negotiation, compressed if the scraper can."""

    def __init__(self, telemetry: Exposes) -> None:
        self._telemetry = telemetry

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] != "http":
            return
        elif scope["path"].removeprefix(scope.get("root_path", "")) != METRICS_PATH:
            await _answer(send, 404, b"Metrics are at /metrics.\n", [])
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"", [(b"allow", b"GET, HEAD")])
        else:
            await self._expose(scope, send)

    async def _expose(
        self, scope: MutableMapping[str, Any], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        # A worker without an API has no lifespan that would have told of its loop.
        self._telemetry.watch_event_loop()
        accept = _header(scope, b"accept")
        compress = exposition.accepts_gzip(_header(scope, b"accept-encoding"))
        body, content_type, encoding = await asyncio.to_thread(self._body, accept, compress)
        answer = [(b"content-type", content_type.encode()), (b"vary", b"accept, accept-encoding")]
        if encoding:
            answer.append((b"content-encoding", encoding))
        await _answer(send, 200, body, answer, head=scope["method"] == "HEAD")

    def _body(self, accept: str, compress: bool) -> tuple[bytes, str, bytes]:
        body, content_type = self._telemetry.exposition(accept)
        if compress and len(body) >= _SMALLEST_COMPRESSED_BYTES:
            return gzip.compress(body, compresslevel=1), content_type, b"gzip"
        return body, content_type, b""


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    """Return a header that may stand several times, as one list."""
    return ",".join([value.decode("latin-1") for key, value in scope["headers"] if key == name])


async def _answer(
    send: Callable[[Message], Awaitable[None]],
    status: int,
    body: bytes,
    headers: list[tuple[bytes, bytes]],
    *,
    head: bool = False,
) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def _lifespan(
    receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
