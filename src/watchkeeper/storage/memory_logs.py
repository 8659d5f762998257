"""Log records in memory, in the order of their coming."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from watchkeeper.model import LogRecord
from watchkeeper.ports import LogBucket, LogListener, LogQuery
from watchkeeper.storage import log_rows, log_store
from watchkeeper.storage.log_matching import fulfils
from watchkeeper.storage.log_rows import LOGS
from watchkeeper.storage.log_tail import LogTail


class MemoryLogStore:
    """The log store of the memory (ports.LogStore)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[LogRecord] = []
        self._tail = LogTail()

    def append(self, records: Sequence[LogRecord]) -> None:
        columns = log_rows.columns(records)
        rows = zip(*(columns[name] for name, _ in LOGS.columns), strict=True)
        with self._lock:
            self._records += log_rows.records(rows)
        self._tail.tell(records)

    def follow(self, query: LogQuery, listener: LogListener) -> Callable[[], None]:
        return self._tail.follow(query, listener)

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
            return [
                record
                for record in self._records
                if query.start_ns <= record.timestamp_ns <= query.end_ns and fulfils(record, query)
            ]
