"""The worker: takes jobs from the queue, and keeps watch over those under way."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import uvicorn
from saq import Worker
from saq.types import PartialTimersDict

from resume_optimizer.database import attempts
from resume_optimizer.database.migrate import keep_migrating
from resume_optimizer.dependencies import Dependencies
from resume_optimizer.jobs.attempt import Attempts, TryAgainError
from resume_optimizer.jobs.gauges import follow
from resume_optimizer.jobs.pipeline import Pipeline
from resume_optimizer.jobs.queue import FUNCTION
from resume_optimizer.jobs.recovery import keep_recovering
from resume_optimizer.jobs.retention import keep_forgetting
from resume_optimizer.llm.provider import Provider
from resume_optimizer.services import Services
from watchkeeper.instrument.queue import process_span

GRACE_SECONDS = 15
TIMERS: PartialTimersDict = {"schedule": 1, "worker_info": 2, "sweep": 1, "abort": 1}


async def work(services: Services, provider: Provider, metrics_socket: socket.socket) -> None:
    """Work until SIGTERM or SIGINT; jobs under way get some seconds to end.

    Metrics are served on `metrics_socket` from the first moment on.
    """
    serving = MetricsServer(services).serve([metrics_socket])
    looking = Dependencies(services).keep_looking()
    beside = [
        asyncio.create_task(serving, name="metrics"),
        asyncio.create_task(looking, name="dependencies"),
    ]
    with services.untraced():
        await keep_migrating(services.database)
    beside += [
        asyncio.create_task(keep_recovering(services), name="recovery"),
        asyncio.create_task(follow(services), name="gauges"),
        asyncio.create_task(keep_forgetting(services), name="retention"),
    ]
    for task in beside:
        task.add_done_callback(_report)
    try:
        await make_worker(services, provider).start()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def make_worker(services: Services, provider: Provider) -> Worker[Any]:
    """Return saq's worker for the queue of jobs."""
    logging.getLogger("saq").addFilter(_says_more_than_try_again)
    making = Attempts(services, Pipeline(services, provider))

    async def process(context: dict[str, Any], *, job_id: str) -> None:
        entry = context["job"]

        async def beat() -> None:
            with services.untraced():
                await attempts.heartbeat(services.database, UUID(job_id))
                await entry.update()

        with process_span(services.telemetry, entry):
            await making.make(UUID(job_id), beat)

    return Worker(
        services.queue,
        functions=[(FUNCTION, process)],
        concurrency=services.settings.limits.worker_jobs,
        timers=TIMERS,
        shutdown_grace_period_s=GRACE_SECONDS,
    )


class MetricsServer(uvicorn.Server):
    """Answers GET /metrics beside the work; signals are the worker's."""

    def __init__(self, services: Services) -> None:
        super().__init__(
            uvicorn.Config(
                services.telemetry.metrics_app(), lifespan="off", log_config=None, access_log=False
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _says_more_than_try_again(record: logging.LogRecord) -> bool:
    """Drop saq's traceback of an attempt that the books already explain."""
    raised = record.exc_info[1] if record.exc_info else None
    return not isinstance(raised, TryAgainError)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logging.getLogger(__name__).error(
            "the worker's task %r ended", task.get_name(), exc_info=task.exception()
        )
