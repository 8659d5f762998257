"""Every line ends in the same JSON, whoever wrote it, with its trace and without secrets."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper import ContractError, Settings, Severity, Telemetry
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.log_handler import QueueHandler
from watchkeeper.instrument.log_line import encode_line, timestamp
from watchkeeper.instrument.log_output import RotatingFile, write_all
from watchkeeper.instrument.logging_setup import adopt_server_loggers
from watchkeeper.model import LogRecord
from watchkeeper.testing import Captured, capture


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_of_the_standard_library(door: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "log" / "service.jsonl"
    settings = Settings(log=str(path), background=False, environment="test")
    with Telemetry(door.contract, settings) as telemetry:
        with telemetry.span(door.work):
            logging.getLogger("orders").warning(
                "order %d of %s", 7, "jane@example.org", extra={"shelf": "B4"}
            )
            trace_id = telemetry.trace_id()
        telemetry.flush()
    [line] = written(path)
    assert line.pop("@timestamp").endswith("Z")
    assert len(line.pop("span_id")) == 16
    assert line == {
        "level": "WARNING",
        "logger": "orders",
        "message": "order 7 of [email]",
        "service": "door-keeper",
        "version": "1.2.3",
        "environment": "test",
        "trace_id": trace_id,
        "shelf": "B4",
    }


def test_an_exception_is_type_message_and_stack(door: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "service.jsonl"
    with Telemetry(door.contract, Settings(log=str(path), background=False)):
        try:
            try:
                {}["key"]
            except KeyError as cause:
                raise ValueError("token=abcdef") from cause
        except ValueError:
            logging.getLogger("orders").exception("failed")
    [line] = written(path)
    assert line["level"] == "ERROR"
    assert line["exception"]["type"] == "ValueError"
    assert line["exception"]["message"] == "token=[token]"
    assert "KeyError" in line["exception"]["stack"]
    assert "abcdef" not in json.dumps(line["message"])


def test_a_declared_event(seen: Captured, door: SimpleNamespace) -> None:
    seen.telemetry.log(door.started, job_id="42", pages=3, resume_text="My whole life")
    line = seen.log("work_started")
    assert line.message == "Work started"
    assert line.attributes == {
        "event": "work_started",
        "job_id": "42",
        "pages": 3,
        "resume_text": "[declared]",
    }


def test_what_an_event_does_not_declare_is_loud(seen: Captured, door: SimpleNamespace) -> None:
    with pytest.raises(ContractError, match="no field 'colour'"):
        seen.telemetry.log(door.started, colour="red")
    with pytest.raises(ContractError, match="pages is int, got str"):
        seen.telemetry.log(door.started, pages="three")


def test_an_undeclared_field_never_leaves(seen: Captured, door: SimpleNamespace) -> None:
    seen.telemetry.faults.loud = False
    seen.telemetry.log(door.started, job_id="42", biography="My whole life")
    assert "biography" not in seen.log("work_started").attributes


def test_structlog_ends_in_the_same_lines(seen: Captured, door: SimpleNamespace) -> None:
    with seen.telemetry.span(door.work):
        structlog.get_logger().warning("shelf full", shelf="B4", password="hunter2")
    line = seen.log("shelf full")
    assert line.severity is Severity.WARNING
    assert line.attributes == {"shelf": "B4", "password": "[password]"}
    assert line.trace_id == f"{1:032x}"


def test_a_logger_of_structlog_keeps_its_name(seen: Captured) -> None:
    structlog.get_logger("shop.orders", shelf="B4").info("named")
    structlog.get_logger().info("unnamed")
    assert seen.log("named").logger == "shop.orders"
    assert seen.log("named").attributes == {"shelf": "B4"}
    assert seen.log("unnamed").logger == "structlog"


def test_structlog_is_as_loud_as_the_root_logger(door: SimpleNamespace) -> None:
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        with capture(door.contract) as seen:
            structlog.get_logger().debug("detail")
            assert seen.log("detail").severity is Severity.DEBUG
    finally:
        root.setLevel(before)


@pytest.mark.usefixtures("alone")
def test_structlog_leads_to_the_telemetry_that_was_started_last(
    door: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    with capture(door.contract) as outer:
        with capture(door.contract) as inner:
            structlog.get_logger().info("said inside")
            assert inner.log("said inside").message == "said inside"
        assert not outer.logs
        structlog.get_logger().info("said after")
        assert outer.log("said after").message == "said after"
    assert not structlog.is_configured()
    assert not caplog.records


@pytest.mark.usefixtures("alone")
def test_structlog_never_leads_to_a_telemetry_that_has_ended(door: SimpleNamespace) -> None:
    """Whatever the order in which they end."""
    first = Telemetry(door.contract, Settings(log="off", background=False))
    with capture(door.contract) as last:
        first.start()
        with capture(door.contract) as third:
            first.stop()
            structlog.get_logger().info("to the third")
            assert third.log("to the third")
        structlog.get_logger().info("to the last")
        assert last.log("to the last")
    assert not structlog.is_configured()


def test_structlog_that_writes_by_itself_is_told_of(
    door: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory())
    with capture(door.contract):
        pass
    [told] = [record.getMessage() for record in caplog.records]
    assert told.startswith("structlog is configured to write lines by itself (PrintLoggerFactory)")
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())
    with capture(door.contract):
        pass
    assert len(caplog.records) == 1


def test_arguments_that_do_not_fit_their_text_lose_no_line(seen: Captured) -> None:
    faults = Faults()
    given = {
        "name": "shop",
        "levelno": logging.INFO,
        "msg": "%d parcels for a@example.org",
        "args": ("three",),
    }
    QueueHandler(seen.telemetry.put, seen.clock, faults).emit(logging.makeLogRecord(given))
    assert seen.log("%d parcels for [email] ('three',)").logger == "shop"
    assert faults.seen == {"log_handler": 1}


def test_a_stack_that_was_asked_for_is_a_field(seen: Captured) -> None:
    logging.getLogger("shop").info("where", stack_info=True)
    assert "test_a_stack_that_was_asked_for" in str(seen.log("where").attributes["stack_info"])


def test_structlog_tells_of_exceptions(seen: Captured) -> None:
    try:
        raise OSError("gone")
    except OSError:
        structlog.get_logger().exception("cannot read")
    line = seen.log("cannot read")
    assert line.severity is Severity.ERROR
    assert line.attributes["exception.type"] == "OSError"


def test_a_message_that_is_json_already_is_not_encoded_twice(seen: Captured) -> None:
    logging.getLogger("x").info('{"event": "stored", "level": "info", "bytes": 12}')
    line = seen.log("stored")
    assert line.attributes == {"bytes": 12}


def test_the_handler_is_installed_once_and_taken_away(door: SimpleNamespace) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    telemetry = Telemetry(door.contract, Settings(log="off", background=False))
    telemetry.start()
    telemetry.start()
    assert len(root.handlers) == len(before) + 1
    assert root.level <= logging.INFO
    telemetry.stop()
    telemetry.stop()
    assert (root.handlers, root.level) == (before, level)


def test_the_servers_access_lines_are_replaced_by_ours(seen: Captured) -> None:
    logging.getLogger("uvicorn.access").info("GET / 200")
    assert seen.logs == []
    adopt_server_loggers()
    # uvicorn asks this of every connection, and makes no lines if the answer is no.
    assert not logging.getLogger("uvicorn.access").hasHandlers()
    assert logging.getLogger("uvicorn.error").hasHandlers()


def test_a_file_is_rotated_by_size_and_old_ones_go(tmp_path: Path) -> None:
    output = RotatingFile(tmp_path / "log", max_bytes=100, files=2)
    for number in range(10):
        output.write(f"{number:039d}\n".encode())
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", "log.1", "log.2", "log.lock"]
    assert [int(line) for line in (tmp_path / "log").read_text().split()] == [8, 9]
    assert [int(line) for line in (tmp_path / "log.2").read_text().split()] == [4, 5]


def test_a_pipe_that_was_set_non_blocking_loses_and_tears_nothing() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    lines = b"".join(b"%099d\n" % number for number in range(5000))
    received = bytearray()

    def read() -> None:
        while len(received) < len(lines):
            received.extend(os.read(reader, 65536))

    thread = threading.Thread(target=read)
    thread.start()
    write_all(writer, lines)
    thread.join()
    os.close(reader)
    os.close(writer)
    assert bytes(received) == lines


def test_metrics_are_answered_while_nobody_reads_the_log(door: SimpleNamespace) -> None:
    blocked, reached = threading.Event(), threading.Event()

    class Stuck:
        def write(self, lines: bytes) -> None:
            reached.set()
            blocked.wait(10)

    telemetry = Telemetry(door.contract, Settings(log="off", background=False))
    telemetry.pipeline.output = Stuck()
    with telemetry:
        telemetry.log(door.started, job_id="1")
        thread = threading.Thread(target=telemetry.flush)
        thread.start()
        assert reached.wait(10)
        assert b"ended_total" in telemetry.exposition()[0]
        blocked.set()
        thread.join()


def test_a_disk_that_fails_costs_a_count_and_is_told_once(
    door: SimpleNamespace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    log = tmp_path / "file" / "log"
    settings = Settings(log=str(log), background=False)
    with Telemetry(door.contract, settings) as telemetry:
        logging.getLogger("x").info("lost")
        text = telemetry.exposition()[0].decode()
    # The line that tells of the fault is lost as well.
    assert 'telemetry_dropped_total{signal="logs",reason="export_failed"} 2' in text
    told = [line for line in capfd.readouterr().err.splitlines() if "watchkeeper:" in line]
    assert told == [
        f"watchkeeper: log lines are lost: {log}: [Errno 17] File exists: '{log.parent}'"
    ]


def test_a_process_without_standard_output_writes_to_no_file_of_its_own(tmp_path: Path) -> None:
    program = """
import logging, sys
from watchkeeper import Contract, Telemetry
first = open(sys.argv[1], "w")
with Telemetry(Contract(service="s", version="1")):
    logging.getLogger("x").warning("where to?")
sys.exit(40 + first.fileno())
"""
    opened = tmp_path / "opened"
    shell = f'"{sys.executable}" -c "$0" "$1" >&-'
    ran = subprocess.run(["/bin/sh", "-c", shell, program, str(opened)], check=False)
    assert ran.returncode == 41
    assert opened.read_text() == ""


def test_a_timestamp_has_nanoseconds() -> None:
    assert timestamp(1_767_323_045_123_456_789) == "2026-01-02T03:04:05.123456789Z"


@given(
    message=st.text(),
    fields=st.dictionaries(
        st.text(max_size=12),
        st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.binary(), st.none()),
        max_size=5,
    ),
)
def test_whatever_is_logged_is_one_line_of_json(message: str, fields: dict[str, Any]) -> None:
    record = LogRecord(1, Severity.INFO, message, "s", attributes=fields)
    line = encode_line(record)
    assert line.count(b"\n") == 1
    assert json.loads(line)["message"] == message
