"""Spans and log records as columns: what tens of thousands a second are read into.

Each is a sequence of records like any other, made when one is looked at; a store that keeps
columns takes them as they are. Columns are of equal length. Attributes are texts, as in
attribute_text: what JSON cannot hold is a string in them already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from watchkeeper.model import (
    LogRecord,
    Scope,
    Severity,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
    StatusCode,
)
from watchkeeper.wire.attribute_text import decode

Record = TypeVar("Record", SpanRecord, LogRecord)


class _Records(Sequence[Record], Generic[Record]):
    """A sequence of records that are made when one is looked at."""

    __slots__ = ()

    def record(self, row: int) -> Record:
        """Return the record of a row."""
        raise NotImplementedError

    @overload
    def __getitem__(self, row: int) -> Record: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[Record]: ...

    def __getitem__(self, row: int | slice) -> Record | Sequence[Record]:
        if isinstance(row, slice):
            return [self.record(each) for each in range(len(self))[row]]
        return self.record(range(len(self))[row])


@dataclass(frozen=True, slots=True)
class SpanColumns(_Records[SpanRecord]):
    """Spans. `kind` and `status` are SpanKind and StatusCode by their numbers."""

    trace_id: list[str]
    span_id: list[str]
    parent_span_id: list[str]
    name: list[str]
    kind: list[int]
    start_ns: list[int]
    end_ns: list[int]
    service: list[str]
    status: list[int]
    status_message: list[str]
    attributes: list[str]
    events: list[tuple[SpanEvent, ...]]
    links: list[tuple[SpanLink, ...]]
    resource: list[str]
    scope: list[str]

    def __len__(self) -> int:
        return len(self.trace_id)

    def record(self, row: int) -> SpanRecord:
        """Return the span of a row."""
        return SpanRecord(
            trace_id=self.trace_id[row],
            span_id=self.span_id[row],
            parent_span_id=self.parent_span_id[row],
            name=self.name[row],
            kind=SpanKind(self.kind[row]),
            start_ns=self.start_ns[row],
            end_ns=self.end_ns[row],
            service=self.service[row],
            status=StatusCode(self.status[row]),
            status_message=self.status_message[row],
            attributes=decode(self.attributes[row]),
            events=self.events[row],
            links=self.links[row],
            resource=decode(self.resource[row]),
            scope=Scope(self.scope[row]),
        )


@dataclass(frozen=True, slots=True)
class LogColumns(_Records[LogRecord]):
    """Log records. `severity` is Severity by its number."""

    timestamp_ns: list[int]
    severity: list[int]
    message: list[str]
    service: list[str]
    logger: list[str]
    trace_id: list[str]
    span_id: list[str]
    attributes: list[str]
    resource: list[str]

    def __len__(self) -> int:
        return len(self.timestamp_ns)

    def record(self, row: int) -> LogRecord:
        """Return the log record of a row."""
        return LogRecord(
            timestamp_ns=self.timestamp_ns[row],
            severity=Severity(self.severity[row]),
            message=self.message[row],
            service=self.service[row],
            logger=self.logger[row],
            trace_id=self.trace_id[row],
            span_id=self.span_id[row],
            attributes=decode(self.attributes[row]),
            resource=decode(self.resource[row]),
        )
