"""Jobs: asked for, listed, looked at, and their results."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Header
from pydantic import BaseModel
from starlette.responses import Response

from resume_optimizer.api.caller import Caller, SignedIn, session_of
from resume_optimizer.api.text import Text
from resume_optimizer.database import jobs, resumes
from resume_optimizer.database.jobs import Job, NewJob, StoredResult
from resume_optimizer.failures import CODES, Failure
from resume_optimizer.jobs.queue import NAME
from resume_optimizer.outages import CACHE_DOWN
from resume_optimizer.resumes.addresses import resolve
from resume_optimizer.telemetry import JOB_REQUESTED
from watchkeeper.conventions import queue

SHORTEST_POSTING = 40
LONGEST_REQUEST_KEY = 200
LOOK_AT_URL_SECONDS = 1.0

router = APIRouter()
logger = logging.getLogger(__name__)


class JobRequest(BaseModel):
    """A resume and a posting, the posting as text or as a URL."""

    resume_id: UUID
    posting_text: Text = ""
    posting_url: Text = ""


async def ask(calling: Caller, wanted: JobRequest, request_key: str | None = None) -> Job:
    """Ask for a job.

    Raises Failure `resume_not_found`, `posting_...`, `queue_full`, `rate_limited`.
    """
    services = calling.api.services
    session = session_of(calling)
    text, url = await check_posting(calling, wanted.posting_text, wanted.posting_url)
    if await resumes.get(services.database, wanted.resume_id, session.user_id) is None:
        raise Failure("resume_not_found")
    if await jobs.waiting(services.database) >= services.settings.limits.queued_jobs:
        services.telemetry.counter(queue.REJECTED).inc(queue=NAME)
        raise Failure("queue_full")
    await calling.api.rate_limits.job(session.user_type, calling.who)
    job, new = await jobs.create(
        services.database,
        NewJob(
            user_id=session.user_id,
            resume_id=wanted.resume_id,
            posting_text=text,
            posting_url=url,
            request_key=request_key,
            trace_id=services.telemetry.trace_id(),
            carrier=services.telemetry.inject(),
        ),
    )
    if new:
        services.telemetry.log(JOB_REQUESTED, job_id=str(job.id), user_id=str(session.user_id))
        await _enqueue(calling, job)
    return job


async def check_posting(calling: Caller, text: str, url: str) -> tuple[str | None, str | None]:
    """Return (text, None) or (None, URL) of a posting.

    A URL that leads into a private network is refused at once; whether it can be fetched is
    for the job to find out. Raises Failure `posting_...`.
    """
    text, url = text.strip(), url.strip()
    if bool(text) == bool(url):
        raise Failure("posting_missing")
    limits = calling.api.services.settings.limits
    if text:
        if len(text) > limits.posting_characters:
            raise Failure("posting_too_large")
        if len(text) < SHORTEST_POSTING:
            raise Failure("posting_too_short")
        return text.replace("\x00", " "), None
    try:
        async with asyncio.timeout(LOOK_AT_URL_SECONDS):
            await resolve(url, calling.api.services.settings.posting_allow_private)
    except TimeoutError:
        logger.info("a posting's host name takes long to resolve")
    except Failure as failure:
        if failure.code != "posting_unreachable":
            raise
    return None, url


@router.post("/api/jobs", status_code=202)
async def post_job(
    calling: SignedIn,
    wanted: JobRequest,
    idempotency_key: Annotated[str | None, Header(max_length=LONGEST_REQUEST_KEY)] = None,
) -> dict[str, Any]:
    """Ask for a job. The same `Idempotency-Key` twice is one job."""
    return describe(await ask(calling, wanted, idempotency_key or None))


@router.get("/api/jobs")
async def get_jobs(calling: SignedIn) -> dict[str, Any]:
    """List the jobs of whoever is logged in, newest first."""
    found = await jobs.of_user(calling.api.services.database, session_of(calling).user_id)
    return {"jobs": [describe(job) for job in found]}


@router.get("/api/jobs/{job_id}")
async def get_job(calling: SignedIn, job_id: UUID) -> dict[str, Any]:
    """Say how far a job is."""
    return describe(await find(calling, job_id))


@router.get("/api/jobs/{job_id}/result")
async def get_result(calling: SignedIn, job_id: UUID) -> Response:
    """Return what a job did: scores, changes, keywords. A failed job answers with its failure."""
    job = await find(calling, job_id)
    result = await result_of(calling, job)
    body = {
        "job": describe(job),
        "optimisation": orjson.Fragment(result.optimisation),
        "documents": {kind: f"/api/jobs/{job.id}/resume.{kind}" for kind in ("docx", "pdf")},
    }
    return Response(orjson.dumps(body), media_type="application/json")


async def find(calling: Caller, job_id: UUID) -> Job:
    """Return a job of whoever is logged in. Raises Failure `job_not_found`."""
    job = await jobs.get(calling.api.services.database, job_id, session_of(calling).user_id)
    if job is None:
        raise Failure("job_not_found")
    return job


async def result_of(calling: Caller, job: Job) -> StoredResult:
    """Return a job's result. Raises Failure `job_not_finished`, or the job's own."""
    if job.status == "failed":
        raise failure_of_job(job)
    result = await jobs.result(calling.api.services.database, job.id)
    if result is None:
        raise Failure("job_not_finished")
    return result


def failure_of_job(job: Job) -> Failure:
    """Return why a job failed."""
    code = job.failure_code if job.failure_code in CODES else "internal_error"
    return Failure(code or "internal_error", job.failure_message or "")


def describe(job: Job) -> dict[str, Any]:
    """Return a job as JSON shows it."""
    error = None
    if job.status == "failed":
        failure = failure_of_job(job)
        error = {"code": failure.code, "message": failure.message, "trace_id": job.trace_id}
    return {
        "id": str(job.id),
        "status": job.status,
        "resume_id": str(job.resume_id),
        "filename": job.filename,
        "posting_url": job.posting_url,
        "attempts": job.attempts,
        "score_before": job.score_before,
        "score_after": job.score_after,
        "created_at": job.created_at.isoformat(),
        "ended_at": job.ended_at.isoformat() if job.ended_at else None,
        "trace_id": job.trace_id,
        "error": error,
    }


async def _enqueue(calling: Caller, job: Job) -> None:
    services = calling.api.services
    try:
        await services.queue.add(job.id, timeout_seconds=services.settings.limits.job_seconds)
    except (*CACHE_DOWN, OSError):
        logger.warning("the queue does not answer: recovery will put in job %s", job.id)
