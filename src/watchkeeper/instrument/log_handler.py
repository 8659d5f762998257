"""The standard library's logging, into the queue."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson

from watchkeeper.clock import Clock
from watchkeeper.instrument.current import current_span
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.records import ErrorDetails, PendingLog
from watchkeeper.instrument.span import LiveSpan, stack_of, trace_of, type_name
from watchkeeper.model import Severity

_STANDARD_COUNT = len(vars(logging.makeLogRecord({})))
_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",
    "message",
    "taskName",
}

_STRUCTURE = frozenset(("event", "level", "timestamp", "logger"))
"""Keys of a structured message that are told otherwise."""

SILENCED = frozenset(("uvicorn.access",))
"""Loggers whose lines the middleware's own access line replaces."""


def severity_of(level: int) -> Severity:
    """Return OpenTelemetry's severity of a logging level."""
    if level >= logging.CRITICAL:
        return Severity.CRITICAL
    if level >= logging.ERROR:
        return Severity.ERROR
    if level >= logging.WARNING:
        return Severity.WARNING
    if level >= logging.INFO:
        return Severity.INFO
    return Severity.DEBUG if level >= logging.DEBUG else Severity.TRACE


def error_details(error: BaseException) -> ErrorDetails:
    """Return what a log line tells of an exception, and of those that caused it."""
    try:
        message = str(error)
    except Exception as broken:  # noqa: BLE001 - an exception may have a broken __str__
        message = f"<unprintable: {type_name(broken)}>"
    stack = stack_of(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    depth = 0
    while cause is not None and depth < 5:
        stack = f"{stack_of(cause)}\n{type_name(cause)}\n-- led to --\n{stack}"
        cause = cause.__cause__ or cause.__context__
        depth += 1
    return ErrorDetails(type_name(error), message, stack)


def current_ids() -> tuple[int, int, bool]:
    """Return the current trace and span id, or zeros, and whether the span is sampled."""
    span = current_span()
    if isinstance(span, LiveSpan):
        return span.trace_id, span.span_id, span.is_sampled()
    context = span.get_span_context()
    return context.trace_id, context.span_id, context.trace_flags.sampled


class QueueHandler(logging.Handler):
    """Turns log records into pending lines; formatting and redaction happen in the pump."""

    def __init__(self, put: Callable[[PendingLog], None], clock: Clock, faults: Faults) -> None:
        super().__init__()
        self._put = put
        self._clock = clock
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        if record.name in SILENCED:
            return
        try:
            self._put(self._pending(record))
        except Exception as error:  # noqa: BLE001 - never break the host
            self._faults.note("log_handler", error)

    def _pending(self, record: logging.LogRecord) -> PendingLog:
        given = record.__dict__
        # What the service adds stands behind what every record has.
        known = _STANDARD_COUNT if type(record) is logging.LogRecord else 0
        fields = {
            name: value
            for name, value in islice(given.items(), known, None)
            if name not in _STANDARD_FIELDS and name[:1] != "_"
        }
        if record.stack_info:
            fields["stack_info"] = record.stack_info
        message = self._message(record, fields)
        error = record.exc_info[1] if record.exc_info else None
        ids = current_ids()
        if error is not None and not ids[0]:
            ids = trace_of(error)
        trace_id, span_id, sampled = ids
        return (
            self._clock.time_ns(),
            severity_of(record.levelno).value,
            record.name,
            message.strip(),
            fields,
            trace_id,
            span_id,
            sampled,
            error_details(error) if error is not None else None,
        )

    def _message(self, record: logging.LogRecord, fields: dict[str, Any]) -> str:
        """Return the message; the fields of a structured one go into `fields`."""
        structured: Any = record.msg
        if isinstance(structured, str) and structured.startswith("{") and not record.args:
            with suppress(ValueError):
                structured = orjson.loads(structured)
        if isinstance(structured, dict) and "event" in structured:
            for name, value in structured.items():
                if name not in _STRUCTURE and not name.startswith("_"):
                    fields[str(name)] = value
            return str(structured["event"])
        try:
            return record.getMessage()
        except Exception as error:  # noqa: BLE001 - arguments that do not fit the text
            self._faults.note("log_handler", error)
            return f"{record.msg} {record.args!r}"
