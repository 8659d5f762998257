"""Spans as the columns that the write-ahead log and the tables hold.

In a part the spans of a trace stand together, traces by their first start. A span whose parent
is in the part too has, in place of its parent's id, how many rows further up the parent stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from watchkeeper.model import Scope, SpanEvent, SpanKind, SpanLink, SpanRecord, StatusCode
from watchkeeper.storage.log_rows import LAST_NS, times
from watchkeeper.storage.row_table import RowTable, as_json, with_zstd
from watchkeeper.storage.row_tiers import Columns
from watchkeeper.wire import attribute_text
from watchkeeper.wire.record_columns import SpanColumns

_COLUMNS = (
    ("trace_id", "VARCHAR"),
    ("span_id", "VARCHAR"),
    ("parent_span_id", "VARCHAR"),
    ("name", "VARCHAR"),
    ("kind", "UTINYINT"),
    ("start_ns", "BIGINT"),
    ("end_ns", "BIGINT"),
    ("service", "VARCHAR"),
    ("status", "UTINYINT"),
    ("status_message", "VARCHAR"),
    ("attributes", "VARCHAR"),
    ("events", "VARCHAR"),
    ("links", "VARCHAR"),
    ("resource", "VARCHAR"),
    ("scope", "VARCHAR"),
)
_PART_COLUMNS = (
    *((name, kind) for name, kind in _COLUMNS if name != "end_ns"),
    ("duration_ns", "BIGINT"),
    ("parent_back", "BIGINT"),
)


def _arranged(source: str) -> str:
    kept = ", ".join(
        f"one.{name}" for name, _ in _COLUMNS if name not in ("parent_span_id", "end_ns")
    )
    columns = kept.replace("one.span_id", "one.span_id, left_of_parent", 1)
    return f"""
        WITH placed AS (
            SELECT trace_id, span_id, parent_span_id, position,
                row_number() OVER (ORDER BY first_ns, trace_id, start_ns, position) AS place
            FROM (SELECT *, min(start_ns) OVER (PARTITION BY trace_id) AS first_ns FROM {source})
        ),
        parents AS (SELECT trace_id, span_id, min(place) AS place FROM placed GROUP BY ALL),
        related AS (
            SELECT child.position, child.place, coalesce(child.place - parent.place, 0) AS back,
                CASE WHEN back = 0 THEN child.parent_span_id ELSE '' END AS left_of_parent
            FROM placed child LEFT JOIN parents parent ON parent.trace_id = child.trace_id
                AND parent.span_id = child.parent_span_id AND child.parent_span_id <> ''
        )
        SELECT {columns}, one.end_ns - one.start_ns, related.back
        FROM {source} one JOIN related USING (position) ORDER BY related.place
    """


def _exported(rows: str) -> str:
    nested = as_json("(e ->> '$[2]')")
    events = _nested(
        "events",
        "name := e ->> '$[0]', timestamp := make_timestamp_ns((e ->> '$[1]')::BIGINT), "
        f"attributes := {nested}",
    )
    links = _nested(
        "links",
        f"trace_id := e ->> '$[0]', span_id := e ->> '$[1]', attributes := {nested}",
    )
    return f"""
        SELECT one.trace_id, one.span_id,
            CASE WHEN one.parent_back = 0 THEN one.parent_span_id ELSE parent.span_id END
                AS parent_span_id,
            one.name, one.kind, make_timestamp_ns(one.start_ns) AS start,
            one.end_ns - one.start_ns AS duration_ns, one.service, one.status, one.status_message,
            {as_json("one.attributes")} AS attributes, {events} AS events, {links} AS links,
            {as_json("one.resource")} AS resource, one.scope
        FROM {rows} one LEFT JOIN {rows} parent
            ON one.parent_back <> 0 AND parent.position = one.position - one.parent_back
        ORDER BY one.position
    """


def _nested(column: str, fields: str) -> str:
    """Return the SQL that makes a list of structs of encoded events or links."""
    items = f"json_extract(nullif(one.{column}, ''), '$[*]')"
    return f"list_transform({items}, lambda e: struct_pack({fields}))"


SPANS = RowTable(
    name="spans",
    time="start_ns",
    columns=_COLUMNS,
    part_columns=with_zstd(_PART_COLUMNS, "attributes", "events"),
    arranged=_arranged,
    exported=_exported,
    key="trace_id",
    listed=("service", "name"),
    random=("trace_id", "span_id", "parent_span_id"),
    hot_view="*, 0 AS parent_back",
    part_view="* EXCLUDE (duration_ns), start_ns + duration_ns AS end_ns",
)


def columns(spans: Sequence[SpanRecord]) -> Columns:
    """Return the columns of the table, each as long as `spans`."""
    if isinstance(spans, SpanColumns):
        return _as_they_are(spans)
    clean, encode = attribute_text.clean_column, attribute_text.encode_column
    return {
        "trace_id": clean([span.trace_id for span in spans]),
        "span_id": clean([span.span_id for span in spans]),
        "parent_span_id": clean([span.parent_span_id for span in spans]),
        "name": clean([span.name for span in spans]),
        "kind": [span.kind for span in spans],
        "start_ns": times([span.start_ns for span in spans]),
        "end_ns": times([span.end_ns for span in spans]),
        "service": clean([span.service for span in spans]),
        "status": [span.status for span in spans],
        "status_message": clean([span.status_message for span in spans]),
        "attributes": encode([span.attributes for span in spans]),
        "events": [_encode_events(span.events) if span.events else "" for span in spans],
        "links": [_encode_links(span.links) if span.links else "" for span in spans],
        "resource": encode([span.resource for span in spans]),
        "scope": clean([span.scope.name for span in spans]),
    }


def _as_they_are(spans: SpanColumns) -> Columns:
    return {
        "trace_id": spans.trace_id,
        "span_id": spans.span_id,
        "parent_span_id": spans.parent_span_id,
        "name": spans.name,
        "kind": spans.kind,
        "start_ns": times(spans.start_ns),
        "end_ns": times(spans.end_ns),
        "service": spans.service,
        "status": spans.status,
        "status_message": spans.status_message,
        "attributes": spans.attributes,
        "events": [_encode_events(events) if events else "" for events in spans.events],
        "links": [_encode_links(links) if links else "" for links in spans.links],
        "resource": spans.resource,
        "scope": spans.scope,
    }


def spans(rows: Iterable[Sequence[Any]]) -> list[SpanRecord]:
    """Return spans from rows in the order of the table's columns."""
    decode = attribute_text.decode
    return [
        SpanRecord(
            trace_id=row[0],
            span_id=row[1],
            parent_span_id=row[2],
            name=row[3],
            kind=SpanKind(row[4]),
            start_ns=row[5],
            end_ns=row[6],
            service=row[7],
            status=StatusCode(row[8]),
            status_message=row[9],
            attributes=decode(row[10]),
            events=_decode_events(row[11]),
            links=_decode_links(row[12]),
            resource=decode(row[13]),
            scope=Scope(row[14]),
        )
        for row in rows
    ]


def with_parents(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Return (columns, position) of whole traces from (columns, parent_back, position)."""
    span_ids = {row[-1]: row[1] for row in rows}
    return [
        (*row[:2], span_ids[row[-1] - row[-2]] if row[-2] else row[2], *row[3:-2], row[-1])
        for row in rows
    ]


def _time(time_ns: int) -> int:
    return min(max(time_ns, 0), LAST_NS)


def _encode_events(events: Sequence[SpanEvent]) -> str:
    return orjson.dumps(
        [
            (
                attribute_text.clean(event.name),
                _time(event.timestamp_ns),
                attribute_text.encode(event.attributes),
            )
            for event in events
        ]
    ).decode()


def _decode_events(text: str) -> tuple[SpanEvent, ...]:
    if not text:
        return ()
    return tuple(
        SpanEvent(name, time_ns, attribute_text.decode(found))
        for name, time_ns, found in orjson.loads(text)
    )


def _encode_links(links: Sequence[SpanLink]) -> str:
    return orjson.dumps(
        [
            (
                attribute_text.clean(link.trace_id),
                attribute_text.clean(link.span_id),
                attribute_text.encode(link.attributes),
            )
            for link in links
        ]
    ).decode()


def _decode_links(text: str) -> tuple[SpanLink, ...]:
    if not text:
        return ()
    return tuple(
        SpanLink(trace_id, span_id, attribute_text.decode(found))
        for trace_id, span_id, found in orjson.loads(text)
    )
