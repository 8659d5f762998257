"""The database as the application sees it: queries, transactions, and one way to be down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import asyncpg
import orjson

from resume_optimizer.failures import Failure
from watchkeeper import Telemetry
from watchkeeper.instrument.database import create_pool

ACQUIRE_TIMEOUT_SECONDS = 3.0
QUERY_TIMEOUT_SECONDS = 5.0
CLOSE_TIMEOUT_SECONDS = 1.0

Row = Any
Connection = Any

UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.UndefinedTableError,
)
"""What asyncpg raises when PostgreSQL is not there, not ready, or not migrated yet."""


class Database:
    """A pool of connections. Every method raises Failure `database_unavailable` when
    PostgreSQL does not answer in time; other errors of the database are left as they are."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, telemetry: Telemetry, url: str, *, connections: int) -> Database:
        """Return a database whose connections are opened when they are first needed."""
        pool = await create_pool(
            telemetry,
            url,
            min_size=0,
            max_size=connections,
            timeout=ACQUIRE_TIMEOUT_SECONDS,
            command_timeout=QUERY_TIMEOUT_SECONDS,
            init=_prepare,
        )
        return cls(pool)

    async def close(self) -> None:
        """Close every connection; those still in use after a second are cut off."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Yield a connection of the pool."""
        with _translated():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_SECONDS) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Yield a connection inside a transaction: all of the block happens, or nothing."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def rows(self, sql: str, *arguments: object) -> list[Row]:
        """Return all rows of a query."""
        async with self.connection() as connection:
            return list(await connection.fetch(sql, *arguments))

    async def row(self, sql: str, *arguments: object) -> Row | None:
        """Return the first row of a query, or None."""
        async with self.connection() as connection:
            return await connection.fetchrow(sql, *arguments)

    async def value(self, sql: str, *arguments: object) -> Any:
        """Return the first column of the first row of a query, or None."""
        async with self.connection() as connection:
            return await connection.fetchval(sql, *arguments)

    async def ping(self) -> None:
        """Raise Failure unless PostgreSQL answers and the tables are there."""
        await self.value("SELECT count(*) FROM storage_charges")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except UNAVAILABLE as error:
        raise Failure("database_unavailable") from error


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )
