"""asyncpg, watched: a span and a duration a query, errors by class, the pool as it stands.

COPY and prepared statements are seen too; a transaction's BEGIN and COMMIT are timed and make no
spans. Cursors are not: asyncpg runs them past the connection. The pools of one telemetry are one
sum.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry import trace

from watchkeeper.contract import Gauge
from watchkeeper.conventions import database
from watchkeeper.instrument.calls import client_span
from watchkeeper.instrument.sql import describe_query
from watchkeeper.instrument.telemetry import Telemetry

if TYPE_CHECKING:
    import asyncpg

SQLSTATE_CLASSES = {
    "08": "connection",
    "22": "syntax",
    "23": "constraint",
    "28": "connection",
    "40": "serialization",
    "42": "syntax",
    "53": "resources",
    "54": "resources",
    "57": "connection",
}
"""The error type of a class of SQLSTATE. Source: PostgreSQL manual, appendix A."""

CANCELLED = "57014"


async def create_pool(telemetry: Telemetry, dsn: str, **asyncpg_arguments: Any) -> asyncpg.Pool:
    """Return an asyncpg pool whose connections are watched.

    Takes what asyncpg.create_pool takes, except `connection_class`.
    """
    import asyncpg

    connection_class = _watched_connection(asyncpg.Connection, Queries(telemetry))
    pool = asyncpg.create_pool(dsn, connection_class=connection_class, **asyncpg_arguments)
    pool.__class__ = _watched_pool(type(pool), telemetry)
    await pool
    _follow(telemetry, pool)
    return pool


class Queries:
    """Times queries, names their spans, and classes their errors."""

    def __init__(self, telemetry: Telemetry) -> None:
        import asyncpg

        self._expected = asyncpg.IntegrityConstraintViolationError
        self._telemetry = telemetry
        self._durations = telemetry.declares(database.QUERY_DURATION)
        self._errors = telemetry.declares(database.QUERY_ERRORS)

    async def watch(self, text: str, run: Callable[[], Awaitable[Any]]) -> Any:
        """Await `run()`, which executes the statement `text`."""
        telemetry = self._telemetry
        query = describe_query(text)
        started_ns = telemetry.clock.monotonic_ns()
        try:
            if query.type == "transaction":
                return await run()
            with client_span(
                telemetry,
                database.QUERY_SPAN,
                name=query.name,
                expected=self._expected,
                **{
                    "db.system.name": "postgresql",
                    "db.operation.name": query.operation,
                    "db.query.text": query.text,
                },
            ) as span:
                return await _tell_state(span, run)
        except BaseException as error:
            self.failed(error)
            raise
        finally:
            if self._durations:
                seconds = (telemetry.clock.monotonic_ns() - started_ns) / 1e9
                telemetry.histogram(database.QUERY_DURATION).observe(seconds, query_type=query.type)

    def failed(self, error: BaseException) -> None:
        """Count what went wrong."""
        if self._errors and not isinstance(error, GeneratorExit):
            self._telemetry.counter(database.QUERY_ERRORS).inc(error_type=error_type(error))


async def _tell_state(span: trace.Span, run: Callable[[], Awaitable[Any]]) -> Any:
    """Await `run()`; what PostgreSQL refuses leaves its SQLSTATE in the span."""
    try:
        return await run()
    except Exception as error:
        state = getattr(error, "sqlstate", None)
        if isinstance(state, str):
            span.set_attribute("db.response.status_code", state)
        raise


def error_type(error: BaseException) -> str:
    """Return the class of an error, by its SQLSTATE where it has one."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        if state == CANCELLED:
            return "cancelled"
        return SQLSTATE_CLASSES.get(state[:2], "other")
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError) or type(error).__name__ in (
        "InterfaceError",
        "InternalClientError",
    ):
        return "connection"
    return "other"


def _watched_connection(base: Any, queries: Queries) -> type:
    statement_class = _watched_statement(queries)

    class WatchedConnection(base):  # type: ignore[misc] # a class of asyncpg, which has no types
        """A connection that tells of every statement it runs, except the pool's own reset."""

        _resetting = False

        async def execute(self, query: str, *args: Any, **options: Any) -> Any:
            run = super().execute
            if self._resetting:
                return await run(query, *args, **options)
            return await queries.watch(query, lambda: run(query, *args, **options))

        async def prepare(self, query: str, **options: Any) -> Any:
            try:
                statement = await super().prepare(query, **options)
            except Exception as error:
                queries.failed(error)
                raise
            statement.__class__ = statement_class
            return statement

        async def reset(self, **options: Any) -> None:
            self._resetting = True
            try:
                await super().reset(**options)
            finally:
                self._resetting = False

    for name in ("fetch", "fetchmany", "fetchrow", "fetchval", "executemany"):
        setattr(WatchedConnection, name, _watched_method(getattr(base, name), queries, "{}"))
    for name in ("copy_from_table", "copy_to_table", "copy_records_to_table"):
        setattr(WatchedConnection, name, _watched_method(getattr(base, name), queries, "COPY {}"))
    copy_from_query = _watched_method(base.copy_from_query, queries, "COPY ({})")
    WatchedConnection.copy_from_query = copy_from_query
    return WatchedConnection


def _watched_statement(queries: Queries) -> type:
    from asyncpg.prepared_stmt import PreparedStatement

    class WatchedStatement(PreparedStatement):  # type: ignore[misc] # asyncpg has no types
        """A prepared statement that tells of every time it is executed."""

        __slots__ = ()

    def watched(method: Any) -> Any:
        @functools.wraps(method)
        async def execute(self: Any, *args: Any, **options: Any) -> Any:
            return await queries.watch(self.get_query(), lambda: method(self, *args, **options))

        return execute

    for name in ("fetch", "fetchmany", "fetchrow", "fetchval", "executemany"):
        setattr(WatchedStatement, name, watched(getattr(PreparedStatement, name)))
    return WatchedStatement


def _watched_method(method: Any, queries: Queries, statement: str) -> Any:
    """Return `method`, watched; its first argument, put into `statement`, is what it executes."""

    @functools.wraps(method)
    async def watched(self: Any, subject: str, *args: Any, **options: Any) -> Any:
        return await queries.watch(
            statement.format(subject), lambda: method(self, subject, *args, **options)
        )

    return watched


def _watched_pool(base: type, telemetry: Telemetry) -> type:
    timed = telemetry.declares(database.ACQUIRE_DURATION)

    class WatchedPool(base):  # type: ignore[misc] # a class of asyncpg, which has no types
        """A pool that tells how long work waited for a connection."""

        __slots__ = ()

        async def _acquire(self, *limits: Any) -> Any:
            if not timed:
                return await super()._acquire(*limits)
            with telemetry.histogram(database.ACQUIRE_DURATION).time():
                return await super()._acquire(*limits)

    return WatchedPool


_pools: WeakKeyDictionary[Telemetry, list[asyncpg.Pool]] = WeakKeyDictionary()


def _follow(telemetry: Telemetry, pool: asyncpg.Pool) -> None:
    pools = _pools.setdefault(telemetry, [])
    pools[:] = [*_open(pools), pool]
    readings: tuple[tuple[Gauge, Callable[[asyncpg.Pool], float]], ...] = (
        (database.CONNECTIONS_ACTIVE, lambda pool: pool.get_size() - pool.get_idle_size()),
        (database.CONNECTIONS_IDLE, lambda pool: pool.get_idle_size()),
        (database.CONNECTIONS_MAX, lambda pool: pool.get_max_size()),
    )
    for declaration, read in readings:
        if telemetry.declares(declaration):
            telemetry.gauge(declaration).follow(functools.partial(_total, read, pools))


def _total(read: Callable[[asyncpg.Pool], float], pools: list[asyncpg.Pool]) -> float:
    return sum(read(pool) for pool in _open(pools))


def _open(pools: list[asyncpg.Pool]) -> list[asyncpg.Pool]:
    return [pool for pool in pools if not pool.is_closing()]
