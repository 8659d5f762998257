"""OTLP/HTTP, received: opened, decoded, stored, and only then acknowledged.

Source: opentelemetry.io, "OTLP Specification": a request is acknowledged in the format it came
in, and what was taken in part says how much was rejected, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import orjson

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import OverloadError, StorageError
from watchkeeper.ingest.compression import decompress
from watchkeeper.ingest.delta_sums import DeltaSums, Totals
from watchkeeper.ingest.opening import read_request, take
from watchkeeper.ingest.otlp_columns import read_logs, read_spans
from watchkeeper.ingest.quota import DEFAULT_TENANT, Quota, Quotas
from watchkeeper.ingest.sample_intake import SampleIntake, Taken, by_row, starts_by_row
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal, Tally, reason_of
from watchkeeper.model import Exemplar, Labels, LogRecord, SampleBatch, SpanRecord
from watchkeeper.ports import LogStore, SampleSink, SpanStore
from watchkeeper.wire import otlp
from watchkeeper.wire.limits import Excess, LabelLimits
from watchkeeper.wire.protobuf import LENGTH, VARINT, delimited, tag, varint
from watchkeeper.wire.record_columns import LogColumns

Content = TypeVar("Content")
Record = TypeVar("Record", SpanRecord, LogRecord)


class OtlpReceiver:
    """Takes export requests. Every method is synchronous, may be called from several threads,
    and returns the response's body and content type once the store has kept the records.

    Raises DecodeError (400), OverloadError (429; 413 where it says never to come again),
    StoreFullError (503); nothing was kept then.
    """

    def __init__(
        self,
        metrics: SampleSink,
        logs: LogStore,
        spans: SpanStore,
        *,
        clock: Clock | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        self._logs = logs
        self._spans = spans
        self._clock = clock or SystemClock()
        self._quotas = quotas or Quotas(clock=self._clock)
        self._sums = DeltaSums()
        self._tally = Tally()
        self._samples = SampleIntake(metrics, self._tally, self._clock)

    def statistics(self) -> IngestStatistics:
        """Return what was kept and refused since the start."""
        return self._tally.snapshot()

    def receive_traces(
        self,
        body: bytes,
        content_type: str,
        content_encoding: str = "",
        tenant: str = DEFAULT_TENANT,
    ) -> tuple[bytes, str]:
        """Store the spans of a request and return the answer to it."""
        quota = self._quotas.of(tenant)
        found = self._read(Signal.SPANS, quota, body, content_encoding)(
            lambda opened: read_spans(opened, content_type, quota.of_attributes)
        )
        rejected, reason = self._take(Signal.SPANS, found, quota)
        self._store(Signal.SPANS, len(found.records), lambda: self._spans.append(found.records))
        return _answer(content_type, "rejectedSpans", rejected, reason)

    def receive_logs(
        self,
        body: bytes,
        content_type: str,
        content_encoding: str = "",
        tenant: str = DEFAULT_TENANT,
    ) -> tuple[bytes, str]:
        """Store the log records of a request; those without a time get the present one."""
        quota = self._quotas.of(tenant)
        found = self._read(Signal.LOGS, quota, body, content_encoding)(
            lambda opened: read_logs(opened, content_type, quota.of_attributes)
        )
        rejected, reason = self._take(Signal.LOGS, found, quota)
        now_ns = self._clock.time_ns()
        dated = _dated(found.records, now_ns)
        self._store(Signal.LOGS, len(dated), lambda: self._logs.append(dated))
        return _answer(content_type, "rejectedLogRecords", rejected, reason)

    def receive_metrics(
        self,
        body: bytes,
        content_type: str,
        content_encoding: str = "",
        tenant: str = DEFAULT_TENANT,
    ) -> tuple[bytes, str]:
        """Store the samples of a request, increases as running totals; points that have no place
        here are named as rejected."""
        quota = self._quotas.of(tenant)
        found = self._read(Signal.SAMPLES, quota, body, content_encoding)(
            lambda opened: otlp.decode_metrics(opened, content_type)
        )
        deltas = found.deltas or otlp.DecodedMetrics()
        count = len(found.labels) + len(deltas.labels)
        take(count, signal=Signal.SAMPLES, quota=quota, tally=self._tally)
        excesses = [*leave_out(found, quota.of_labels), *leave_out(deltas, quota.of_labels)]
        quota.exceeded_by(excesses)
        self._tally.refused(Signal.SAMPLES, Refusal.LABEL_LIMIT, len(excesses))
        self._tally.refused(Signal.SAMPLES, Refusal.UNSUPPORTED, found.rejected_points)
        rejected = found.rejected_points + len(excesses)
        reasons = [part.rejection for part in (found, deltas) if part.rejection]
        if deltas.labels:
            with self._sums.adding(deltas) as totals:
                taken = self._store_samples(found, totals, deltas.exemplars, quota)
            self._tally.refused(Signal.SAMPLES, Refusal.OUT_OF_ORDER, totals.late)
            rejected += totals.late
            if totals.late:
                reasons.append(f"{totals.late} increases came too late or were there already")
        else:
            taken = self._store_samples(found, Totals(), [], quota)
        reason = "; ".join([*reasons, *taken.reasons])
        return _answer(content_type, "rejectedDataPoints", rejected + taken.refused, reason)

    def _store_samples(
        self,
        found: otlp.DecodedMetrics,
        totals: Totals,
        exemplars: list[tuple[Labels, Exemplar]],
        quota: Quota,
    ) -> Taken:
        if not found.labels and not totals.labels:
            return Taken()
        shifted = {len(found.labels) + row: each for row, each in totals.histograms.items()}
        histograms = found.histograms | shifted
        batch = SampleBatch(
            labels=found.labels + totals.labels,
            timestamps_ms=np.array(found.timestamps_ms + totals.timestamps_ms, dtype=np.int64),
            values=np.array(found.values + totals.values, dtype=np.float64),
            exemplars=found.exemplars + exemplars,
            metadata=found.metadata,
            histograms=by_row(histograms, len(found.labels) + len(totals.labels)),
            starts_ms=starts_by_row(found.starts_ms, len(found.labels) + len(totals.labels)),
        )
        return self._samples.append(batch, quota)

    def _read(
        self, signal: Signal, quota: Quota, body: bytes, content_encoding: str
    ) -> Callable[[Callable[[bytes], Content]], Content]:
        return lambda decode: read_request(
            body,
            signal=signal,
            quota=quota,
            tally=self._tally,
            unpack=lambda packed, limit: decompress(packed, content_encoding, limit),
            decode=decode,
        )

    def _take(self, signal: Signal, found: otlp.Decoded[Record], quota: Quota) -> tuple[int, str]:
        """Charge records to their tenant, and return how many were left out, and why."""
        take(len(found.records), signal=signal, quota=quota, tally=self._tally)
        quota.exceeded_by(found.excesses)
        self._tally.refused(signal, Refusal.ATTRIBUTE_LIMIT, len(found.excesses))
        return len(found.excesses), found.excesses[-1].reason if found.excesses else ""

    def _store(self, signal: Signal, count: int, append: Callable[[], None]) -> None:
        if not count:
            return
        try:
            append()
        except (StorageError, OverloadError) as error:
            self._tally.refused(signal, reason_of(error), count)
            raise
        self._tally.received(signal, count)


def _dated(records: Sequence[LogRecord], now_ns: int) -> Sequence[LogRecord]:
    """Return records, those without a time with the present one."""
    if isinstance(records, LogColumns):
        times = [time_ns or now_ns for time_ns in records.timestamp_ns]
        return replace(records, timestamp_ns=times)
    return [
        record if record.timestamp_ns else replace(record, timestamp_ns=now_ns)
        for record in records
    ]


def leave_out(found: otlp.DecodedMetrics, limits: LabelLimits) -> list[Excess]:
    """Take samples out whose labels are beyond the limits, and return what was broken."""
    broken = [limits.broken_by(series) for series in found.labels]
    excesses = [excess for excess in broken if excess is not None]
    if excesses:
        kept = [row for row, excess in enumerate(broken) if excess is None]
        found.labels = [found.labels[row] for row in kept]
        found.timestamps_ms = [found.timestamps_ms[row] for row in kept]
        found.values = [found.values[row] for row in kept]
        places = {row: place for place, row in enumerate(kept)}
        found.histograms = {places[r]: each for r, each in found.histograms.items() if r in places}
        found.starts_ms = {places[r]: each for r, each in found.starts_ms.items() if r in places}
        found.rejection = excesses[-1].reason
    return excesses


def _answer(content_type: str, field: str, rejected: int, reason: str) -> tuple[bytes, str]:
    if otlp.is_json(content_type):
        partial = {"partialSuccess": {field: str(rejected), "errorMessage": reason}}
        return orjson.dumps(partial if rejected else {}), otlp.JSON_CONTENT_TYPE
    if not rejected:
        return b"", otlp.PROTOBUF_CONTENT_TYPE
    message = tag(1, VARINT) + varint(rejected) + delimited(tag(2, LENGTH), reason.encode())
    return delimited(tag(1, LENGTH), message), otlp.PROTOBUF_CONTENT_TYPE
