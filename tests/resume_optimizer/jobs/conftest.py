"""A web server for postings, and providers of language models that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from resume_optimizer.resumes import sample


class Board:
    """A job board. Whoever asks waits until `answers` is set; `asked` is set by asking."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = asyncio.Event()
        self.url = ""
        self.app = Starlette(
            routes=[Route("/posting", self._posting), Route("/inside", self._inside)]
        )

    async def _posting(self, request: Request) -> Response:
        self.asked.set()
        await self.answers.wait()
        return PlainTextResponse(sample.read_text(sample.POSTING))

    async def _inside(self, request: Request) -> Response:
        return RedirectResponse("http://127.0.0.1:22/", status_code=302)


@pytest.fixture
async def board(serve: Any) -> AsyncIterator[Board]:
    """The job board, running."""
    board = Board()
    async with serve(board.app) as url:
        board.url = url
        yield board
        board.answers.set()
