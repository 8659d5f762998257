"""A log record as one line of JSON, in the words that the index and the page expect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from watchkeeper.model import Attributes, AttributeValue, LogRecord, Severity

_SECOND_NS = 1_000_000_000
_latest = [(0, "1970-01-01T00:00:00.")]
"""The second that was written last: when it began, and how it reads."""

RESERVED = frozenset(
    (
        "@timestamp",
        "level",
        "logger",
        "message",
        "service",
        "version",
        "environment",
        "trace_id",
        "span_id",
    )
)
EXCEPTION_FIELDS = {
    "exception.type": "type",
    "exception.message": "message",
    "exception.stacktrace": "stack",
}


def timestamp(time_ns: int) -> str:
    """Return RFC 3339 in UTC with nanoseconds: `2026-01-02T03:04:05.123456789Z`."""
    begin_ns, text = _latest[0]
    rest_ns = time_ns - begin_ns
    if not 0 <= rest_ns < _SECOND_NS:
        seconds, rest_ns = divmod(time_ns, _SECOND_NS)
        text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}."
        _latest[0] = (seconds * _SECOND_NS, text)
    # Nine digits as a rule: a format with leading zeros takes twice as long.
    digits = str(rest_ns)
    return f"{text}{digits if len(digits) == 9 else digits.zfill(9)}Z"


def encode_line(record: LogRecord) -> bytes:
    """Return the line, newline included. A field that is named like one of ours gets a `_`."""
    known = known_fields(
        record.severity, record.logger, record.message, record.service, record.resource
    )
    line: dict[str, Any] = {"@timestamp": timestamp(record.timestamp_ns), **known}
    if record.trace_id:
        line["trace_id"] = record.trace_id
        line["span_id"] = record.span_id
    exception: dict[str, Any] = {}
    for name, value in record.attributes.items():
        if name in EXCEPTION_FIELDS:
            exception[EXCEPTION_FIELDS[name]] = value
        else:
            line[f"{name}_" if name in RESERVED else name] = value
    if exception:
        line["exception"] = exception
    return encode_json(line) + b"\n"


def known_fields(
    severity: Severity, logger: str, message: str, service: str, resource: Attributes
) -> dict[str, AttributeValue]:
    """Return what every line has after its time, in the line's order."""
    return {
        "level": severity.name,
        "logger": logger,
        "message": message,
        "service": service,
        "version": resource.get("service.version", ""),
        "environment": resource.get("deployment.environment.name", ""),
    }


def encode_fields(fields: Mapping[str, Any]) -> str:
    """Return fields as they stand inside of a line: without the braces."""
    return encode_json(fields)[1:-1].decode()


def encode_json(value: Any) -> bytes:
    """Return any value as JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # A lone surrogate or an integer beyond 64 bits: slower, and always possible.
        return json.dumps(value, default=str).encode()
