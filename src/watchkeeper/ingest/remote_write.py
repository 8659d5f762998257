"""Remote write, received: opened, decoded, stored, and only then acknowledged.

Source: prometheus.io, "Remote-Write 1.0" and "2.0". What cannot be kept however often it is
sent is told to the sender once, and the rest of its request is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.ingest.opening import read_request, take
from watchkeeper.ingest.quota import DEFAULT_TENANT, Quota, Quotas
from watchkeeper.ingest.sample_intake import SampleIntake, Taken, by_row, starts_by_row
from watchkeeper.ingest.snappy import open_block
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal, Tally
from watchkeeper.model import SampleBatch
from watchkeeper.ports import SampleSink
from watchkeeper.wire.limits import LabelLimits
from watchkeeper.wire.remote_write import DecodedWrite, RemoteWriteDecoder, Version


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a request; `problem` is empty when all of it was kept."""

    samples: int
    exemplars: int
    histograms: int
    problem: str


class RemoteWriteReceiver:
    """Takes write requests; may be called from several threads.

    Raises DecodeError (400), OverloadError and StoreFullError (try again); nothing was kept then.
    """

    def __init__(
        self, metrics: SampleSink, *, clock: Clock | None = None, quotas: Quotas | None = None
    ) -> None:
        clock = clock or SystemClock()
        self._quotas = quotas or Quotas(clock=clock)
        # What series mean is remembered with the limits that they were held against.
        self._decoders: dict[LabelLimits, RemoteWriteDecoder] = {}
        self._tally = Tally()
        self._samples = SampleIntake(metrics, self._tally, clock)

    def statistics(self) -> IngestStatistics:
        """Return what was kept and refused since the start."""
        return self._tally.snapshot()

    def receive(self, body: bytes, version: Version, tenant: str = DEFAULT_TENANT) -> Written:
        """Store the samples of a request, a snappy block, and return what became of it."""
        quota = self._quotas.of(tenant)
        limits = quota.of_labels
        decoder = self._decoders.get(limits) or RemoteWriteDecoder(limits)
        self._decoders.setdefault(limits, decoder)
        found = read_request(
            body,
            signal=Signal.SAMPLES,
            quota=quota,
            tally=self._tally,
            unpack=open_block,
            decode=lambda opened: decoder.decode(opened, version),
        )
        take(len(found.labels), signal=Signal.SAMPLES, quota=quota, tally=self._tally)
        taken = self._store(found, quota) if found.labels or found.metadata else Taken()
        quota.exceeded_by(found.excesses)
        self._tally.refused(Signal.SAMPLES, Refusal.MALFORMED, found.invalid)
        self._tally.refused(Signal.SAMPLES, Refusal.LABEL_LIMIT, len(found.excesses))
        rejected = found.invalid + len(found.excesses)
        problems = [
            *taken.reasons,
            f"{rejected} series are left out: {found.reason}" if rejected else "",
        ]
        problem = "; ".join(filter(None, problems))
        # Of what the store refused nobody knows the kind: samples are counted first.
        histograms = min(len(found.histograms), taken.kept)
        return Written(taken.kept - histograms, len(found.exemplars), histograms, problem)

    def _store(self, found: DecodedWrite, quota: Quota) -> Taken:
        batch = SampleBatch(
            labels=found.labels,
            timestamps_ms=np.array(found.timestamps_ms, dtype=np.int64),
            values=np.array(found.values, dtype=np.float64),
            exemplars=found.exemplars,
            metadata=list(found.metadata.values()),
            histograms=by_row(found.histograms, len(found.labels)),
            starts_ms=starts_by_row(found.starts_ms, len(found.labels)),
        )
        return self._samples.append(batch, quota)
