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


def _resume(row: Row) -> Resume:
    return Resume(**dict(row))
