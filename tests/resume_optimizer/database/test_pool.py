"""The pool of connections at its end."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import asyncpg
import pytest

from resume_optimizer.database import Database
from resume_optimizer.settings import Settings
from watchkeeper import Telemetry

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


async def test_what_is_given_back_while_the_pool_closes_is_waited_for(
    settings: Settings, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    database = await Database.open(telemetry, settings.database_url, connections=1)
    given_back = asyncio.Event()
    reset = asyncpg.Connection.reset

    async def tell_and_reset(self: asyncpg.Connection, **options: Any) -> None:
        given_back.set()
        await reset(self, **options)

    monkeypatch.setattr(asyncpg.Connection, "reset", tell_and_reset)
    asking = asyncio.create_task(database.value("SELECT 1"))
    await given_back.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    await database.close()
    await the_loop_has_nothing_left_to_do()

    assert said == []


async def test_a_query_that_does_not_end_does_not_hold_the_end_up(
    settings: Settings, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resume_optimizer.database.pool.CLOSE_TIMEOUT_SECONDS", 0.05)
    database = await Database.open(telemetry, settings.database_url, connections=1)
    async with database.connection() as connection:
        asking = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0)

        await database.close()

        with pytest.raises(asyncpg.PostgresConnectionError):
            await asking


async def the_loop_has_nothing_left_to_do() -> None:
    for _ in range(50):
        await asyncio.sleep(0)
    gc.collect()
