"""Log records in memory, in the order of their coming."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from watchkeeper.model import LogRecord
from watchkeeper.ports import LogBucket, LogQuery
from watchkeeper.storage import attributes, log_rows, log_store
from watchkeeper.storage.log_rows import LOGS

_COLUMN_FIELDS = frozenset({"service", "logger", "trace_id", "span_id", "message"})


class MemoryLogStore:
    """The log store of the memory (ports.LogStore)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[LogRecord] = []

    def append(self, records: Sequence[LogRecord]) -> None:
        columns = log_rows.columns(records)
        rows = zip(*(columns[name] for name, _ in LOGS.columns), strict=True)
        with self._lock:
            self._records += log_rows.records(rows)

    def search(self, query: LogQuery) -> list[LogRecord]:
        found = self._matching(query)
        # A stable sort, upside down as a whole, so that of one moment the newest comes first.
        found.sort(key=lambda record: record.timestamp_ns)
        return (found[::-1] if query.newest_first else found)[: max(query.limit, 0)]

    def histogram(self, query: LogQuery, buckets: int) -> list[LogBucket]:
        width = log_store.bucket_width(query, buckets)
        stretches = [LogBucket(query.start_ns + number * width) for number in range(buckets)]
        for record in self._matching(query):
            counts = stretches[(record.timestamp_ns - query.start_ns) // width].counts
            counts[record.severity] = counts.get(record.severity, 0) + 1
        return stretches

    def _matching(self, query: LogQuery) -> list[LogRecord]:
        with self._lock:
            return [record for record in self._records if _fulfils(record, query)]


def _fulfils(record: LogRecord, query: LogQuery) -> bool:
    message = record.message.lower()
    return (
        query.start_ns <= record.timestamp_ns <= query.end_ns
        and record.severity >= query.minimum_severity
        and query.trace_id in ("", record.trace_id)
        and all(word.lower() in message for word in query.words)
        and not any(word.lower() in message for word in query.without_words)
        and all(_has(record, name, value) for name, value in query.fields)
        and not any(_has(record, name, value) for name, value in query.without_fields)
    )


def _has(record: LogRecord, name: str, value: str) -> bool:
    if name in _COLUMN_FIELDS:
        return bool(getattr(record, name) == value)
    found = record.attributes.get(name)
    return found is not None and attributes.as_text(found) == value
