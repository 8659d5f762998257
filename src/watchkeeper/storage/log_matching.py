"""Which log records fulfil a query, one by one: for those in memory and those just arriving."""

from __future__ import annotations

from watchkeeper.model import LogRecord
from watchkeeper.ports import LogQuery
from watchkeeper.storage.attributes import as_text

RECORD_FIELDS = frozenset({"service", "logger", "trace_id", "span_id", "message"})
"""The fields of a query that are the record's own; every other is an attribute."""


def fulfils(record: LogRecord, query: LogQuery) -> bool:
    """Tell whether a record fulfils every condition of a query but its time."""
    message = record.message.lower()
    return (
        record.severity >= query.minimum_severity
        and query.trace_id in ("", record.trace_id)
        and all(word.lower() in message for word in query.words)
        and not any(word.lower() in message for word in query.without_words)
        and all(_has(record, name, value) for name, value in query.fields)
        and not any(_has(record, name, value) for name, value in query.without_fields)
    )


def _has(record: LogRecord, name: str, value: str) -> bool:
    if name in RECORD_FIELDS:
        return bool(getattr(record, name) == value)
    found = record.attributes.get(name)
    return found is not None and as_text(found) == value
