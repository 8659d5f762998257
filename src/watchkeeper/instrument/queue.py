"""saq, watched: the trace goes with the job, through a crash and a retry; depth and wait.

The context travels in `job.meta`, which saq keeps with the job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from opentelemetry import trace

from watchkeeper.conventions import queue as convention
from watchkeeper.instrument.calls import optional_span
from watchkeeper.instrument.telemetry import Telemetry

Queue = TypeVar("Queue")

CARRIER = "watchkeeper"
"""The key of the trace context in `job.meta`."""

DEPTH_PERIOD_SECONDS = 5.0


def watch_queue(telemetry: Telemetry, queue: Queue) -> Queue:
    """Return the same saq queue, watched: a span at enqueue, the context in the job, the depth.

    The depth is read every five seconds, from the moment that an event loop runs: now, or at the
    first enqueue.
    """
    watched: Any = queue
    enqueue = watched.enqueue
    depth = Depth(telemetry, watched)
    depth.start()

    async def put_context(job: Any) -> None:
        carrier = telemetry.inject()
        if carrier:
            job.meta[CARRIER] = carrier

    async def watched_enqueue(job_or_function: Any, **options: Any) -> Any:
        depth.start()
        with optional_span(
            telemetry,
            convention.ENQUEUE_SPAN,
            name=f"enqueue {watched.name}",
            **{"messaging.destination.name": watched.name},
        ):
            return await enqueue(job_or_function, **options)

    watched.register_before_enqueue(put_context)
    watched.enqueue = watched_enqueue
    return queue


@contextmanager
def process_span(telemetry: Telemetry, job: Any) -> Iterator[trace.Span]:
    """Run an attempt at a job inside a span that continues the trace that enqueued it."""
    name = job.queue.name if job.queue is not None else ""
    if telemetry.declares(convention.WAIT) and job.queued and job.attempts <= 1:
        # saq's times are milliseconds since the Unix epoch, `scheduled` is seconds. It keeps no
        # time of a retry's return into the queue.
        since_ms = max(job.queued, job.scheduled * 1000)
        waited = max(0.0, telemetry.clock.time_ns() / 1e9 - since_ms / 1e3)
        telemetry.histogram(convention.WAIT).observe(waited, queue=name)
    carrier = job.meta.get(CARRIER) if isinstance(job.meta, dict) else None
    with (
        telemetry.continued(carrier if isinstance(carrier, dict) else {}),
        optional_span(
            telemetry,
            convention.PROCESS_SPAN,
            name=f"process {job.function}",
            **{
                "messaging.destination.name": name,
                "messaging.message.id": job.key,
                "job.attempt": job.attempts,
            },
        ) as span,
    ):
        yield span


class Depth:
    """Reads the queue's length again and again, as long as its event loop runs."""

    def __init__(self, telemetry: Telemetry, queue: Any) -> None:
        self._telemetry = telemetry
        self._queue = queue
        self._task: asyncio.Task[None] | None = None
        self._declared = telemetry.declares(convention.DEPTH)

    def start(self) -> None:
        """Begin, if the contract has a depth and a loop runs."""
        if not self._declared or (self._task is not None and not self._task.done()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run(), name="watchkeeper-queue-depth")

    async def read(self) -> None:
        """Read the length once."""
        waiting = await self._queue.count("queued")
        self._telemetry.gauge(convention.DEPTH).set(waiting, queue=self._queue.name)

    async def _run(self) -> None:
        while True:
            # A broker that is away shows in the cache's own metrics; the last length stands.
            with suppress(Exception):
                await self.read()
            await asyncio.sleep(DEPTH_PERIOD_SECONDS)
