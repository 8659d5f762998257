"""A JSON document that says what was logged, as a log record.

Our own JSON lines, the Elastic Common Schema (Filebeat, Logstash, Vector) and the usual plain
names are understood: `@timestamp`, `message`, `level` or `log.level`, `service` or
`service.name`, `trace_id` or `trace.id`. All else becomes attributes, objects with dotted names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from watchkeeper.errors import DecodeError
from watchkeeper.model import Attributes, LogRecord, Severity
from watchkeeper.wire.otlp_attributes import as_attribute

TIME_FIELDS = ("@timestamp", "timestamp", "time")
_LEVEL_FIELDS = ("level", "log.level", "severity", "levelname")
_MESSAGE_FIELDS = ("message", "msg")
_SERVICE_FIELDS = ("service", "service.name")
_LOGGER_FIELDS = ("logger", "log.logger")
_TRACE_FIELDS = ("trace_id", "trace.id")
_SPAN_FIELDS = ("span_id", "span.id")
_RESOURCE_FIELDS = {
    "version": "service.version",
    "environment": "deployment.environment.name",
}
_RENAMED = {"exception.stack": "exception.stacktrace"}

_LEVELS = {
    "trace": Severity.TRACE,
    "debug": Severity.DEBUG,
    "info": Severity.INFO,
    "information": Severity.INFO,
    "notice": Severity.INFO,
    "warn": Severity.WARNING,
    "warning": Severity.WARNING,
    "err": Severity.ERROR,
    "error": Severity.ERROR,
    "critical": Severity.CRITICAL,
    "crit": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "panic": Severity.CRITICAL,
    "alert": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
}
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?)?(Z|z|[+-]\d\d:?\d\d)?\Z"
)
_TRACE_ID = re.compile(r"[0-9a-f]{32}\Z")
_SPAN_ID = re.compile(r"[0-9a-f]{16}\Z")
_DEEPEST = 20


def read_document(
    document: Mapping[str, Any], *, now_ns: int, service: str, text: str = ""
) -> LogRecord:
    """Return the record that a document means.

    `now_ns` is its time, `service` its service and `text` its message where it names none.
    Raises DecodeError for a time that cannot be read.
    """
    fields = dict(_flat(document, "", 0))
    moment = _first(fields, TIME_FIELDS)
    level = str(_first(fields, _LEVEL_FIELDS) or "").lower()
    message = _first(fields, _MESSAGE_FIELDS)
    resource = {
        name: fields.pop(field)
        for field, name in _RESOURCE_FIELDS.items()
        if isinstance(fields.get(field), str)
    }
    return LogRecord(
        timestamp_ns=now_ns if moment is None else read_time(moment),
        severity=_LEVELS.get(level, Severity.INFO),
        message=text if message is None else str(as_attribute(message)),
        service=str(_first(fields, _SERVICE_FIELDS) or service),
        logger=str(_first(fields, _LOGGER_FIELDS) or ""),
        trace_id=_identifier(fields, _TRACE_FIELDS, _TRACE_ID),
        span_id=_identifier(fields, _SPAN_FIELDS, _SPAN_ID),
        attributes=_attributes(fields),
        resource={name: value for name, value in resource.items() if value},
    )


def read_time(value: object) -> int:
    """Return nanoseconds: of ISO 8601 text, UTC unless it says otherwise, or of milliseconds."""
    if isinstance(value, str):
        if value.isdecimal():
            return int(value) * 1_000_000
        match = _TIME.match(value)
        if match:
            date, clock, fraction, offset = match.groups()
            return _nanoseconds(f"{date}T{clock or '00:00:00'}", fraction or "", offset or "Z")
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e14:
        return int(value * 1_000_000)
    raise DecodeError(f"{str(value)[:40]!r} is not a time: write 2026-01-02T03:04:05.123Z")


def _nanoseconds(text: str, fraction: str, offset: str) -> int:
    try:
        moment = datetime.fromisoformat(text + offset.upper())
    except ValueError as error:
        raise DecodeError(f"{text[:40]!r} is not a time: {error}") from None
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0"))


def _flat(document: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _flat(value, f"{before}{name}.", depth + 1)
        elif value is not None:
            yield before + name, value


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Take out and return the first field that is there; the others stay attributes."""
    for name in names:
        if name in fields:
            return fields.pop(name)
    return None


def _identifier(fields: dict[str, Any], names: tuple[str, ...], shape: re.Pattern[str]) -> str:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and shape.match(value.lower()):
            return str(fields.pop(name)).lower()
    return ""


def _attributes(fields: Mapping[str, Any]) -> Attributes:
    return {_RENAMED.get(name, name): as_attribute(value) for name, value in fields.items()}
