"""Log records in Elasticsearch's bulk format, received: opened, read, stored, then acknowledged."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import DecodeError, OverloadError, StorageError
from watchkeeper.ingest.compression import decompress
from watchkeeper.ingest.receive import ReceiveLimits, reason_of
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal, Tally
from watchkeeper.model import LogRecord
from watchkeeper.ports import LogStore
from watchkeeper.wire.bulk import BulkItem, read_bulk
from watchkeeper.wire.log_document import read_document


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What became of one action; `problem` is empty when its document was kept."""

    action: str
    index: str
    id: str
    problem: str


class BulkReceiver:
    """Takes bulk requests; may be called from several threads.

    A record is of the service that it names, or else of the one that its index is named after.
    Ids are given back and not looked at: a document that is sent twice is kept twice.
    Raises DecodeError (400), OverloadError and StoreFullError (try again); nothing was kept then.
    """

    def __init__(
        self, logs: LogStore, *, clock: Clock | None = None, limits: ReceiveLimits | None = None
    ) -> None:
        self._logs = logs
        self._clock = clock or SystemClock()
        self._limits = limits or ReceiveLimits()
        self._tally = Tally()

    def statistics(self) -> IngestStatistics:
        """Return what was kept and refused since the start."""
        return self._tally.snapshot()

    def receive(self, body: bytes, content_encoding: str = "", index: str = "") -> list[BulkResult]:
        """Store the documents of a request and return what became of each, in their order."""
        now_ns = self._clock.time_ns()
        records: list[LogRecord] = []
        results: list[BulkResult] = []
        for number, item in enumerate(self._read(body, content_encoding, index)):
            problem = item.problem
            if item.document is not None:
                try:
                    records.append(read_document(item.document, now_ns=now_ns, service=item.index))
                except DecodeError as error:
                    problem = str(error)
            name = item.id or f"{now_ns:x}-{number:x}"
            results.append(BulkResult(item.action, item.index, name, problem))
        self._store(records)
        self._tally.refused(Signal.LOGS, Refusal.MALFORMED, len(results) - len(records))
        return results

    def _read(self, body: bytes, content_encoding: str, index: str) -> list[BulkItem]:
        try:
            items = read_bulk(decompress(body, content_encoding, self._limits.body_bytes), index)
        except DecodeError:
            self._tally.refused(Signal.LOGS, Refusal.MALFORMED)
            raise
        except OverloadError:
            self._tally.refused(Signal.LOGS, Refusal.BODY_LIMIT)
            raise
        if len(items) > self._limits.records:
            self._tally.refused(Signal.LOGS, Refusal.LIMIT, len(items))
            raise OverloadError(
                f"{len(items)} actions in one request, {self._limits.records} are allowed: "
                "send smaller batches"
            )
        return items

    def _store(self, records: list[LogRecord]) -> None:
        if not records:
            return
        try:
            self._logs.append(records)
        except (StorageError, OverloadError) as error:
            self._tally.refused(Signal.LOGS, reason_of(error), len(records))
            raise
        self._tally.received(Signal.LOGS, len(records))
