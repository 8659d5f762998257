"""The drivers, against the real servers: what they do is in metrics and in one trace."""

from __future__ import annotations

import asyncio
import importlib
from types import SimpleNamespace
from typing import Any

import pytest
from saq import Status

from watchkeeper import SpanKind
from watchkeeper.conventions import cache, database, objects, queue
from watchkeeper.instrument.cache import watch_cache
from watchkeeper.instrument.database import create_pool
from watchkeeper.instrument.objects import S3_STANDARD, WatchedStore
from watchkeeper.instrument.queue import Depth, process_span, watch_queue
from watchkeeper.model import StatusCode
from watchkeeper.testing import Captured

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


async def test_queries_of_asyncpg(seen: Captured, door: SimpleNamespace, servers: Any) -> None:
    telemetry = seen.telemetry
    dsn = servers.environment["DATABASE_URL"]
    pool = await create_pool(telemetry, dsn, min_size=2, max_size=4)
    try:
        async with pool.acquire() as connection:
            telemetry.exposition()
            assert seen.value(database.CONNECTIONS_ACTIVE) == 1
            assert seen.value(database.CONNECTIONS_IDLE) == 1
            assert seen.value(database.CONNECTIONS_MAX) == 4
            await connection.execute("CREATE TEMPORARY TABLE shelf (name text PRIMARY KEY)")
            with telemetry.span(door.work):
                async with connection.transaction():
                    await connection.execute("INSERT INTO shelf VALUES ($1)", "secret name")
                assert await connection.fetchval("SELECT count(*) FROM shelf") == 1
                with pytest.raises(Exception, match="duplicate key"):
                    await connection.execute("INSERT INTO shelf VALUES ('secret name')")
            await connection.copy_records_to_table("shelf", records=[("b",)], columns=["name"])
            with pytest.raises(Exception, match="duplicate key"):
                await connection.execute("INSERT INTO shelf VALUES ('b')")
            with (
                telemetry.span(door.work, name="wrong"),
                pytest.raises(Exception, match="does not exist"),
            ):
                await connection.fetch("SELECT nothing FROM nowhere")
    finally:
        await pool.close()
    insert, select, refused, work, missing, _ = seen.spans
    assert [span.name for span in seen.spans] == [
        "INSERT shelf", "SELECT shelf", "INSERT shelf", "work", "SELECT nowhere", "wrong",
    ]  # fmt: skip
    for span in (insert, select, refused):
        assert span.parent_span_id == work.span_id
        assert span.kind is SpanKind.CLIENT
    assert insert.attributes["db.query.text"] == "INSERT INTO shelf VALUES ($1)"
    assert refused.attributes["db.query.text"] == "INSERT INTO shelf VALUES (?)"
    assert refused.attributes["db.response.status_code"] == "23505"
    assert (refused.status, refused.events) == (StatusCode.UNSET, ())
    assert missing.attributes["db.response.status_code"] == "42P01"
    assert missing.status is StatusCode.ERROR
    assert not any("advisory" in str(span.attributes) for span in seen.spans)
    assert "secret name" not in repr(seen.spans)
    assert seen.value(database.QUERY_DURATION, query_type="insert") == 3
    assert seen.value(database.QUERY_DURATION, query_type="copy") == 1
    assert seen.value(database.QUERY_DURATION, query_type="transaction") == 2
    assert seen.value(database.QUERY_ERRORS, error_type="constraint") == 2
    assert seen.value(database.QUERY_ERRORS, error_type="syntax") == 1
    assert seen.value(database.ACQUIRE_DURATION) == 1


async def test_prepared_statements_of_asyncpg(
    seen: Captured, door: SimpleNamespace, servers: Any
) -> None:
    pool = await create_pool(seen.telemetry, servers.environment["DATABASE_URL"], min_size=1)
    try:
        async with pool.acquire() as connection:
            await connection.execute("CREATE TEMPORARY TABLE rack (number int PRIMARY KEY)")
            insert = await connection.prepare("INSERT INTO rack VALUES ($1)")
            select = await connection.prepare("SELECT number FROM rack WHERE number > $1")
            with seen.telemetry.span(door.work):
                await insert.executemany([(1,), (2,)])
                assert await select.fetchval(1) == 2
                assert len(await select.fetch(0)) == 2
                with pytest.raises(Exception, match="duplicate key"):
                    await insert.fetch(1)
            with pytest.raises(Exception, match="does not exist"):
                await connection.prepare("SELECT nothing FROM nowhere")
    finally:
        await pool.close()
    assert [span.name for span in seen.spans] == [
        "INSERT rack", "SELECT rack", "SELECT rack", "INSERT rack", "work",
    ]  # fmt: skip
    assert seen.value(database.QUERY_DURATION, query_type="insert") == 2
    assert seen.value(database.QUERY_DURATION, query_type="select") == 2
    assert seen.value(database.QUERY_ERRORS, error_type="constraint") == 1
    assert seen.value(database.QUERY_ERRORS, error_type="syntax") == 1


async def test_two_pools_are_one_sum_until_one_is_closed(seen: Captured, servers: Any) -> None:
    def connections() -> tuple[float, ...]:
        seen.telemetry.exposition()
        return tuple(
            seen.value(gauge)
            for gauge in (
                database.CONNECTIONS_ACTIVE,
                database.CONNECTIONS_IDLE,
                database.CONNECTIONS_MAX,
            )
        )

    dsn = servers.environment["DATABASE_URL"]
    first = await create_pool(seen.telemetry, dsn, min_size=1, max_size=2)
    second = await create_pool(seen.telemetry, dsn, min_size=2, max_size=4)
    async with first.acquire():
        assert connections() == (1, 2, 6)
    await first.close()
    assert connections() == (0, 2, 4)
    await second.close()
    assert connections() == (0, 0, 0)


async def test_work_that_gets_no_connection_has_waited_too(seen: Captured, servers: Any) -> None:
    dsn = servers.environment["DATABASE_URL"]
    pool = await create_pool(seen.telemetry, dsn, min_size=1, max_size=1)
    async with pool.acquire():
        with pytest.raises(TimeoutError):
            await pool.acquire(timeout=0.01)
    await pool.close()
    assert seen.value(database.ACQUIRE_DURATION) == 2


async def test_a_query_that_takes_too_long(seen: Captured, servers: Any) -> None:
    pool = await create_pool(seen.telemetry, servers.environment["DATABASE_URL"], min_size=1)
    try:
        with pytest.raises(TimeoutError):
            await pool.execute("SELECT pg_sleep(5)", timeout=0.05)
    finally:
        await pool.close()
    assert seen.value(database.QUERY_ERRORS, error_type="timeout") == 1


async def test_commands_of_redis(seen: Captured, door: SimpleNamespace, servers: Any) -> None:
    import redis.asyncio

    client = watch_cache(seen.telemetry, redis.asyncio.from_url(servers.environment["CACHE_URL"]))
    await client.set("outside", "1")
    with seen.telemetry.span(door.work):
        await client.set("key of jane@example.org", "value")
        async with client.pipeline() as pipeline:
            assert await pipeline.get("outside").incr("outside").execute() == [b"1", 2]
        with pytest.raises(redis.exceptions.ResponseError):
            await client.lpush("outside", "x")
    await client.aclose()
    assert [span.name for span in seen.spans] == ["SET", "PIPELINE", "LPUSH", "work"]
    assert "jane" not in repr(seen.spans)
    assert seen.value(cache.COMMAND_DURATION, command="SET") == 2
    assert seen.value(cache.ERRORS, error_type="response") == 1


@pytest.mark.parametrize("library", ["redis", "valkey"])
async def test_clients_that_block_are_watched_alike(
    library: str, seen: Captured, door: SimpleNamespace, servers: Any
) -> None:
    module = importlib.import_module(library)
    client = watch_cache(seen.telemetry, module.from_url(servers.environment["CACHE_URL"]))
    with seen.telemetry.span(door.work):
        client.set("blocking", "1")
        assert client.pipeline().get("blocking").execute() == [b"1"]
        with pytest.raises(module.exceptions.ResponseError):
            client.lpush("blocking", "x")
        with pytest.raises(module.exceptions.NoScriptError):
            client.evalsha("0" * 40, 0)
    client.close()
    named = [(span.name, span.status is StatusCode.ERROR) for span in seen.spans]
    assert named == [
        ("SET", False), ("PIPELINE", False), ("LPUSH", True), ("EVALSHA", False), ("work", False),
    ]  # fmt: skip
    assert seen.value(cache.COMMAND_DURATION) == 4
    assert seen.value(cache.ERRORS) == seen.value(cache.ERRORS, error_type="response") == 1


async def test_valkeys_own_client_is_watched(
    seen: Captured, door: SimpleNamespace, servers: Any
) -> None:
    import valkey.asyncio

    client = watch_cache(seen.telemetry, valkey.asyncio.from_url(servers.environment["CACHE_URL"]))
    with seen.telemetry.span(door.work):
        await client.set("own", "1")
    await client.aclose()
    away = watch_cache(seen.telemetry, valkey.asyncio.from_url("redis://127.0.0.1:9"))
    with pytest.raises(valkey.exceptions.ConnectionError):
        await away.get("own")
    assert [span.name for span in seen.spans] == ["SET", "work"]
    assert seen.value(cache.ERRORS, error_type="connection") == 1


async def test_a_cache_that_is_away(seen: Captured) -> None:
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    client = redis.asyncio.Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), 0))
    watch_cache(seen.telemetry, client)
    with pytest.raises(redis.exceptions.ConnectionError):
        await client.ping()
    assert seen.value(cache.ERRORS, error_type="connection") == 1
    assert seen.value(cache.COMMAND_DURATION, command="PING") == 1


async def test_a_store_of_objects(seen: Captured, door: SimpleNamespace, servers: Any) -> None:
    from obstore.store import S3Store

    environment = servers.environment
    store = WatchedStore(
        seen.telemetry,
        S3Store(
            environment["OBJECTS_BUCKET"],
            endpoint=environment["OBJECTS_ENDPOINT"],
            access_key_id=environment["OBJECTS_ACCESS_KEY"],
            secret_access_key=environment["OBJECTS_SECRET_KEY"],
            region=environment["OBJECTS_REGION"],
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        ),
        bucket="resumes",
        prices=S3_STANDARD,
    )
    with seen.telemetry.span(door.work):
        await store.put("a/b.txt", b"hello")
        assert await store.get("a/b.txt") == b"hello"
        assert (await store.head("a/b.txt"))["size"] == 5
        assert [entry["path"] for entry in await store.list("a")] == ["a/b.txt"]
        await store.delete("a/b.txt")
        with pytest.raises(FileNotFoundError):
            await store.get("a/b.txt")
    assert [span.name for span in seen.spans] == [
        "put resumes", "get resumes", "head resumes", "list resumes", "delete resumes",
        "get resumes", "work",
    ]  # fmt: skip
    assert seen.spans[5].status is StatusCode.UNSET
    assert seen.spans[0].attributes["object.size_bytes"] == 5
    assert seen.value(objects.OPERATION_DURATION, operation="get") == 2
    assert seen.value(objects.ERRORS) == 0
    assert seen.value(objects.STORAGE_COST) == pytest.approx(2 * 0.005 / 1000 + 3 * 0.0004 / 1000)


async def test_a_job_continues_the_trace_that_enqueued_it(
    seen: Captured, door: SimpleNamespace, servers: Any
) -> None:
    from saq import Job, Queue

    jobs = Queue.from_url(servers.environment["CACHE_URL"], name="optimise")
    await jobs.connect()
    watch_queue(seen.telemetry, jobs)
    with seen.telemetry.span(door.work):
        job = await jobs.enqueue("optimise", number=7)
    assert isinstance(job, Job)
    arrived = await jobs.dequeue(timeout=5)
    assert arrived is not None
    arrived.attempts = 1
    with process_span(seen.telemetry, arrived), seen.telemetry.span(door.work, name="inside"):
        pass
    await jobs.disconnect()
    enqueue, work, inside, process = seen.spans
    assert (enqueue.name, enqueue.kind) == ("enqueue optimise", SpanKind.PRODUCER)
    assert (process.name, process.kind) == ("process optimise", SpanKind.CONSUMER)
    assert process.parent_span_id == enqueue.span_id
    assert enqueue.parent_span_id == work.span_id
    assert inside.parent_span_id == process.span_id
    assert process.attributes["messaging.message.id"] == job.key
    assert process.attributes["job.attempt"] == 1
    assert seen.value(queue.WAIT, queue="optimise") == 1


async def test_a_job_keeps_its_trace_through_a_crash_and_a_retry(
    seen: Captured, door: SimpleNamespace, servers: Any
) -> None:
    from saq import Queue

    jobs = Queue.from_url(servers.environment["CACHE_URL"], name="crashing")
    await jobs.connect()
    watch_queue(seen.telemetry, jobs)

    async def attempt(ends: BaseException | None = None) -> None:
        """Take the job as a worker does, and work on it. A worker that is killed tells nobody."""
        job = await jobs.dequeue(timeout=5)
        assert job is not None
        job.attempts += 1
        job.started = job.touched = 1
        await job.update(status=Status.ACTIVE)
        try:
            with process_span(seen.telemetry, job):
                if ends is not None:
                    raise ends
            await job.finish(Status.COMPLETE)
        except ValueError as error:
            await job.retry(str(error))
        except asyncio.CancelledError:
            pass

    with seen.telemetry.span(door.work):
        await jobs.enqueue("optimise", retries=3, timeout=1)
    await attempt(ValueError("it failed"))
    await attempt(asyncio.CancelledError())
    await jobs.sweep(lock=1, abort=0.01)
    await attempt()
    await jobs.disconnect()
    tries = [span for span in seen.spans if span.name == "process optimise"]
    enqueue = seen.span("enqueue crashing")
    assert len(tries) == 3
    assert {span.parent_span_id for span in tries} == {enqueue.span_id}
    assert {span.trace_id for span in tries} == {enqueue.trace_id}
    assert [span.status is StatusCode.ERROR for span in tries] == [True, False, False]
    assert tries[-1].attributes["job.attempt"] == 3
    assert seen.value(queue.WAIT, queue="crashing") == 1


async def test_the_depth_of_a_queue_is_read(seen: Captured, servers: Any) -> None:
    from saq import Queue

    jobs = Queue.from_url(servers.environment["CACHE_URL"], name="depth")
    await jobs.connect()
    await jobs.enqueue("optimise")
    await jobs.enqueue("optimise")
    await Depth(seen.telemetry, jobs).read()
    await jobs.disconnect()
    assert seen.value(queue.DEPTH, queue="depth") == 2
