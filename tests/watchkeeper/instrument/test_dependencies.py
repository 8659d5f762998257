"""Every dependency is asked, also when the first one is down."""

from __future__ import annotations

import asyncio

import pytest

from watchkeeper.conventions import dependencies
from watchkeeper.instrument.dependencies import DependencyCheck, check_all
from watchkeeper.testing import Captured

pytestmark = pytest.mark.anyio


async def test_each_answer_is_reported_with_what_is_wrong(seen: Captured) -> None:
    async def well() -> None:
        seen.clock.advance(0.5)

    async def refused() -> None:
        raise ConnectionRefusedError("postgres://user:pw@db refused")

    async def silent() -> None:
        await asyncio.Event().wait()

    checks = (
        DependencyCheck("objects", refused),
        DependencyCheck("cache", silent, timeout_seconds=0.01),
        DependencyCheck("database", well),
    )
    objects, cache, database = await check_all(seen.telemetry, checks)
    assert objects.detail == "ConnectionRefusedError: postgres://[password]@db refused"
    assert (cache.up, cache.detail) == (False, "no answer within 0.01 s")
    assert (database.up, database.latency_seconds, database.detail) == (True, 0.5, "")
    assert seen.value(dependencies.UP, dependency="database") == 1
    assert seen.value(dependencies.UP, dependency="cache") == 0
