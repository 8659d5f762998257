"""Tailing: every line once, whatever happens to the file it stands in."""

import asyncio
import gzip
import os

import pytest

from watchkeeper.errors import ConfigError, OverloadError
from watchkeeper.ingest.tail import LogTailer
from watchkeeper.ingest.tailed_file import CHUNK_BYTES
from watchkeeper.model import Severity


class RememberingLogs:
    def __init__(self):
        self.records = []
        self.failure = None

    def append(self, records):
        if self.failure is not None:
            raise self.failure
        self.records += records

    @property
    def messages(self):
        return [record.message for record in self.records]


@pytest.fixture
def logs():
    return RememberingLogs()


@pytest.fixture
def start(tmp_path, logs, clock):
    started = []

    def begin(pattern="*.log"):
        positions = tmp_path / "data" / "positions.json"
        started.append(LogTailer([str(tmp_path / pattern)], logs, positions=positions, clock=clock))
        return started[-1]

    yield begin
    for tailer in started:
        tailer.close()


def write(path, text):
    with path.open("a") as file:
        file.write(text)


def settle(tailer):
    while tailer.look():
        pass


def test_lines_are_stored_as_they_are_written(tmp_path, start, logs):
    tailer = start()
    path = tmp_path / "shop.log"
    write(path, "opened\nsold a la")
    settle(tailer)
    assert logs.messages == ["opened"]
    write(path, "mp\n")
    settle(tailer)
    assert logs.messages == ["opened", "sold a lamp"]
    assert logs.records[0].service == "shop"
    assert logs.records[0].attributes == {"log.file.path": str(path)}


def test_a_line_of_json_says_itself_what_it_means(tmp_path, start, logs):
    line = '{"@timestamp":"2023-11-14T22:13:20Z","level":"ERROR","message":"no lamp","shelf":3}\n'
    write(tmp_path / "shop.log", line + '{"broken\n')
    settle(start())
    first, second = logs.records
    assert (first.severity, first.timestamp_ns) == (Severity.ERROR, 1_700_000_000_000_000_000)
    assert first.attributes["shelf"] == 3
    assert second.message == '{"broken'


def test_a_restart_goes_on_where_it_stopped(tmp_path, start, logs):
    path = tmp_path / "shop.log"
    write(path, "one\n")
    settle(start())
    write(path, "two\n")
    settle(start())
    assert logs.messages == ["one", "two"]


def test_a_rotated_file_is_read_to_its_end(tmp_path, start, logs):
    tailer = start()
    path = tmp_path / "shop.log"
    write(path, "one\n")
    settle(tailer)
    write(path, "two\n")
    path.rename(tmp_path / "shop.log.1")
    write(path, "three\n")
    settle(tailer)
    assert sorted(logs.messages) == ["one", "three", "two"]


def test_a_file_that_was_rotated_between_two_runs_is_found_again(tmp_path, start, logs):
    path = tmp_path / "shop.log"
    write(path, "one\n")
    settle(start())
    write(path, "two\n")
    path.rename(tmp_path / "shop.log.1")
    write(path, "three\n")
    settle(start())
    assert sorted(logs.messages) == ["one", "three", "two"]


def test_a_rotated_file_that_is_still_meant_is_not_read_twice(tmp_path, start, logs):
    tailer = start("shop.log*")
    path = tmp_path / "shop.log"
    write(path, "one\n")
    settle(tailer)
    path.rename(tmp_path / "shop.log.1")
    write(path, "two\n")
    settle(tailer)
    settle(start("shop.log*"))
    assert logs.messages == ["one", "two"]


@pytest.mark.parametrize("anew", ["two\n", "two, and much longer than before\n"])
def test_a_file_that_is_cut_and_written_anew_is_read_from_its_start(tmp_path, start, logs, anew):
    tailer = start()
    path = tmp_path / "shop.log"
    write(path, "one, the first\n")
    settle(tailer)
    os.truncate(path, 0)
    write(path, anew)
    settle(tailer)
    assert logs.messages == ["one, the first", anew.strip()]


def test_a_file_that_rotation_compressed_is_told_of_and_not_read(tmp_path, start, logs):
    path = tmp_path / "shop.log.1.gz"
    path.write_bytes(gzip.compress(b"one\n"))
    tailer = start("shop.log*")
    settle(tailer)
    assert logs.messages == []
    assert "gzip" in tailer.problems[str(path)]


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_character_of_several_bytes_may_come_in_parts(tmp_path, start, logs, cut):
    tailer = start()
    line = "d\u00fc\N{GRINNING FACE}!\n".encode()
    for part in (line[:cut], line[cut:]):
        with (tmp_path / "shop.log").open("ab") as file:
            file.write(part)
        settle(tailer)
    assert logs.messages == [line.decode().strip()]


def test_what_the_store_refused_is_offered_again(tmp_path, start, logs):
    tailer = start()
    write(tmp_path / "shop.log", "one\n")
    logs.failure = OverloadError("too much at once")
    settle(tailer)
    assert "too much at once" in str(tailer.problems)
    settle(start())
    logs.failure = None
    settle(start())
    assert logs.messages == ["one"]


def test_a_line_without_end_is_cut(tmp_path, start, logs):
    write(tmp_path / "shop.log", "x" * (CHUNK_BYTES + 5) + "\n")
    settle(start())
    assert [len(message) for message in logs.messages] == [CHUNK_BYTES, 5]


def test_positions_that_cannot_be_read_are_told(tmp_path, start):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "positions.json").write_text("{")
    with pytest.raises(ConfigError, match=r"positions\.json"):
        start()


@pytest.mark.anyio
async def test_it_runs_until_it_is_cancelled(tmp_path, logs, clock):
    write(tmp_path / "shop.log", "one\n")
    looked = asyncio.Event()

    async def rest(seconds):
        looked.set()
        await asyncio.Event().wait()

    tailer = LogTailer(
        [str(tmp_path / "*.log")], logs, positions=tmp_path / "p.json", clock=clock, sleep=rest
    )
    running = asyncio.create_task(tailer.run())
    await looked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    tailer.close()
    assert logs.messages == ["one"]
    assert sum(tailer.statistics().received.values()) == 1
