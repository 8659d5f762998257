"""Blocking work, kept off the event loop: stores and queries run in bounded threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from watchkeeper.errors import OverloadError
from watchkeeper.server.answers import Refusal

Result = TypeVar("Result")


class Threads:
    """A fixed number of threads with a bounded line in front.

    A call that finds the line full is refused at once with OverloadError, so that a burst of
    slow calls costs its callers an answer, and never the process its memory.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name = name
        self._capacity = threads + waiting
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many calls run or wait now."""
        return self._taken

    async def run(
        self, call: Callable[[], Result], *, timeout_seconds: float | None = None
    ) -> Result:
        """Return what `call` returns; raise what it raises.

        Raises OverloadError if the line is full, and Refusal 503 after `timeout_seconds`.
        A thread cannot be interrupted: after a timeout its place stays taken until it ends.
        """
        if self._taken >= self._capacity:
            raise OverloadError(
                f"{self._capacity} calls to {self._name} run or wait already; try again shortly"
            )
        loop = asyncio.get_running_loop()
        future = self._pool.submit(call)
        self._taken += 1
        future.add_done_callback(lambda done: self._release(loop, done))
        try:
            async with asyncio.timeout(timeout_seconds) as limit:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if not limit.expired():
                raise
            raise Refusal(503, "timeout", f"no answer within {timeout_seconds:g} s") from None

    def _release(self, loop: asyncio.AbstractEventLoop, done: Future[Result]) -> None:
        if loop.is_closed():
            return
        loop.call_soon_threadsafe(self._give_back)

    def _give_back(self) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Take nothing more; what runs is left to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
