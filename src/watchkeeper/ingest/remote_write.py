"""Remote write, received: opened, decoded, stored, and only then acknowledged.

Source: prometheus.io, "Remote-Write 1.0" and "2.0". What cannot be kept however often it is
sent is told to the sender once, and the rest of its request is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchkeeper.errors import DecodeError, OverloadError, StorageError
from watchkeeper.ingest.receive import ReceiveLimits, reason_of
from watchkeeper.ingest.snappy import open_block
from watchkeeper.ingest.statistics import IngestStatistics, Refusal, Signal, Tally
from watchkeeper.model import SampleBatch
from watchkeeper.ports import SampleSink
from watchkeeper.wire.remote_write import DecodedWrite, RemoteWriteDecoder, Version

NO_HISTOGRAMS = "native histograms are not taken yet: send classic ones"


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

    def __init__(self, metrics: SampleSink, *, limits: ReceiveLimits | None = None) -> None:
        self._metrics = metrics
        self._limits = limits or ReceiveLimits()
        self._decoder = RemoteWriteDecoder(self._limits.labels)
        self._tally = Tally()

    def statistics(self) -> IngestStatistics:
        """Return what was kept and refused since the start."""
        return self._tally.snapshot()

    def receive(self, body: bytes, version: Version) -> Written:
        """Store the samples of a request, a snappy block, and return what became of it."""
        found = self._decode(body, version)
        count = len(found.labels)
        late = self._store(found) if count or found.metadata else 0
        self._tally.refused(Signal.SAMPLES, Refusal.OUT_OF_ORDER, late)
        self._tally.refused(Signal.SAMPLES, Refusal.UNSUPPORTED, found.histograms)
        self._tally.refused(Signal.SAMPLES, Refusal.MALFORMED, found.invalid)
        self._tally.refused(Signal.SAMPLES, Refusal.LABEL_LIMIT, found.beyond_limits)
        self._tally.received(Signal.SAMPLES, count - late)
        rejected = found.invalid + found.beyond_limits
        problems = [
            f"{late} samples were out of order or too old" if late else "",
            f"{found.histograms} histograms: {NO_HISTOGRAMS}" if found.histograms else "",
            f"{rejected} series are left out: {found.reason}" if rejected else "",
        ]
        problem = "; ".join(filter(None, problems))
        return Written(count - late, len(found.exemplars), 0, problem)

    def _decode(self, body: bytes, version: Version) -> DecodedWrite:
        try:
            found = self._decoder.decode(open_block(body, self._limits.body_bytes), version)
        except DecodeError:
            self._tally.refused(Signal.SAMPLES, Refusal.MALFORMED)
            raise
        except OverloadError:
            self._tally.refused(Signal.SAMPLES, Refusal.BODY_LIMIT)
            raise
        if len(found.labels) > self._limits.records:
            self._tally.refused(Signal.SAMPLES, Refusal.LIMIT, len(found.labels))
            raise OverloadError(
                f"{len(found.labels)} samples in one request, {self._limits.records} are "
                "allowed: send smaller batches"
            )
        return found

    def _store(self, found: DecodedWrite) -> int:
        batch = SampleBatch(
            labels=found.labels,
            timestamps_ms=np.array(found.timestamps_ms, dtype=np.int64),
            values=np.array(found.values, dtype=np.float64),
            exemplars=found.exemplars,
            metadata=list(found.metadata.values()),
        )
        try:
            return self._metrics.append(batch)
        except (StorageError, OverloadError) as error:
            self._tally.refused(Signal.SAMPLES, reason_of(error), len(found.labels))
            raise
