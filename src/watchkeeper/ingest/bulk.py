"""Log records in Elasticsearch's bulk format, received: opened, read, stored, then acknowledged."""

from __future__ import annotations

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
from watchkeeper.wire.record_making import maker


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one action; `problem` is empty when its document was kept."""

    action: str
    index: str
    id: str
    problem: str


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
        limits = quota.of_attributes
        # Nearly never is one so long that a value in it may be too long.
        long_ones = max(map(len, opened.split(b"\n"))) > limits.value_length
        records: list[LogRecord] = []
        results: list[BulkResult] = []
        beyond: list[Excess] = []
        for number, item in enumerate(items):
            problem = item.problem
            if item.document is not None:
                found = _record(item, now_ns, limits, long_ones)
                if isinstance(found, LogRecord):
                    records.append(found)
                elif isinstance(found, Excess):
                    beyond.append(found)
                    problem = found.reason
                else:
                    problem = found
            name = item.id or f"{now_ns:x}-{number:x}"
            results.append(_make_result(item.action, item.index, name, problem))
        self._store(records)
        quota.exceeded_by(beyond)
        self._tally.refused(Signal.LOGS, Refusal.ATTRIBUTE_LIMIT, len(beyond))
        malformed = len(results) - len(records) - len(beyond)
        self._tally.refused(Signal.LOGS, Refusal.MALFORMED, malformed)
        return results

    def _store(self, records: list[LogRecord]) -> None:
        if not records:
            return
        try:
            self._logs.append(records)
        except (StorageError, OverloadError) as error:
            self._tally.refused(Signal.LOGS, reason_of(error), len(records))
            raise
        self._tally.received(Signal.LOGS, len(records))


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
