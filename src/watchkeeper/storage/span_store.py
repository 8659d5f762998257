"""Spans: kept durably, found by trace, service, operation, duration, attributes and errors."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from watchkeeper.model import SpanRecord, StatusCode
from watchkeeper.ports import Dependency, TraceQuery
from watchkeeper.storage import attributes, log_rows, part_index, span_rows
from watchkeeper.storage.asking import listed
from watchkeeper.storage.engine import Cursor
from watchkeeper.storage.journal import Journal
from watchkeeper.storage.part_index import Wanted
from watchkeeper.storage.row_tiers import RowTiers
from watchkeeper.storage.span_rows import SPANS
from watchkeeper.storage.wal_format import RecordKind
from watchkeeper.wire import attribute_text

_EVER_NS = (0, log_rows.LAST_NS)


class DurableSpanStore:
    """The span store of the disk (ports.SpanStore)."""

    def __init__(self, journal: Journal, tiers: RowTiers) -> None:
        self._journal = journal
        self.tiers = tiers

    def append(self, spans: Sequence[SpanRecord]) -> None:
        if not spans:
            return
        columns = span_rows.columns(spans)
        payload = log_rows.pack(columns)
        with self._journal.gate.shared():
            sequence = self._journal.write(RecordKind.SPANS, payload, len(spans))
            self.tiers.insert(sequence, columns)

    def trace(self, trace_id: str) -> list[SpanRecord]:
        return self._traces([trace_id]).get(trace_id, [])

    def search(self, query: TraceQuery) -> list[list[SpanRecord]]:
        condition, parameters = _condition(query)
        limit = max(query.limit, 0)

        def question(cursor: Cursor, table: str) -> list[tuple[str, int]]:
            return cursor.execute(
                f"SELECT trace_id, max(start_ns) AS latest_ns FROM {table} WHERE {condition} "
                f"GROUP BY trace_id ORDER BY latest_ns DESC, trace_id LIMIT {limit}",
                parameters,
            ).fetchall()

        latest: dict[str, int] = {}

        def note(rows: Iterable[tuple[str, int]]) -> None:
            for trace_id, start_ns in rows:
                latest[trace_id] = max(start_ns, latest.get(trace_id, start_ns))

        with self.tiers.asking() as asking:
            note(listed(asking.hot(question)))
            for part in asking.parts(query.start_ns, query.end_ns):
                best = heapq.nlargest(limit, latest.values())
                if len(best) == limit and (not best or part.summary.last_ns < best[-1]):
                    break  # Neither this part nor the older ones after it can add any.
                note(listed(asking.part(part, question)))
        newest = sorted(latest, key=lambda trace_id: (-latest[trace_id], trace_id))[:limit]
        found = self._traces(newest) if newest else {}
        return [found[trace_id] for trace_id in newest if trace_id in found]

    def services(self) -> list[str]:
        return sorted({service for service, _ in self._operations()})

    def operations(self, service: str) -> list[str]:
        return sorted({name for whose, name in self._operations() if whose == service})

    def dependencies(self, start_ns: int, end_ns: int) -> list[Dependency]:
        # Where a part has a span's parent too, the engine counts; the others are joined here.
        within = _within(start_ns, end_ns)
        calls: Counter[tuple[str, str]] = Counter()

        def related(cursor: Cursor, rows: str) -> list[tuple[str, str, int]]:
            inside = f"(SELECT * FROM {rows} WHERE start_ns BETWEEN ? AND ?)"
            return cursor.execute(
                f"SELECT parent.service, child.service, count(*) FROM {inside} child "
                f"JOIN {inside} parent ON parent.position = child.position - child.parent_back "
                "WHERE child.parent_back <> 0 AND parent.service <> child.service GROUP BY ALL",
                within * 2,
            ).fetchall()

        def orphans(cursor: Cursor, rows: str) -> list[tuple[str, str, str]]:
            return cursor.execute(
                f"SELECT trace_id, parent_span_id, service FROM {rows} "
                "WHERE start_ns BETWEEN ? AND ? AND parent_back = 0 AND parent_span_id <> ''",
                within,
            ).fetchall()

        def parents(cursor: Cursor, rows: str) -> list[tuple[str, str, str]]:
            return cursor.execute(
                f"SELECT trace_id, span_id, service FROM {rows} WHERE start_ns BETWEEN ? AND ? "
                "AND span_id IN (SELECT unnest(?::VARCHAR[]))",
                [*within, sorted({parent for _, parent, _ in children})],
            ).fetchall()

        with self.tiers.asking() as asking:
            for parent, child, count in listed(asking.all(start_ns, end_ns, related)):
                calls[parent, child] += count
            children = listed(asking.all(start_ns, end_ns, orphans))
            known = listed(asking.all(start_ns, end_ns, parents)) if children else []
        service_of = {(trace_id, span_id): service for trace_id, span_id, service in known}
        calls.update(
            (service_of[trace_id, parent], service)
            for trace_id, parent, service in children
            if (trace_id, parent) in service_of
        )
        return sorted_calls(calls)

    def _operations(self) -> set[tuple[str, str]]:
        """Return every service with each of its operations; parts have lists of theirs."""
        found: set[tuple[str, str]] = set()

        def question(cursor: Cursor, table: str) -> list[tuple[str, str]]:
            return cursor.execute(f"SELECT DISTINCT service, name FROM {table}").fetchall()

        with self.tiers.asking() as asking:
            found.update(listed(asking.hot(question)))
            for part in asking.parts(*_EVER_NS):
                if part.summary.values is None:
                    found.update(listed(asking.part(part, question)))
                else:
                    found.update((service, name) for service, name in part.summary.values)
        return found

    def _traces(self, trace_ids: Sequence[str]) -> dict[str, list[SpanRecord]]:
        """Return the spans of each trace by start time, wherever they are."""
        wanted = [attribute_text.clean(trace_id) for trace_id in trace_ids]

        def question(cursor: Cursor, table: str) -> list[tuple[Any, ...]]:
            rows = cursor.execute(
                f"SELECT {SPANS.names}, parent_back, position FROM {table} "
                "WHERE trace_id IN (SELECT unnest(?::VARCHAR[]))",
                [wanted],
            ).fetchall()
            return span_rows.with_parents(rows)

        filtered = Wanted(SPANS.key, [[part_index.key_of(one)] for one in wanted])
        rows = listed(self.tiers.ask(*_EVER_NS, question, wanted=[filtered]))
        rows.sort(key=lambda row: (row[5], row[-1]))
        traces: dict[str, list[SpanRecord]] = {}
        for span in span_rows.spans(row[:-1] for row in rows):
            traces.setdefault(span.trace_id, []).append(span)
        return traces


def sorted_calls(calls: Mapping[tuple[str, str], int]) -> list[Dependency]:
    """Return how often each service called another, from counts by (caller, called)."""
    return [
        Dependency(parent, child, count)
        for (parent, child), count in sorted(calls.items())
        if parent != child
    ]


def _within(start_ns: int, end_ns: int) -> list[Any]:
    return [min(max(start_ns, 0), log_rows.LAST_NS), min(max(end_ns, -1), log_rows.LAST_NS)]


def _condition(query: TraceQuery) -> tuple[str, list[Any]]:
    """Return the WHERE of a query and its parameters."""
    parts = ["start_ns BETWEEN ? AND ?"]
    parameters: list[Any] = _within(query.start_ns, query.end_ns)
    for column, value in (("service", query.service), ("name", query.operation)):
        if value:
            parts.append(f"{column} = ?")
            parameters.append(attribute_text.clean(value))
    if query.minimum_duration_ns > 0:
        parts.append("end_ns - start_ns >= ?")
        parameters.append(min(query.minimum_duration_ns, log_rows.LAST_NS))
    if query.maximum_duration_ns is not None:
        parts.append("end_ns - start_ns <= ?")
        parameters.append(min(query.maximum_duration_ns, log_rows.LAST_NS))
    if query.errors_only:
        parts.append(f"status = {int(StatusCode.ERROR)}")
    if query.without_errors:
        parts.append(f"status <> {int(StatusCode.ERROR)}")
    for name, value in query.attributes:
        needles = attributes.needles(name, value)
        parts.append("(" + " OR ".join(["contains(attributes, ?)"] * len(needles)) + ")")
        parameters += needles
    return " AND ".join(parts), parameters
