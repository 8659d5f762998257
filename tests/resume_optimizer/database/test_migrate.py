"""Migrations: each once, in order, whoever starts first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from resume_optimizer.database import Database
from resume_optimizer.database.migrate import migrate, migrations
from resume_optimizer.failures import Failure

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


@pytest.fixture
async def empty(servers: Any, telemetry: Any) -> AsyncIterator[Database]:
    """A database that nobody has migrated yet."""
    url = servers.environment["DATABASE_URL"]
    parent = await Database.open(telemetry, url, connections=1)
    await parent.row("DROP DATABASE IF EXISTS untouched")
    await parent.row("CREATE DATABASE untouched")
    path = url.rpartition("/")[0]
    database = await Database.open(telemetry, f"{path}/untouched", connections=8)
    yield database
    await database.close()
    await parent.row("DROP DATABASE untouched WITH (FORCE)")
    await parent.close()


async def test_what_is_missing_is_applied_once(empty: Database) -> None:
    first = await migrate(empty)
    second = await migrate(empty)

    assert [step.version for step in first] == list(range(1, len(first) + 1))
    assert second == ()


async def test_many_who_start_at_once_migrate_once(empty: Database) -> None:
    done = await asyncio.gather(*(migrate(empty) for _ in range(6)))

    assert len([steps for steps in done if steps]) == 1


async def test_before_the_migration_the_database_counts_as_unavailable(empty: Database) -> None:
    with pytest.raises(Failure, match="database does not answer") as raised:
        await empty.ping()
    assert raised.value.code == "database_unavailable"


def test_numbers_without_a_gap_are_required(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    for name in ("0001_one.sql", "0003_three.sql"):
        (folder / name).write_text("SELECT 1")
    monkeypatch.setitem(migrations.__globals__, "files", lambda _: tmp_path)

    with pytest.raises(ValueError, match="without a gap"):
        migrations()
