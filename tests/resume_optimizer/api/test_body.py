"""Request bodies: no more of them reaches the application than their limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from resume_optimizer.api.body import FORM_MARGIN_BYTES, BodyLimitMiddleware
from resume_optimizer.failures import Failure
from resume_optimizer.settings import Limits

pytestmark = pytest.mark.anyio

LIMITS = Limits(upload_bytes=1000, body_bytes=100)


class Application:
    """Reads a body to its end and counts it."""

    def __init__(self) -> None:
        self.seen = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            self.seen += len(message["body"])
            more = message["more_body"]


async def sends(path: str, chunks: list[bytes], length: int | None = None) -> tuple[int, int]:
    """Send a body; returns (bytes that the application saw, chunks that nobody read)."""
    waiting: Iterator[bytes] = iter(chunks)
    left = len(chunks)

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(waiting), "more_body": left > 0}

    async def send(message: Any) -> None: ...

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    application = Application()
    try:
        await BodyLimitMiddleware(application, LIMITS)(scope, receive, send)
    except Failure as failure:
        failure.add_note(str(application.seen))
        raise
    return application.seen, left


async def test_a_body_within_its_limit_passes() -> None:
    assert await sends("/api/jobs", [b"x" * 50, b"x" * 50]) == (100, 0)
    assert await sends("/api/resumes", [b"x" * 1000]) == (1000, 0)


async def test_a_body_beyond_it_is_cut_off_and_the_rest_is_thrown_away() -> None:
    with pytest.raises(Failure) as raised:
        await sends("/api/jobs", [b"x" * 60] * 9)

    assert raised.value.code == "body_too_large"
    assert raised.value.__notes__ == ["60"]


async def test_an_upload_may_be_larger_by_what_a_form_adds() -> None:
    most = LIMITS.upload_bytes + FORM_MARGIN_BYTES
    assert await sends("/optimise", [b"x" * most]) == (most, 0)
    with pytest.raises(Failure) as raised:
        await sends("/optimise", [b"x" * most, b"x"])
    assert raised.value.code == "file_too_large"


async def test_an_announced_length_is_believed_before_anything_is_read() -> None:
    with pytest.raises(Failure) as raised:
        await sends("/api/jobs", [b"x" * 60] * 9, length=540)

    assert raised.value.__notes__ == ["0"]


async def test_a_body_that_stops_arriving_is_given_up() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None: ...

    limits = replace(LIMITS, body_pause_seconds=0.01)
    scope = {"type": "http", "method": "POST", "path": "/api/jobs", "headers": []}
    with pytest.raises(Failure) as raised:
        await BodyLimitMiddleware(Application(), limits)(scope, receive, send)

    assert raised.value.code == "body_too_slow"
