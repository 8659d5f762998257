"""Jobs: what somebody asked for, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from resume_optimizer.database.pool import Database, Row

COLUMNS = (
    "jobs.id, jobs.user_id, resume_id, filename, posting_text, posting_url, status, attempts,"
    " company_type, failure_code, failure_message, trace_id, carrier, jobs.created_at, ended_at,"
    " score_before, score_after"
)
TABLES = (
    "jobs JOIN resumes ON resumes.id = jobs.resume_id LEFT JOIN results ON results.job_id = jobs.id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A request for a job: either `posting_text` or `posting_url`.

    `request_key` is the asker's own name for the request: the same key twice is one job.
    `carrier` continues the trace of the request, `trace_id` is its id.
    """

    user_id: UUID
    resume_id: UUID
    posting_text: str | None
    posting_url: str | None
    request_key: str | None = None
    trace_id: str = ""
    carrier: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands. `status` is queued, running, completed or failed."""

    id: UUID
    user_id: UUID
    resume_id: UUID
    filename: str
    posting_text: str | None
    posting_url: str | None
    status: str
    attempts: int
    company_type: str
    failure_code: str | None
    failure_message: str | None
    trace_id: str
    carrier: Mapping[str, str]
    created_at: datetime
    ended_at: datetime | None
    score_before: int | None
    score_after: int | None

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.ended_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """What a finished job left: the optimisation as JSON text, and where its documents are."""

    optimisation: str
    docx_key: str
    pdf_key: str


async def create(database: Database, new: NewJob) -> tuple[Job, bool]:
    """Add a job, or find the one with the same request key; returns (job, whether it is new)."""
    job_id = await database.value(
        "INSERT INTO jobs (user_id, resume_id, posting_text, posting_url, request_key, trace_id,"
        " carrier) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (user_id, request_key) DO NOTHING RETURNING id",
        new.user_id,
        new.resume_id,
        new.posting_text,
        new.posting_url,
        new.request_key,
        new.trace_id,
        dict(new.carrier),
    )
    if job_id is not None:
        row = await database.row(f"SELECT {COLUMNS} FROM {TABLES} WHERE jobs.id = $1", job_id)
        return _job(row), True
    row = await database.row(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE jobs.user_id = $1 AND request_key = $2",
        new.user_id,
        new.request_key,
    )
    return _job(row), False


async def get(database: Database, job_id: UUID, user_id: UUID) -> Job | None:
    """Return a job if it is this user's, or None."""
    row = await database.row(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE jobs.id = $1 AND jobs.user_id = $2",
        job_id,
        user_id,
    )
    return _job(row) if row else None


async def of_user(database: Database, user_id: UUID, *, limit: int = 50) -> list[Job]:
    """Return a user's jobs, newest first."""
    rows = await database.rows(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE jobs.user_id = $1"
        " ORDER BY jobs.created_at DESC LIMIT $2",
        user_id,
        limit,
    )
    return [_job(row) for row in rows]


async def waiting(database: Database) -> int:
    """Return how many jobs wait for a worker."""
    return int(await database.value("SELECT count(*) FROM jobs WHERE status = 'queued'"))


async def result(database: Database, job_id: UUID) -> StoredResult | None:
    """Return what the job left, or None while there is nothing."""
    row = await database.row(
        "SELECT optimisation::text, docx_key, pdf_key FROM results WHERE job_id = $1", job_id
    )
    return StoredResult(**dict(row)) if row else None


async def stale(database: Database, seconds: float, *, limit: int = 200) -> list[Job]:
    """Return jobs under way that nobody gave a sign of for so many seconds, oldest first."""
    rows = await database.rows(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE status IN ('queued', 'running')"
        " AND heartbeat_at < now() - make_interval(secs => $1) ORDER BY heartbeat_at LIMIT $2",
        seconds,
        limit,
    )
    return [_job(row) for row in rows]


def _job(row: Row) -> Job:
    return Job(**dict(row))
