"""Users: people with an email address and a password, or an identity somewhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from resume_optimizer.database.pool import Database, Row
from resume_optimizer.failures import Failure


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account. `user_type` is free, premium or probe."""

    id: UUID
    email: str
    user_type: str
    password_hash: str | None = field(repr=False)


async def create(
    database: Database, email: str, password_hash: str | None, user_type: str = "free"
) -> User:
    """Add a user. Raises Failure `email_taken`."""
    row = await database.row(
        "INSERT INTO users (email, password_hash, user_type) VALUES ($1, $2, $3)"
        " ON CONFLICT (email) DO NOTHING RETURNING id, email, user_type, password_hash",
        email,
        password_hash,
        user_type,
    )
    if row is None:
        raise Failure("email_taken")
    return _user(row)


async def by_email(database: Database, email: str) -> User | None:
    """Return the user with this address, or None."""
    row = await database.row(
        "SELECT id, email, user_type, password_hash FROM users WHERE email = $1", email
    )
    return _user(row) if row else None


async def by_identity(database: Database, issuer: str, subject: str) -> User | None:
    """Return the user whom a provider knows by this subject, or None."""
    row = await database.row(
        "SELECT id, email, user_type, password_hash FROM users"
        " JOIN identities ON identities.user_id = users.id"
        " WHERE issuer = $1 AND subject = $2",
        issuer,
        subject,
    )
    return _user(row) if row else None


async def create_with_identity(database: Database, email: str, issuer: str, subject: str) -> User:
    """Add a user whom a provider vouches for. Raises Failure `email_taken`.

    An account that has the address already is not taken over: whoever made it may be
    somebody else.
    """
    try:
        async with database.transaction() as connection:
            row = await connection.fetchrow(
                "INSERT INTO users (email) VALUES ($1)"
                " RETURNING id, email, user_type, password_hash",
                email,
            )
            await connection.execute(
                "INSERT INTO identities (issuer, subject, user_id) VALUES ($1, $2, $3)",
                issuer,
                subject,
                row["id"],
            )
    except asyncpg.UniqueViolationError as error:
        raise Failure("email_taken") from error
    return _user(row)


async def set_password_hash(database: Database, user_id: UUID, password_hash: str) -> None:
    """Replace a password's hash, as when its parameters became stronger."""
    await database.row("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, password_hash)


def _user(row: Row) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        user_type=row["user_type"],
        password_hash=row["password_hash"],
    )
