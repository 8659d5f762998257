import orjson
import pytest

from watchkeeper.errors import OverloadError
from watchkeeper.model import LogRecord, Severity
from watchkeeper.ports import LogQuery
from watchkeeper.server import tail
from watchkeeper.server.tail import Tails
from watchkeeper.storage import MemoryStore

pytestmark = pytest.mark.anyio

ALL = LogQuery(0, 0)


def record(message: str, **more: object) -> LogRecord:
    return LogRecord(1_700_000_000_123_456_789, Severity.INFO, message, "api", **more)  # type: ignore[arg-type] # as given


async def test_a_record_that_is_stored_is_shown_to_who_looks_for_it() -> None:
    logs = MemoryStore().logs
    tails = Tails(logs)
    events = tails.follow(LogQuery(0, 0, words=("timeout",)))
    assert await anext(events) == b"retry: 2000\n\n"
    logs.append([record("all is well"), record("a Timeout was met")])
    event = await anext(events)
    shown = orjson.loads(event.removeprefix(b"data: "))
    assert shown["message"] == "a Timeout was met"
    assert shown["timestamp"] == "2023-11-14T22:13:20.123456789Z"


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail, "WAITING_RECORDS", 2)
    logs = MemoryStore().logs
    tails = Tails(logs)
    events = tails.follow(ALL)
    await anext(events)
    logs.append([record(str(number)) for number in range(5)])
    event = await anext(events)
    assert b'event: lost\ndata: {"records":3}' in event
    assert [line for line in event.splitlines() if b'"message":"3"' in line]


async def test_closing_ends_every_stream() -> None:
    logs = MemoryStore().logs
    tails = Tails(logs)
    events = tails.follow(ALL)
    await anext(events)
    tails.close()
    assert [event async for event in events if event.startswith(b"data")] == []


async def test_streams_are_limited_and_a_reader_who_leaves_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail, "MOST_TAILS", 1)
    logs = MemoryStore().logs
    tails = Tails(logs)
    first = tails.follow(ALL)
    await anext(first)
    with pytest.raises(OverloadError):
        tails.follow(ALL)
    await first.aclose()  # type: ignore[attr-defined] # an async generator
    await anext(tails.follow(ALL))


async def test_nothing_to_show_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "HEARTBEAT_SECONDS", 0)
    events = Tails(MemoryStore().logs).follow(ALL)
    await anext(events)
    assert await anext(events) == b": still here\n\n"
