"""One attempt at a job: begun, kept alive, and ended in the books exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from resume_optimizer.database import attempts
from resume_optimizer.database.attempts import Finished, Work
from resume_optimizer.failures import CODES, Failure
from resume_optimizer.jobs.pipeline import Notes, Pipeline
from resume_optimizer.outages import CACHE_DOWN, failure_of
from resume_optimizer.resumes.optimise import OptimisationFailure
from resume_optimizer.services import Services
from resume_optimizer.settings import Limits
from resume_optimizer.telemetry import (
    JOB_COMPLETED,
    JOB_FAILED,
    JOB_REJECTED,
    JOB_RETRIED,
    JOB_SPAN,
    JOB_STARTED,
    MATCH_SCORE,
    OPTIMIZATIONS,
    PROCESSING_TIME,
)
from watchkeeper.conventions import jobs as conventions

HEARTBEAT_INTERVAL_SECONDS = 1.5
LONGEST_OUTAGE_SECONDS = 3600.0
"""How old a job may become while it waits for a dependency of our own to come back."""

OWN_DEPENDENCIES = ("database_unavailable", "cache_unavailable", "objects_unavailable")

Beat = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


class TryAgainError(Exception):
    """Tells the queue to take the job up again later; the reason is in the books already."""


class Attempts:
    """Makes attempts at jobs and records how they went."""

    def __init__(self, services: Services, pipeline: Pipeline) -> None:
        self._database = services.database
        self._telemetry = services.telemetry
        self._limits = services.settings.limits
        self._pipeline = pipeline

    async def make(self, job_id: UUID, beat: Beat) -> None:
        """Try the job once, if it has not ended yet; `beat` is called every few seconds.

        Raises TryAgainError when the job is to be taken up again.
        """
        try:
            work = await attempts.begin(self._database, job_id)
            if work is not None:
                await self._make(work, beat)
        except Failure as failure:
            raise TryAgainError(failure.code) from failure

    async def _make(self, work: Work, beat: Beat) -> None:
        attributes: dict[str, Any] = {
            "job.id": str(work.job_id),
            "job.url": _without_secrets(work.posting_url),
            "job.attempt": work.number,
            "operation.type": "resume_optimization",
        }
        with self._telemetry.span(JOB_SPAN, **attributes) as span:
            self._telemetry.log(JOB_STARTED, job_id=str(work.job_id), attempt=work.number)
            notes = Notes()
            failure = None
            with self._telemetry.summary(PROCESSING_TIME).time():
                if work.lost >= self._limits.job_attempts:
                    failure = Failure("job_attempts_exhausted")
                else:
                    failure = await self._try(work, notes, beat)
            if failure is None:
                span.set_attribute("job.outcome", "success")
                return
            outcome = "failed" if gives_up(failure, work, self._limits) else "retry"
            span.set_attribute("job.outcome", outcome)
            if outcome == "failed":
                await self._fail(work, notes, failure)
            else:
                await self._retry(work, notes, failure)

    async def _try(self, work: Work, notes: Notes, beat: Beat) -> Failure | None:
        try:
            async with _kept_alive(beat), asyncio.timeout(self._limits.job_seconds):
                finished = await self._pipeline.run(work, notes)
            seconds = await attempts.complete(self._database, work, finished)
        except TimeoutError:
            return Failure("job_timeout")
        except Exception as error:  # noqa: BLE001 - whatever it was, the job ends with an answer
            return self._failure(error, notes)
        if seconds is None:
            await self._pipeline.discard(finished)
        else:
            self._count_completed(work, finished, seconds)
        return None

    def _count_completed(self, work: Work, finished: Finished, seconds: float) -> None:
        self._count("completed", "success", seconds, finished.company_type)
        self._telemetry.counter(conventions.ATTEMPTS).inc(outcome="success")
        self._telemetry.summary(MATCH_SCORE).observe(finished.score_after)
        self._telemetry.log(
            JOB_COMPLETED,
            job_id=str(work.job_id),
            duration_seconds=seconds,
            score_before=finished.score_before,
            score_after=finished.score_after,
        )

    def _failure(self, error: Exception, notes: Notes) -> Failure:
        failure = failure_of(error)
        if isinstance(error, OptimisationFailure):
            notes.calls = error.calls
        if failure is None:
            logger.error("a job failed for a fault of the program", exc_info=error)
            return Failure("internal_error")
        return failure

    async def _fail(self, work: Work, notes: Notes, failure: Failure) -> None:
        seconds = await attempts.fail(
            self._database,
            work,
            failure.code,
            failure.message,
            company_type=notes.company_type,
            calls=notes.calls,
        )
        if seconds is None:
            return
        rejected = failure.status < HTTPStatus.INTERNAL_SERVER_ERROR
        status = "rejected" if rejected else "failed"
        self._count(status, status, seconds, notes.company_type)
        self._telemetry.counter(conventions.ATTEMPTS).inc(outcome="failed")
        self._telemetry.log(
            JOB_REJECTED if rejected else JOB_FAILED,
            job_id=str(work.job_id),
            code=failure.code,
            duration_seconds=seconds,
        )

    async def _retry(self, work: Work, notes: Notes, failure: Failure) -> None:
        self._telemetry.counter(conventions.ATTEMPTS).inc(outcome="retry")
        self._telemetry.log(
            JOB_RETRIED, job_id=str(work.job_id), attempt=work.number, code=failure.code
        )
        await attempts.retry(self._database, work, failure.code, calls=notes.calls)
        raise TryAgainError(failure.code)

    def _count(self, status: str, outcome: str, seconds: float, company_type: str) -> None:
        self._telemetry.counter(conventions.COMPLETED).inc(status=status)
        self._telemetry.histogram(conventions.DURATION).observe(seconds)
        self._telemetry.counter(OPTIMIZATIONS).inc(status=outcome, company_type=company_type)


def gives_up(failure: Failure, work: Work, limits: Limits) -> bool:
    """Return whether the job ends with this failure.

    What the asker did wrong is final. A dependency of our own that is down is waited for; a
    language model that fails gets a few attempts.
    """
    if not CODES[failure.code].retryable:
        return True
    if failure.code in OWN_DEPENDENCIES:
        return work.age_seconds > LONGEST_OUTAGE_SECONDS
    return work.number >= limits.job_attempts


@asynccontextmanager
async def _kept_alive(beat: Beat) -> AsyncIterator[None]:
    beating = asyncio.create_task(_beat(beat), name="heartbeat")
    try:
        yield
    finally:
        beating.cancel()


async def _beat(beat: Beat) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_INTERVAL_SECONDS)
        try:
            await beat()
        except (Failure, OSError, *CACHE_DOWN):
            continue


def _without_secrets(url: str | None) -> str:
    """Return host and path alone: queries and logins may hold secrets."""
    if not url:
        return ""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
