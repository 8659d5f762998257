"""Spans in memory, in the order of their coming."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from watchkeeper.model import SpanRecord, StatusCode
from watchkeeper.ports import Dependency, TraceQuery
from watchkeeper.storage import attributes, span_rows
from watchkeeper.storage.span_rows import SPANS
from watchkeeper.storage.span_store import sorted_calls


class MemorySpanStore:
    """The span store of the memory (ports.SpanStore)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[SpanRecord] = []

    def append(self, spans: Sequence[SpanRecord]) -> None:
        columns = span_rows.columns(spans)
        rows = zip(*(columns[name] for name, _ in SPANS.columns), strict=True)
        with self._lock:
            self._spans += span_rows.spans(rows)

    def trace(self, trace_id: str) -> list[SpanRecord]:
        found = [span for span in self._all() if span.trace_id == trace_id]
        return sorted(found, key=lambda span: span.start_ns)

    def search(self, query: TraceQuery) -> list[list[SpanRecord]]:
        latest: dict[str, int] = {}
        for span in self._all():
            if _fulfils(span, query):
                latest[span.trace_id] = max(span.start_ns, latest.get(span.trace_id, 0))
        newest = sorted(latest, key=lambda trace_id: (-latest[trace_id], trace_id))
        return [self.trace(trace_id) for trace_id in newest[: max(query.limit, 0)]]

    def services(self) -> list[str]:
        return sorted({span.service for span in self._all()})

    def operations(self, service: str) -> list[str]:
        return sorted({span.name for span in self._all() if span.service == service})

    def dependencies(self, start_ns: int, end_ns: int) -> list[Dependency]:
        inside = [span for span in self._all() if start_ns <= span.start_ns <= end_ns]
        service_of = {(span.trace_id, span.span_id): span.service for span in inside}
        return sorted_calls(
            Counter(
                (service_of[span.trace_id, span.parent_span_id], span.service)
                for span in inside
                if (span.trace_id, span.parent_span_id) in service_of
            )
        )

    def _all(self) -> list[SpanRecord]:
        with self._lock:
            return list(self._spans)


def _fulfils(span: SpanRecord, query: TraceQuery) -> bool:
    duration_ns = span.end_ns - span.start_ns
    return (
        query.start_ns <= span.start_ns <= query.end_ns
        and query.service in ("", span.service)
        and query.operation in ("", span.name)
        and duration_ns >= query.minimum_duration_ns
        and (query.maximum_duration_ns is None or duration_ns <= query.maximum_duration_ns)
        and (span.status is StatusCode.ERROR or not query.errors_only)
        and not (span.status is StatusCode.ERROR and query.without_errors)
        and all(
            name in span.attributes and attributes.as_text(span.attributes[name]) == value
            for name, value in query.attributes
        )
    )
