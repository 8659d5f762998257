"""Log records: kept durably, found by words, fields, severity, trace and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from watchkeeper.model import LogRecord, Severity
from watchkeeper.ports import LogBucket, LogListener, LogQuery
from watchkeeper.storage import attributes, grams, log_rows, part_index
from watchkeeper.storage.asking import Piece, listed, neighbours_joined
from watchkeeper.storage.engine import Cursor
from watchkeeper.storage.journal import Journal
from watchkeeper.storage.log_matching import RECORD_FIELDS
from watchkeeper.storage.log_rows import LOGS
from watchkeeper.storage.log_tail import LogTail
from watchkeeper.storage.part import PartSummary
from watchkeeper.storage.part_index import Granule, Wanted
from watchkeeper.storage.row_tiers import RowTiers
from watchkeeper.storage.wal_format import RecordKind
from watchkeeper.wire import attribute_text

_BY_TIME = "timestamp_ns {0}, position {0}"


class DurableLogStore:
    """The log store of the disk (ports.LogStore)."""

    def __init__(self, journal: Journal, tiers: RowTiers) -> None:
        self._journal = journal
        self._tail = LogTail()
        self.tiers = tiers

    def append(self, records: Sequence[LogRecord]) -> None:
        if not records:
            return
        columns = log_rows.columns(records)
        payload = log_rows.pack(columns)
        with self._journal.gate.shared():
            sequence = self._journal.write(RecordKind.LOGS, payload, len(records))
            self.tiers.insert(sequence, columns)
        self._tail.tell(records)

    def follow(self, query: LogQuery, listener: LogListener) -> Callable[[], None]:
        return self._tail.follow(query, listener)

    def search(self, query: LogQuery) -> list[LogRecord]:
        condition, parameters = _condition(query)
        order = _BY_TIME.format("DESC" if query.newest_first else "ASC")

        def question(cursor: Cursor, table: str) -> list[tuple[Any, ...]]:
            return cursor.execute(
                f"SELECT {LOGS.names}, position FROM {table} WHERE {condition} "
                f"ORDER BY {order} LIMIT {max(query.limit, 0)}",
                parameters,
            ).fetchall()

        return log_rows.records(row[:-1] for row in self._first_rows(query, question))

    def histogram(self, query: LogQuery, buckets: int) -> list[LogBucket]:
        width = bucket_width(query, buckets)
        condition, parameters = _condition(query)

        def question(cursor: Cursor, table: str) -> list[tuple[int, int, int]]:
            return cursor.execute(
                f"SELECT (timestamp_ns - {query.start_ns}) // {width}, severity, count(*) "
                f"FROM {table} WHERE {condition} GROUP BY ALL",
                parameters,
            ).fetchall()

        stretches = [LogBucket(query.start_ns + number * width) for number in range(buckets)]
        for rows in self.tiers.ask(query.start_ns, query.end_ns, question, wanted=_wanted(query)):
            for number, severity, count in rows:
                counts = stretches[number].counts
                counts[Severity(severity)] = counts.get(Severity(severity), 0) + count
        return stretches

    def _first_rows(self, query: LogQuery, question: Any) -> list[tuple[Any, ...]]:
        """Return the first rows of all tiers, leaving parts alone that cannot add any."""
        sign = -1 if query.newest_first else 1

        def key(row: tuple[Any, ...]) -> tuple[int, int]:
            return sign * row[0], sign * row[-1]

        def best(rows: PartSummary | Granule) -> int:
            return sign * (rows.last_ns if query.newest_first else rows.first_ns)

        with self.tiers.asking(_wanted(query)) as asking:
            rows = sorted(listed(asking.hot(question)), key=key)[: query.limit]
            parts = asking.parts(query.start_ns, query.end_ns)
            parts.sort(key=lambda part: best(part.summary))
            pieces: list[Piece] = []
            size = 1
            while True:
                while parts and (
                    len(pieces) < size or best(parts[0].summary) <= best(pieces[0].granule)
                ):
                    pieces += asking.pieces(parts.pop(0), query.start_ns, query.end_ns)
                    pieces.sort(key=lambda piece: best(piece.granule))
                if not pieces:
                    return rows
                enough = len(rows) == query.limit
                if enough and (not rows or sign * rows[-1][0] < best(pieces[0].granule)):
                    return rows
                for piece in neighbours_joined(pieces[:size]):
                    rows += listed(asking.piece(piece, question))
                rows = sorted(rows, key=key)[: query.limit]
                # What is rare is looked for in more and more at a time: a question takes time too.
                pieces, size = pieces[size:], 2 * size


def _wanted(query: LogQuery) -> list[Wanted]:
    """Return what the filters of parts can tell of a query."""
    fields = dict(query.fields)
    wanted = []
    trace_id = query.trace_id or fields.get("trace_id", "")
    if trace_id:
        wanted.append(Wanted("trace_id", [[part_index.key_of(attribute_text.clean(trace_id))]]))
    for column, texts in (
        ("message", query.words),
        ("attributes", [text for name, text in query.fields if name not in RECORD_FIELDS]),
    ):
        keys = [key for text in texts for key in grams.keys_of_word(text)]
        if keys:
            wanted.append(Wanted(column, [keys]))
    return wanted


def bucket_width(query: LogQuery, buckets: int) -> int:
    """Return the nanoseconds of a bucket, so that `buckets` of them cover the range."""
    return max(1, -(-(query.end_ns - query.start_ns + 1) // buckets))


def _condition(query: LogQuery) -> tuple[str, list[Any]]:
    """Return the WHERE of a query and its parameters."""
    parts = ["timestamp_ns BETWEEN ? AND ?"]
    parameters: list[Any] = [max(query.start_ns, 0), min(query.end_ns, log_rows.LAST_NS)]
    if query.minimum_severity > Severity.TRACE:
        parts.append("severity >= ?")
        parameters.append(int(query.minimum_severity))
    if query.trace_id:
        parts.append("trace_id = ?")
        parameters.append(attribute_text.clean(query.trace_id))
    for words, negation in ((query.words, ""), (query.without_words, "NOT ")):
        for word in words:
            parts.append(f"{negation}contains(lower(message), lower(?))")
            parameters.append(attribute_text.clean(word))
    for fields, negation in ((query.fields, ""), (query.without_fields, "NOT ")):
        for name, value in fields:
            test, needed = _field(name, value)
            parts.append(negation + test)
            parameters += needed
    return " AND ".join(parts), parameters


def _field(name: str, value: str) -> tuple[str, list[Any]]:
    if name in RECORD_FIELDS:
        return f"({name} = ?)", [attribute_text.clean(value)]
    needles = attributes.needles(name, value)
    return "(" + " OR ".join(["contains(attributes, ?)"] * len(needles)) + ")", list(needles)
