"""The live tail: log records as they are stored, to whoever is looking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import orjson

from watchkeeper.errors import OverloadError
from watchkeeper.model import LogRecord
from watchkeeper.ports import LogQuery, LogStore
from watchkeeper.server.records import log_json

MOST_TAILS = 32
WAITING_RECORDS = 2000
HEARTBEAT_SECONDS = 15.0


class Tails:
    """Hands records from the threads that store them to the streams that show them.

    A reader that is too slow loses the oldest records and is told how many; storing never waits.
    """

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs
        self._open = 0
        self._closed = asyncio.Event()

    def close(self) -> None:
        """End every stream."""
        self._closed.set()

    def follow(self, query: LogQuery) -> AsyncIterator[bytes]:
        """Return matching records as server-sent events until the reader leaves or all close.

        The query's times are not looked at: what is stored from now on counts. Raises
        OverloadError where too many streams are open.
        """
        if self._open >= MOST_TAILS:
            raise OverloadError(f"{MOST_TAILS} live tails are open already; close one")
        return self._events(query)

    async def _events(self, query: LogQuery) -> AsyncIterator[bytes]:
        stream = _Stream(asyncio.get_running_loop())
        leave = self._logs.follow(query, stream.put)
        self._open += 1
        try:
            yield b"retry: 2000\n\n"
            while not self._closed.is_set():
                yield await stream.next_event(self._closed)
        finally:
            self._open -= 1
            leave()


class _Stream:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[LogRecord] = []
        self._lost = 0
        self._arrived = asyncio.Event()

    def put(self, records: Sequence[LogRecord]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._keep, records)

    def _keep(self, records: Sequence[LogRecord]) -> None:
        self._waiting += records
        surplus = len(self._waiting) - WAITING_RECORDS
        if surplus > 0:
            del self._waiting[:surplus]
            self._lost += surplus
        self._arrived.set()

    async def next_event(self, closed: asyncio.Event) -> bytes:
        if not self._waiting:
            await _first_of(self._arrived, closed, HEARTBEAT_SECONDS)
        self._arrived.clear()
        records, self._waiting = self._waiting, []
        lost, self._lost = self._lost, 0
        lines = [b"data: " + orjson.dumps(log_json(record)) + b"\n\n" for record in records]
        if lost:
            lines.insert(0, b'event: lost\ndata: {"records":%d}\n\n' % lost)
        return b"".join(lines) or b": still here\n\n"


async def _first_of(one: asyncio.Event, other: asyncio.Event, timeout_seconds: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waits, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
