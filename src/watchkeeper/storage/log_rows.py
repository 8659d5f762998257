"""Log records as the columns that the write-ahead log and the tables hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from watchkeeper.model import LogRecord, Severity
from watchkeeper.storage.row_table import RowTable, as_json, with_zstd
from watchkeeper.storage.row_tiers import Columns
from watchkeeper.wire import attribute_text
from watchkeeper.wire.record_columns import LogColumns

_COLUMNS = (
    ("timestamp_ns", "BIGINT"),
    ("severity", "UTINYINT"),
    ("message", "VARCHAR"),
    ("service", "VARCHAR"),
    ("logger", "VARCHAR"),
    ("trace_id", "VARCHAR"),
    ("span_id", "VARCHAR"),
    ("attributes", "VARCHAR"),
    ("resource", "VARCHAR"),
)


def _arranged(source: str) -> str:
    names = ", ".join(name for name, _ in _COLUMNS)
    return f"SELECT {names} FROM {source} ORDER BY timestamp_ns, position"


def _exported(rows: str) -> str:
    return f"""
        SELECT make_timestamp_ns(timestamp_ns) AS timestamp, severity, message, service, logger,
            trace_id, span_id, {as_json("attributes")} AS attributes,
            {as_json("resource")} AS resource
        FROM {rows} ORDER BY position
    """


LOGS = RowTable(
    name="logs",
    time="timestamp_ns",
    columns=_COLUMNS,
    part_columns=with_zstd(_COLUMNS, "message", "attributes"),
    arranged=_arranged,
    exported=_exported,
    key="trace_id",
    searched=("message", "attributes"),
    random=("trace_id", "span_id"),
)
LAST_NS = 2**63 - 1


def columns(records: Sequence[LogRecord]) -> Columns:
    """Return the columns of the table, each as long as `records`."""
    if isinstance(records, LogColumns):
        return _as_they_are(records)
    clean, encode = attribute_text.clean_column, attribute_text.encode_column
    return {
        "timestamp_ns": times([record.timestamp_ns for record in records]),
        "severity": [record.severity for record in records],
        "message": clean([record.message for record in records]),
        "service": clean([record.service for record in records]),
        "logger": clean([record.logger for record in records]),
        "trace_id": clean([record.trace_id for record in records]),
        "span_id": clean([record.span_id for record in records]),
        "attributes": encode([record.attributes for record in records]),
        "resource": encode([record.resource for record in records]),
    }


def _as_they_are(records: LogColumns) -> Columns:
    return {
        "timestamp_ns": times(records.timestamp_ns),
        "severity": records.severity,
        "message": records.message,
        "service": records.service,
        "logger": records.logger,
        "trace_id": records.trace_id,
        "span_id": records.span_id,
        "attributes": records.attributes,
        "resource": records.resource,
    }


def times(column: list[int]) -> list[int]:
    """Return times (ns), those that the tables cannot hold moved to the nearer end."""
    if min(column, default=0) >= 0 and max(column, default=0) <= LAST_NS:
        return column
    return [min(max(time_ns, 0), LAST_NS) for time_ns in column]


def records(rows: Iterable[Sequence[Any]]) -> list[LogRecord]:
    """Return records from rows in the order of the table's columns."""
    decode = attribute_text.decode
    return [
        LogRecord(
            timestamp_ns=row[0],
            severity=Severity(row[1]),
            message=row[2],
            service=row[3],
            logger=row[4],
            trace_id=row[5],
            span_id=row[6],
            attributes=decode(row[7]),
            resource=decode(row[8]),
        )
        for row in rows
    ]


def pack(columns: Columns) -> bytes:
    """Return columns as the payload of a record of the write-ahead log."""
    return msgspec.msgpack.encode(columns)


def unpack(payload: bytes) -> Columns:
    """Return what `pack` was given."""
    return msgspec.msgpack.decode(payload, type=dict[str, list[Any]])
