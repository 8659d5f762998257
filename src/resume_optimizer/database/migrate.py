"""Migrations: numbered SQL files, each applied once, in order, whoever starts first."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from importlib.resources import files

from resume_optimizer.database.pool import Connection, Database
from resume_optimizer.failures import Failure

RETRY_SECONDS = 1.0

LOCK = 0x7265_7375_6D65
"""The key of the advisory lock under which one process at a time migrates ("resume")."""

logger = logging.getLogger(__name__)

NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql\Z")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str


def migrations() -> tuple[Migration, ...]:
    """Return the migrations of this package in order. Raises ValueError on a gap."""
    found = []
    for file in files("resume_optimizer.database").joinpath("migrations").iterdir():
        match = NAME.match(file.name)
        if match:
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations must be numbered 0001, 0002 ... without a gap")
    return tuple(found)


async def migrate(database: Database) -> tuple[Migration, ...]:
    """Apply what is missing, in one transaction, and return it.

    Raises Failure `database_unavailable`.
    """
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            " version integer PRIMARY KEY,"
            " name text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = {
            row["version"]
            for row in await connection.fetch("SELECT version FROM schema_migrations")
        }
        missing = tuple(step for step in migrations() if step.version not in done)
        for step in missing:
            await _apply(connection, step)
    return missing


async def keep_migrating(database: Database) -> None:
    """Migrate as soon as PostgreSQL answers, however long that takes."""
    waiting = False
    while True:
        try:
            await migrate(database)
        except Failure as failure:
            if not waiting:
                logger.warning("migrations wait for the database: %s", failure.message)
            waiting = True
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _apply(connection: Connection, step: Migration) -> None:
    await connection.execute(step.sql)
    await connection.execute(
        "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)", step.version, step.name
    )
