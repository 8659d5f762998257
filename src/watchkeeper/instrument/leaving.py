"""What a batch of records has become when the pump is through with it: on its way out."""

from __future__ import annotations

from collections import defaultdict

from watchkeeper.instrument.log_line import encode_line
from watchkeeper.model import LogRecord, Scope, SpanRecord
from watchkeeper.wire.otlp_encode import encode_log, encode_span


class Leaving:
    """JSON lines, and OTLP messages by their scopes; only those that somebody wants.

    `observed` keeps the records besides, for whoever looks at what leaves.
    """

    __slots__ = (
        "lines",
        "log_records",
        "logs",
        "observed",
        "span_records",
        "spans",
        "wants_lines",
        "wants_logs",
        "wants_spans",
    )

    def __init__(self, *, lines: bool, spans: bool, logs: bool, observed: bool) -> None:
        self.wants_lines = lines
        self.wants_spans = spans
        self.wants_logs = logs
        self.observed = observed
        self.lines: list[bytes] = []
        self.spans: defaultdict[str | Scope, list[bytes]] = defaultdict(list)
        self.logs: defaultdict[str | Scope, list[bytes]] = defaultdict(list)
        self.span_records: list[SpanRecord] = []
        self.log_records: list[LogRecord] = []

    def add_span(self, span: SpanRecord) -> None:
        """Take a span."""
        if self.wants_spans:
            self.spans[span.scope].append(encode_span(span))
        if self.observed:
            self.span_records.append(span)

    def add_log(self, record: LogRecord) -> None:
        """Take a log line."""
        if self.wants_lines:
            self.lines.append(encode_line(record))
        if self.wants_logs:
            self.logs[record.logger].append(encode_log(record))
        if self.observed:
            self.log_records.append(record)
