"""Log records in Elasticsearch's bulk format, received: opened, read, stored, then acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import DecodeError, OverloadError, StorageError
from watchkeeper.ingest.compression import decompress
from watchkeeper.ingest.opening import read_request, take
from watchkeeper.ingest.quota import DEFAULT_TENANT, Quotas
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal, Tally, reason_of
from watchkeeper.model import LogRecord
from watchkeeper.ports import LogStore
from watchkeeper.wire.bulk import BulkItem, read_bulk
from watchkeeper.wire.limits import AttributeLimits, Excess
from watchkeeper.wire.log_document import read_document
from watchkeeper.wire.log_documents import read_documents
from watchkeeper.wire.record_making import maker


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one action; `problem` is empty when its document was kept."""

    action: str
    index: str
    id: str
    problem: str


@dataclass(frozen=True, slots=True)
class _Found:
    """The records of a request, of each item why it has none or '', and what limits were broken."""

    records: Sequence[LogRecord]
    problems: list[str]
    beyond: Sequence[Excess] = ()


_make_result = maker(BulkResult)


class BulkReceiver:
    """Takes bulk requests; may be called from several threads.

    A record is of the service that it names, or else of the one that its index is named after.
    Ids are given back and not looked at: a document that is sent twice is kept twice.
    Raises DecodeError (400), OverloadError and StoreFullError (try again); nothing was kept then.
    """

    def __init__(
        self, logs: LogStore, *, clock: Clock | None = None, quotas: Quotas | None = None
    ) -> None:
        self._logs = logs
        self._clock = clock or SystemClock()
        self._quotas = quotas or Quotas(clock=self._clock)
        self._tally = Tally()

    def statistics(self) -> IngestStatistics:
        """Return what was kept and refused since the start."""
        return self._tally.snapshot()

    def receive(
        self,
        body: bytes,
        content_encoding: str = "",
        index: str = "",
        tenant: str = DEFAULT_TENANT,
    ) -> list[BulkResult]:
        """Store the documents of a request and return what became of each, in their order."""
        quota = self._quotas.of(tenant)
        items, opened = read_request(
            body,
            signal=Signal.LOGS,
            quota=quota,
            tally=self._tally,
            unpack=lambda packed, limit: decompress(packed, content_encoding, limit),
            decode=lambda opened: (read_bulk(opened, index), opened),
        )
        take(len(items), signal=Signal.LOGS, quota=quota, tally=self._tally)
        now_ns = self._clock.time_ns()
        # Nearly never is one so long that a value in it may be too long.
        are_long = max(map(len, opened.split(b"\n"))) > quota.of_attributes.value_length
        found = _together(items, now_ns, quota.of_attributes) if not are_long else None
        if found is None:
            found = _one_by_one(items, now_ns, quota.of_attributes, are_long)
        self._store(found.records)
        quota.exceeded_by(found.beyond)
        self._tally.refused(Signal.LOGS, Refusal.ATTRIBUTE_LIMIT, len(found.beyond))
        malformed = len(items) - len(found.records) - len(found.beyond)
        self._tally.refused(Signal.LOGS, Refusal.MALFORMED, malformed)
        return [
            _make_result(item.action, item.index, item.id or f"{now_ns:x}-{number:x}", problem)
            for number, (item, problem) in enumerate(zip(items, found.problems, strict=True))
        ]

    def _store(self, records: Sequence[LogRecord]) -> None:
        if not records:
            return
        try:
            self._logs.append(records)
        except (StorageError, OverloadError) as error:
            self._tally.refused(Signal.LOGS, reason_of(error), len(records))
            raise
        self._tally.received(Signal.LOGS, len(records))


def _together(items: Sequence[BulkItem], now_ns: int, limits: AttributeLimits) -> _Found | None:
    """Return what a request holds, read as columns, or None: it is to be read one by one."""
    documents = [item.document for item in items if item.document is not None]
    if len(documents) < len(items) or len({item.index for item in items}) != 1:
        return None
    columns = read_documents(
        documents, now_ns=now_ns, service=items[0].index, most_attributes=limits.count
    )
    return None if columns is None else _Found(columns, [""] * len(items))


def _one_by_one(
    items: Sequence[BulkItem], now_ns: int, limits: AttributeLimits, are_long: bool
) -> _Found:
    records: list[LogRecord] = []
    problems: list[str] = []
    beyond: list[Excess] = []
    for item in items:
        problem = item.problem
        if item.document is not None:
            found = _record(item, now_ns, limits, are_long)
            if isinstance(found, LogRecord):
                records.append(found)
            elif isinstance(found, Excess):
                beyond.append(found)
                problem = found.reason
            else:
                problem = found
        problems.append(problem)
    return _Found(records, problems, beyond)


def _record(
    item: BulkItem, now_ns: int, limits: AttributeLimits, is_long: bool
) -> LogRecord | Excess | str:
    """Return a document's record, or why it is left out."""
    try:
        record = read_document(item.document or {}, now_ns=now_ns, service=item.index)
    except DecodeError as error:
        return str(error)
    if is_long or len(record.attributes) > limits.count:
        return limits.broken_by(record.attributes) or record
    return record
