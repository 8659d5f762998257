"""Packing: a queue of paid orders and the worker that packs them."""

from __future__ import annotations

import asyncio

from watchkeeper import Telemetry
from watchkeeper.conventions import jobs, queue

MOST_WAITING = 100
PACKING_SECONDS = 0.01
NAME = "parcels"
QUEUED, PACKED = "queued", "packed"


class Packing:
    """Takes orders in, and packs them one after the other."""

    def __init__(self, watch: Telemetry) -> None:
        self._watch = watch
        self._waiting: asyncio.Queue[tuple[int, int]] = asyncio.Queue(MOST_WAITING)
        self._status: dict[int, str] = {}
        watch.gauge(queue.DEPTH).follow(self._waiting.qsize, queue=NAME)
        watch.gauge(jobs.ACTIVE).follow(self._waiting.qsize, status="queued")

    def put(self, number: int) -> bool:
        """Put an order into the queue and return whether there was room."""
        try:
            self._waiting.put_nowait((number, self._watch.clock.monotonic_ns()))
        except asyncio.QueueFull:
            self._watch.counter(queue.REJECTED).inc(queue=NAME)
            return False
        self._status[number] = QUEUED
        return True

    def status(self, number: int) -> str:
        """Return how far an order is; '' if it is not known."""
        return self._status.get(number, "")

    async def work(self) -> None:
        """Pack what waits, for ever."""
        while True:
            number, since_ns = await self._waiting.get()
            self._watch.histogram(queue.WAIT).observe(self._seconds(since_ns), queue=NAME)
            self._watch.gauge(jobs.ACTIVE).set(1, status="running")
            await asyncio.sleep(PACKING_SECONDS)
            self._status[number] = PACKED
            self._watch.gauge(jobs.ACTIVE).set(0, status="running")
            self._watch.counter(jobs.ATTEMPTS).inc(outcome="success")
            self._watch.counter(jobs.COMPLETED).inc(status="completed")
            self._watch.histogram(jobs.DURATION).observe(self._seconds(since_ns))

    def _seconds(self, since_ns: int) -> float:
        return (self._watch.clock.monotonic_ns() - since_ns) / 1e9
