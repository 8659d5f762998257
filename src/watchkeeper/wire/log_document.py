"""A JSON document that says what was logged, as a log record.

Our own JSON lines, the Elastic Common Schema (Filebeat, Logstash, Vector) and the usual plain
names are understood: `@timestamp`, `message`, `level` or `log.level`, `service` or
`service.name`, `trace_id` or `trace.id`. All else becomes attributes, objects with dotted names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from watchkeeper.errors import DecodeError
from watchkeeper.model import Attributes, LogRecord, Severity
from watchkeeper.wire.otlp_attributes import as_attribute
from watchkeeper.wire.record_making import maker

TIME_FIELDS = ("@timestamp", "timestamp", "time")
_LEVEL_FIELDS = ("level", "log.level", "severity", "levelname")
_MESSAGE_FIELDS = ("message", "msg")
_SERVICE_FIELDS = ("service", "service.name")
_LOGGER_FIELDS = ("logger", "log.logger")
_TRACE_FIELDS = ("trace_id", "trace.id")
_SPAN_FIELDS = ("span_id", "span.id")
RESOURCE_FIELDS = {
    "version": "service.version",
    "environment": "deployment.environment.name",
}
_RENAMED = {"exception.stack": "exception.stacktrace"}
KNOWN_FIELDS = frozenset(
    (
        *(*TIME_FIELDS, *_LEVEL_FIELDS, *_MESSAGE_FIELDS, *_SERVICE_FIELDS, *_LOGGER_FIELDS),
        *(*_TRACE_FIELDS, *_SPAN_FIELDS, *RESOURCE_FIELDS, *_RENAMED),
    )
)
PLAIN = frozenset((str, int, float, bool))

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
TRACE_ID = re.compile(r"[0-9a-f]{32}\Z")
SPAN_ID = re.compile(r"[0-9a-f]{16}\Z")
_DEEPEST = 20
_LONGEST_DIGITS = 20
_make_log = maker(LogRecord)


def read_document(
    document: Mapping[str, Any], *, now_ns: int, service: str, text: str = ""
) -> LogRecord:
    """Return the record that a document means.

    `now_ns` is its time, `service` its service and `text` its message where it names none.
    Raises DecodeError for a time that cannot be read.
    """
    fields = flat(document)
    meanings = meanings_of(KNOWN_FIELDS.intersection(fields))
    moment = _take(fields, meanings.time)
    level = _take(fields, meanings.level)
    message = _take(fields, meanings.message)
    resource = _resource(fields, meanings.resource) if meanings.resource else {}
    return _make_log(
        now_ns if moment is None else read_time(moment),
        severity_of(level),
        text if message is None else as_text(message),
        str(_take(fields, meanings.service) or service),
        str(_take(fields, meanings.logger) or ""),
        _identifier(fields, meanings.trace_id, TRACE_ID),
        _identifier(fields, meanings.span_id, SPAN_ID),
        _attributes(fields, meanings.renamed),
        resource,
    )


@dataclass(frozen=True, slots=True)
class Meanings:
    """Which of a document's fields means what; None where none does. Of several that may mean the
    same the first is it, and the others stay attributes."""

    time: str | None
    level: str | None
    message: str | None
    service: str | None
    logger: str | None
    trace_id: list[str]
    span_id: list[str]
    resource: list[str]
    renamed: bool


@lru_cache(maxsize=256)
def meanings_of(known: frozenset[str]) -> Meanings:
    """Return what those of KNOWN_FIELDS mean that a document has."""

    def first(names: tuple[str, ...]) -> str | None:
        return next((name for name in names if name in known), None)

    def every(names: Iterable[str]) -> list[str]:
        return [name for name in names if name in known]

    return Meanings(
        time=first(TIME_FIELDS),
        level=first(_LEVEL_FIELDS),
        message=first(_MESSAGE_FIELDS),
        service=first(_SERVICE_FIELDS),
        logger=first(_LOGGER_FIELDS),
        trace_id=every(_TRACE_FIELDS),
        span_id=every(_SPAN_FIELDS),
        resource=every(RESOURCE_FIELDS),
        renamed=not known.isdisjoint(_RENAMED),
    )


def severity_of(level: object) -> Severity:
    """Return how serious a level is, in whatever words; INFO for those that nobody knows."""
    return _LEVELS.get(str(level or "").lower(), Severity.INFO)


def read_time(value: object) -> int:
    """Return nanoseconds: of ISO 8601 text, UTC unless it says otherwise, or of milliseconds."""
    if isinstance(value, str):
        if value.isdecimal() and len(value) < _LONGEST_DIGITS:
            return int(value) * 1_000_000
        match = _TIME.match(value)
        if match:
            date, clock, fraction, offset = match.groups()
            after_ns = int(fraction.ljust(9, "0")) if fraction else 0
            return _seconds(date, clock, offset) * 1_000_000_000 + after_ns
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e14:
        return int(value * 1_000_000)
    raise DecodeError(f"{str(value)[:40]!r} is not a time: write 2026-01-02T03:04:05.123Z")


@lru_cache(maxsize=1024)
def _seconds(date: str, clock: str | None, offset: str | None) -> int:
    text = f"{date}T{clock or '00:00:00'}"
    try:
        moment = datetime.fromisoformat(text + (offset or "Z").upper())
    except ValueError as error:
        raise DecodeError(f"{text[:40]!r} is not a time: {error}") from None
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document's fields that have a value, those of objects in it under dotted names."""
    fields: dict[str, Any] = {}
    _flatten(document, "", 0, fields)
    return fields


def _flatten(document: Mapping[str, Any], before: str, depth: int, fields: dict[str, Any]) -> None:
    """Put a document's fields among `fields`, those of objects in it under dotted names."""
    for name, value in document.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            _flatten(value, f"{before}{name}.", depth + 1, fields)
        elif value is not None:
            fields[before + name] = value


def _take(fields: dict[str, Any], name: str | None) -> Any:
    return None if name is None else fields.pop(name)


def _resource(fields: dict[str, Any], names: list[str]) -> Attributes:
    said = {RESOURCE_FIELDS[name]: fields.pop(name) for name in names if type(fields[name]) is str}
    return {name: value for name, value in said.items() if value}


def _identifier(fields: dict[str, Any], names: list[str], shape: re.Pattern[str]) -> str:
    for name in names:
        value = fields[name]
        if isinstance(value, str) and shape.match(value.lower()):
            return str(fields.pop(name)).lower()
    return ""


def as_text(value: Any) -> str:
    """Return a message: text as it is, other values as JSON."""
    return value if type(value) is str else str(as_attribute(value))


def _attributes(fields: dict[str, Any], renamed: bool) -> Attributes:
    if renamed:
        fields = {_RENAMED.get(name, name): value for name, value in fields.items()}
    if not PLAIN.issuperset(map(type, fields.values())):
        return {name: as_attribute(value) for name, value in fields.items()}
    return fields
