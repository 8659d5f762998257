"""Resumes: what people uploaded, and under which key the file store keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from resume_optimizer.database.pool import Database, Row

COLUMNS = "id, user_id, filename, file_type, size_bytes, object_key, created_at"


@dataclass(frozen=True, slots=True)
class Resume:
    """An uploaded file."""

    id: UUID
    user_id: UUID
    filename: str
    file_type: str
    size_bytes: int
    object_key: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResume:
    """A file that was put into the file store and is to be remembered."""

    user_id: UUID
    filename: str
    file_type: str
    size_bytes: int
    object_key: str


async def create(database: Database, new: NewResume) -> Resume:
    """Remember an upload."""
    row = await database.row(
        "INSERT INTO resumes (user_id, filename, file_type, size_bytes, object_key)"
        f" VALUES ($1, $2, $3, $4, $5) RETURNING {COLUMNS}",
        new.user_id,
        new.filename,
        new.file_type,
        new.size_bytes,
        new.object_key,
    )
    return _resume(row)


async def of_user(database: Database, user_id: UUID, *, limit: int = 50) -> list[Resume]:
    """Return a user's resumes, newest first."""
    rows = await database.rows(
        f"SELECT {COLUMNS} FROM resumes WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2",
        user_id,
        limit,
    )
    return [_resume(row) for row in rows]


async def get(database: Database, resume_id: UUID, user_id: UUID) -> Resume | None:
    """Return a resume if it is this user's, or None."""
    row = await database.row(
        f"SELECT {COLUMNS} FROM resumes WHERE id = $1 AND user_id = $2", resume_id, user_id
    )
    return _resume(row) if row else None


@dataclass(frozen=True, slots=True)
class Expired:
    """A resume that is no longer kept, and the keys of all files that belong to it."""

    id: UUID
    object_keys: tuple[str, ...]


async def expired(
    database: Database, user_type: str, seconds: float, *, limit: int = 100
) -> list[Expired]:
    """Return resumes of a kind of user that are older than so many seconds, oldest first."""
    rows = await database.rows(
        "SELECT resumes.id, array_agg(resumes.object_key) || array_agg(docx_key)"
        " || array_agg(pdf_key) AS keys"
        " FROM resumes JOIN users ON users.id = resumes.user_id"
        " LEFT JOIN jobs ON jobs.resume_id = resumes.id"
        " LEFT JOIN results ON results.job_id = jobs.id"
        " WHERE user_type = $1 AND resumes.created_at < now() - make_interval(secs => $2)"
        " GROUP BY resumes.id ORDER BY resumes.created_at LIMIT $3",
        user_type,
        seconds,
        limit,
    )
    return [Expired(row["id"], tuple(sorted({key for key in row["keys"] if key}))) for row in rows]


async def forget(database: Database, resume_id: UUID) -> None:
    """Delete a resume and its jobs."""
    await database.row("DELETE FROM resumes WHERE id = $1", resume_id)


def _resume(row: Row) -> Resume:
    return Resume(**dict(row))
