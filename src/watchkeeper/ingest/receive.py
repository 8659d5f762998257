"""OTLP/HTTP, received: opened, decoded, stored, and only then acknowledged.

Source: opentelemetry.io, "OTLP Specification": a request is acknowledged in the format it came
in, and what was taken in part says how much was rejected, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import orjson

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import DecodeError, OverloadError, StorageError, StoreFullError
from watchkeeper.ingest.compression import decompress
from watchkeeper.ingest.delta_sums import DeltaSums, Totals
from watchkeeper.ingest.limits import leave_out
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal, Tally
from watchkeeper.model import Exemplar, Labels, SampleBatch
from watchkeeper.ports import LogStore, SampleSink, SpanStore
from watchkeeper.wire import otlp
from watchkeeper.wire.label_limits import LabelLimits
from watchkeeper.wire.protobuf import LENGTH, VARINT, delimited, tag, varint

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ReceiveLimits:
    """What one request may hold at most."""

    body_bytes: int = 64 * 1024 * 1024
    records: int = 200_000
    labels: LabelLimits = field(default_factory=LabelLimits)


class OtlpReceiver:
    """Takes export requests. Every method is synchronous, may be called from several threads,
    and returns the response's body and content type once the store has kept the records.

    Raises DecodeError (400), OverloadError (429), StoreFullError (503); nothing was kept then.
    """

    def __init__(
        self,
        metrics: SampleSink,
        logs: LogStore,
        spans: SpanStore,
        *,
        clock: Clock | None = None,
        limits: ReceiveLimits | None = None,
    ) -> None:
        self._metrics = metrics
        self._logs = logs
        self._spans = spans
        self._clock = clock or SystemClock()
        self._limits = limits or ReceiveLimits()
        self._sums = DeltaSums()
        self._tally = Tally()

    def statistics(self) -> IngestStatistics:
        """Return what was kept and refused since the start."""
        return self._tally.snapshot()

    def receive_traces(
        self, body: bytes, content_type: str, content_encoding: str = ""
    ) -> tuple[bytes, str]:
        """Store the spans of a request and return the answer to it."""
        spans = self._decode(Signal.SPANS, otlp.decode_spans, body, content_type, content_encoding)
        self._limit(Signal.SPANS, len(spans))
        self._store(Signal.SPANS, len(spans), lambda: self._spans.append(spans))
        return _answer(content_type, "rejectedSpans", 0, "")

    def receive_logs(
        self, body: bytes, content_type: str, content_encoding: str = ""
    ) -> tuple[bytes, str]:
        """Store the log records of a request; those without a time get the present one."""
        records = self._decode(Signal.LOGS, otlp.decode_logs, body, content_type, content_encoding)
        self._limit(Signal.LOGS, len(records))
        now_ns = self._clock.time_ns()
        dated = [
            record if record.timestamp_ns else replace(record, timestamp_ns=now_ns)
            for record in records
        ]
        self._store(Signal.LOGS, len(dated), lambda: self._logs.append(dated))
        return _answer(content_type, "rejectedLogRecords", 0, "")

    def receive_metrics(
        self, body: bytes, content_type: str, content_encoding: str = ""
    ) -> tuple[bytes, str]:
        """Store the samples of a request, increases as running totals; points that have no place
        here are named as rejected."""
        found = self._decode(
            Signal.SAMPLES, otlp.decode_metrics, body, content_type, content_encoding
        )
        deltas = found.deltas or otlp.DecodedMetrics()
        self._limit(Signal.SAMPLES, len(found.labels) + len(deltas.labels))
        beyond = sum(leave_out(part, self._limits.labels) for part in (found, deltas))
        self._tally.refused(Signal.SAMPLES, Refusal.LABEL_LIMIT, beyond)
        if deltas.labels:
            with self._sums.adding(deltas) as totals:
                late = totals.late + self._store_samples(found, totals, deltas.exemplars)
            self._tally.refused(Signal.SAMPLES, Refusal.OUT_OF_ORDER, totals.late)
        else:
            late = self._store_samples(found, Totals(), [])
        self._tally.refused(Signal.SAMPLES, Refusal.UNSUPPORTED, found.rejected_points)
        reasons = [part.rejection for part in (found, deltas) if part.rejection]
        if late:
            reasons.append(f"{late} samples were out of order or there already")
        rejected = found.rejected_points + beyond + late
        return _answer(content_type, "rejectedDataPoints", rejected, "; ".join(reasons))

    def _store_samples(
        self, found: otlp.DecodedMetrics, totals: Totals, exemplars: list[tuple[Labels, Exemplar]]
    ) -> int:
        batch = SampleBatch(
            labels=found.labels + totals.labels,
            timestamps_ms=np.array(found.timestamps_ms + totals.timestamps_ms, dtype=np.int64),
            values=np.array(found.values + totals.values, dtype=np.float64),
            exemplars=found.exemplars + exemplars,
            metadata=found.metadata,
        )
        count = len(batch.labels)
        return self._store(Signal.SAMPLES, count, lambda: self._metrics.append(batch))

    def _decode(
        self,
        signal: Signal,
        decode: Callable[[bytes, str], Result],
        body: bytes,
        content_type: str,
        content_encoding: str,
    ) -> Result:
        try:
            opened = decompress(body, content_encoding, self._limits.body_bytes)
            return decode(opened, content_type)
        except DecodeError:
            self._tally.refused(signal, Refusal.MALFORMED)
            raise
        except OverloadError:
            self._tally.refused(signal, Refusal.BODY_LIMIT)
            raise

    def _limit(self, signal: Signal, count: int) -> None:
        if count > self._limits.records:
            self._tally.refused(signal, Refusal.LIMIT, count)
            raise OverloadError(
                f"{count} {signal} in one request, {self._limits.records} are allowed: "
                "send smaller batches"
            )

    def _store(self, signal: Signal, count: int, append: Callable[[], int | None]) -> int:
        if not count:
            return 0
        try:
            late = append() or 0
        except (StorageError, OverloadError) as error:
            self._tally.refused(signal, reason_of(error), count)
            raise
        self._tally.refused(signal, Refusal.OUT_OF_ORDER, late)
        self._tally.received(signal, count - late)
        return late


def reason_of(error: StorageError | OverloadError) -> Refusal:
    """Return what a store's refusal is counted as."""
    if isinstance(error, StoreFullError):
        return Refusal.STORE_FULL
    return Refusal.LIMIT if isinstance(error, OverloadError) else Refusal.STORE_FAILED


def _answer(content_type: str, field: str, rejected: int, reason: str) -> tuple[bytes, str]:
    if otlp.is_json(content_type):
        partial = {"partialSuccess": {field: str(rejected), "errorMessage": reason}}
        return orjson.dumps(partial if rejected else {}), otlp.JSON_CONTENT_TYPE
    if not rejected:
        return b"", otlp.PROTOBUF_CONTENT_TYPE
    message = tag(1, VARINT) + varint(rejected) + delimited(tag(2, LENGTH), reason.encode())
    return delimited(tag(1, LENGTH), message), otlp.PROTOBUF_CONTENT_TYPE
