"""Request bodies: read as a stream, no further than their limit and no longer than it takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from resume_optimizer.failures import Failure

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from resume_optimizer.settings import Limits

UPLOADS = ("/api/resumes", "/optimise")
FORM_MARGIN_BYTES = 256 * 1024
"""What a form with a file holds beside the file: a posting, names, boundaries."""
DRAINED_BYTES = 64 * 1024 * 1024
"""How much of a body that is too large is read and thrown away, so that its sender is still
there to read the answer; a larger one is cut off."""


class BodyLimitMiddleware:
    """Raises Failure `file_too_large`, `body_too_large` or `body_too_slow` while a body is read."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        receive = self._in_time(receive)
        upload = scope["path"] in UPLOADS
        most = self._limits.upload_bytes + FORM_MARGIN_BYTES if upload else self._limits.body_bytes
        failure = Failure("file_too_large" if upload else "body_too_large")
        announced = _content_length(scope)
        if announced > most:
            await _drain(receive, announced)
            raise failure
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                if message.get("more_body"):
                    await _drain(receive, DRAINED_BYTES)
                raise failure
            return message

        await self._app(scope, counted, send)

    def _in_time(self, receive: Receive) -> Receive:
        """Return `receive`, held to its time until the body is there; later ones wait for the
        client to leave."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.body_seconds
        arrived = False

        async def received() -> Message:
            nonlocal arrived
            if arrived:
                return await receive()
            pause_ends = loop.time() + self._limits.body_pause_seconds
            try:
                async with asyncio.timeout_at(min(deadline, pause_ends)):
                    message = await receive()
            except TimeoutError:
                raise Failure("body_too_slow") from None
            arrived = not message.get("more_body", False)
            return message

        return received


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _drain(receive: Receive, announced: int) -> None:
    seen = 0
    while announced <= DRAINED_BYTES and seen < DRAINED_BYTES:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return
        seen += len(message.get("body", b""))
