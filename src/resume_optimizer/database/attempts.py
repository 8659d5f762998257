"""Attempts: a worker takes a job, shows that it lives, and ends it; each job ends once.

A job may be worked on twice (a worker stalled, another took over): whoever moves it to its end
first has ended it, and the other is told so. Only the one that did may count it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from resume_optimizer.database.pool import Connection, Database

if TYPE_CHECKING:
    from resume_optimizer.resumes.optimise import LlmCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an attempt needs to know. `lost` is how many earlier attempts ended without a word.

    `age_seconds` is the time since the job was asked for.
    """

    job_id: UUID
    number: int
    lost: int
    age_seconds: float
    file_type: str
    object_key: str
    posting_text: str | None
    posting_url: str | None
    user_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a successful attempt leaves. `optimisation` is JSON text."""

    optimisation: str
    score_before: int
    score_after: int
    company_type: str
    docx_key: str
    docx_bytes: int
    pdf_key: str
    pdf_bytes: int
    calls: Sequence[LlmCall] = ()


async def begin(database: Database, job_id: UUID) -> Work | None:
    """Start an attempt, or return None when the job has ended or is not there."""
    async with database.transaction() as connection:
        row = await connection.fetchrow(
            "UPDATE jobs SET status = 'running', attempts = attempts + 1, heartbeat_at = now()"
            " FROM resumes, users WHERE jobs.id = $1 AND resumes.id = jobs.resume_id"
            " AND users.id = jobs.user_id"
            " AND status IN ('queued', 'running')"
            " RETURNING attempts, file_type, object_key, posting_text, posting_url, user_type,"
            " now() - jobs.created_at AS age",
            job_id,
        )
        if row is None:
            return None
        await connection.execute(
            "UPDATE attempts SET outcome = 'lost', ended_at = now()"
            " WHERE job_id = $1 AND outcome IS NULL",
            job_id,
        )
        await connection.execute(
            "INSERT INTO attempts (job_id, number) VALUES ($1, $2)", job_id, row["attempts"]
        )
        lost = await connection.fetchval(
            "SELECT count(*) FROM attempts WHERE job_id = $1 AND outcome = 'lost'", job_id
        )
    return Work(
        job_id=job_id,
        number=row["attempts"],
        lost=lost,
        age_seconds=row["age"].total_seconds(),
        file_type=row["file_type"],
        object_key=row["object_key"],
        posting_text=row["posting_text"],
        posting_url=row["posting_url"],
        user_type=row["user_type"],
    )


async def heartbeat(database: Database, job_id: UUID) -> None:
    """Note that somebody still works on the job."""
    await database.row("UPDATE jobs SET heartbeat_at = now() WHERE id = $1", job_id)


async def complete(database: Database, work: Work, finished: Finished) -> float | None:
    """End the job with its result.

    Returns the seconds since it was asked for, or None when somebody else ended it before; then
    nothing of this attempt was kept.
    """
    async with database.transaction() as connection:
        seconds = await _end(connection, work, "completed", finished.company_type)
        if seconds is None:
            await _end_attempt(connection, work, "lost", None)
            return None
        await connection.execute(
            "INSERT INTO results (job_id, optimisation, score_before, score_after, docx_key,"
            " docx_bytes, pdf_key, pdf_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            work.job_id,
            orjson.Fragment(finished.optimisation),
            finished.score_before,
            finished.score_after,
            finished.docx_key,
            finished.docx_bytes,
            finished.pdf_key,
            finished.pdf_bytes,
        )
        await _record_calls(connection, work, finished.calls)
        await _end_attempt(connection, work, "success", None)
    return seconds


async def fail(
    database: Database,
    work: Work,
    code: str,
    message: str,
    *,
    company_type: str = "unknown",
    calls: Sequence[LlmCall] = (),
) -> float | None:
    """End the job without a result. Returns as `complete` does."""
    async with database.transaction() as connection:
        seconds = await _end(connection, work, "failed", company_type, code, message)
        await _record_calls(connection, work, calls)
        await _end_attempt(connection, work, "failed" if seconds is not None else "lost", code)
    return seconds


async def retry(
    database: Database, work: Work, code: str, *, calls: Sequence[LlmCall] = ()
) -> None:
    """End the attempt and let the job wait for the next one."""
    async with database.transaction() as connection:
        await _record_calls(connection, work, calls)
        await _end_attempt(connection, work, "retry", code)
        await connection.execute(
            "UPDATE jobs SET status = 'queued', heartbeat_at = now()"
            " WHERE id = $1 AND status = 'running' AND attempts = $2",
            work.job_id,
            work.number,
        )


async def _end(
    connection: Connection,
    work: Work,
    status: str,
    company_type: str,
    code: str | None = None,
    message: str | None = None,
) -> float | None:
    duration: timedelta | None = await connection.fetchval(
        "UPDATE jobs SET status = $2, company_type = $3, failure_code = $4, failure_message = $5,"
        " heartbeat_at = now(), ended_at = now()"
        " WHERE id = $1 AND status IN ('queued', 'running') RETURNING now() - created_at",
        work.job_id,
        status,
        company_type,
        code,
        message,
    )
    return None if duration is None else duration.total_seconds()


async def _end_attempt(connection: Connection, work: Work, outcome: str, code: str | None) -> None:
    await connection.execute(
        "UPDATE attempts SET outcome = $3, failure_code = $4, ended_at = now()"
        " WHERE job_id = $1 AND number = $2",
        work.job_id,
        work.number,
        outcome,
        code,
    )


async def _record_calls(connection: Connection, work: Work, calls: Sequence[LlmCall]) -> None:
    if not calls:
        return
    await connection.executemany(
        "INSERT INTO llm_calls (job_id, attempt, provider, model, input_tokens,"
        " cached_input_tokens, output_tokens, reasoning_tokens, cost_usd, duration_seconds,"
        " outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        [
            (
                work.job_id,
                work.number,
                call.provider,
                call.model,
                call.usage.input_tokens,
                call.usage.cached_input_tokens,
                call.usage.output_tokens,
                call.usage.reasoning_tokens,
                call.cost_usd,
                call.duration_seconds,
                call.outcome,
            )
            for call in calls
        ],
    )
