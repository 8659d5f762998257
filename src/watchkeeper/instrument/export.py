"""Export over OTLP: batches in a bounded buffer, and a thread that delivers them.

A batch is encoded when it is handed over, so that its size is known, and compressed if it shall
cross a network, or has to wait for a collector that is away. When the buffer is full the oldest
batch goes: the newest tell more about what is wrong now. With a spool, what could not be delivered
goes to disk, and from there first when the collector is back: a crash meanwhile loses one retry's
wait.

Delivery is at least once: what a collector took without saying so in time is sent again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.clock import Clock
from watchkeeper.instrument.destination import SIGNALS
from watchkeeper.instrument.faults import LOGGER, Faults
from watchkeeper.instrument.gathering import Gathering
from watchkeeper.instrument.otlp_client import Delivery, OtlpClient, compress
from watchkeeper.instrument.settings import Settings
from watchkeeper.instrument.spool import Spool, SpooledBatch
from watchkeeper.model import Attributes
from watchkeeper.wire.otlp_encode import Messages, encode_request

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 10.0
GIVE_UP_SECONDS = 300.0
"""A batch that the collector has refused for so long is dropped (OTLP exporters' default)."""

OnCount = Callable[[str, int], None]
OnDrop = Callable[[str, str, int], None]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where everything that is sent comes from."""

    service: str
    resource: Attributes


@dataclass(frozen=True, slots=True)
class Batch:
    """An encoded request on its way. `sequence` grows with time, from process to process too."""

    signal: str
    body: bytes
    records: int
    made_ns: int
    sequence: int
    spooled: SpooledBatch | None = None


class Exporter:
    """Collects records, encodes them in batches and delivers these in order.

    `on_sent(signal, records)` and `on_drop(signal, reason, records)` are told what became of
    them. `signal` is `spans` or `logs`. Without `deliver_in_background` batches only wait.
    """

    def __init__(
        self,
        origin: Origin,
        settings: Settings,
        clock: Clock,
        faults: Faults,
        on_sent: OnCount,
        on_drop: OnDrop,
    ) -> None:
        self._origin = origin
        self._settings = settings
        self._clock = clock
        self._faults = faults
        self._on_sent = on_sent
        self._on_drop = on_drop
        self.deliver_in_background = True
        self._spool: Spool | None = None
        self._sequence = 0
        self.reset()

    def reset(self) -> None:
        """Forget what waits and the connection: for the child of a fork."""
        settings = self._settings
        self._clients = {
            signal: OtlpClient(destination)
            for signal in SIGNALS
            if (destination := settings.destination_of(signal)).endpoint
        }
        self._compressed = {
            signal for signal in SIGNALS if settings.destination_of(signal).compresses()
        }
        if self._spool is not None:
            self._spool.close()
        self._spool = None
        self._spool_opened = False
        self._spooling = threading.Lock()
        self._gathered = {signal: Gathering(settings.export_batch_records) for signal in SIGNALS}
        self._batches: deque[Batch] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._adding = threading.Lock()
        self._wake = threading.Event()
        self._nothing_left = threading.Event()
        self._nothing_left.set()
        self._thread: threading.Thread | None = None
        self._failing = False
        self._deadline_ns: int | None = None
        self._last_batch_ns = self._clock.monotonic_ns()

    def start(self) -> None:
        """Open the spool, and deliver what an earlier process has left in it."""
        self._open_spool()
        if self._spool:
            self._start_thread()

    def takes(self, signal: str) -> bool:
        """Return whether `spans` or `logs` are sent anywhere."""
        return signal in self._clients

    def add(self, spans: Messages, logs: Messages) -> None:
        """Take messages in; full batches are handed over at once, others when they are due."""
        with self._adding:
            for signal, messages in (("spans", spans), ("logs", logs)):
                for batch, records in self._gathered[signal].take(messages):
                    self._hand_over(signal, batch, records)
            waited = self._clock.monotonic_ns() - self._last_batch_ns
            if waited >= self._settings.export_interval_seconds * 1e9:
                self._hand_over_all()

    def deliver(self, timeout_seconds: float) -> bool:
        """Hand over all that waits, full batches or not; return whether everything was delivered,
        or given up, within the time."""
        with self._adding:
            self._hand_over_all()
        if self._thread is None:
            return self._nothing_left.is_set()
        return self._nothing_left.wait(timeout_seconds)

    def waiting(self) -> dict[str, int]:
        """Return how many records of each signal wait."""
        with self._lock:
            counts = {signal: gathered.records for signal, gathered in self._gathered.items()}
            for batch in self._batches:
                counts[batch.signal] += batch.records
        if self._spool is not None:
            for signal, records in self._spool.waiting().items():
                counts[signal] += records
        return counts

    def stop(self, timeout_seconds: float) -> None:
        """Deliver what waits, for so long at the most; the rest goes into the spool, or is
        counted as dropped."""
        with self._adding:
            self._hand_over_all()
        self._deadline_ns = self._clock.monotonic_ns() + int(timeout_seconds * 1e9)
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds + 0.5)
        with self._lock:
            left, self._batches = self._batches, deque()
            self._bytes = 0
        self._keep_or_drop(left)
        if self._spool is not None:
            with self._spooling:
                self._spool.close()
            self._spool = None
        self._spool_opened = False
        if self._thread is None or not self._thread.is_alive():
            for client in self._clients.values():
                client.close()
        self._thread = None
        self._deadline_ns = None

    def _hand_over_all(self) -> None:
        self._last_batch_ns = self._clock.monotonic_ns()
        for signal, gathered in self._gathered.items():
            if gathered.records:
                self._hand_over(signal, *gathered.leave())

    def _hand_over(self, signal: str, messages: Messages, records: int) -> None:
        try:
            body = encode_request(self._origin.service, self._origin.resource, messages)
            if self._failing or signal in self._compressed:
                body = compress(body)
        except Exception as error:  # noqa: BLE001 - never break the host
            self._on_drop(signal, "encode_failed", records)
            self._faults.note("export", error)
            return
        self._sequence = max(self._sequence + 1, self._clock.time_ns())
        batch = Batch(signal, body, records, self._clock.monotonic_ns(), self._sequence)
        dropped = []
        with self._lock:
            self._nothing_left.clear()
            self._batches.append(batch)
            self._bytes += len(body)
            while self._bytes > self._settings.export_buffer_bytes and self._batches:
                oldest = self._batches.popleft()
                self._bytes -= len(oldest.body)
                dropped.append(oldest)
        for oldest in dropped:
            self._on_drop(oldest.signal, "queue_full", oldest.records)
        self._wake.set()
        self._start_thread()

    def _start_thread(self) -> None:
        if self._thread is None and self.deliver_in_background:
            self._open_spool()
            self._thread = threading.Thread(
                target=self._run, name="watchkeeper-export", daemon=True
            )
            self._thread.start()

    def _run(self) -> None:
        failures = 0
        while True:
            batch = self._next()
            if batch is None:
                return
            try:
                client = self._clients.get(batch.signal)
                delivery = (
                    Delivery(False, reason="no endpoint")
                    if client is None
                    else client.send(batch.body, self._clock.time_ns() / 1e9)
                )
            except Exception as error:  # noqa: BLE001 - never break the host
                self._faults.note("export", error)
                delivery = Delivery(False, reason=type(error).__name__)
            failures = 0 if delivery.delivered else failures + 1
            self._failing = failures > 0
            if failures == 1:
                LOGGER.warning(
                    "%s are not delivered (%s); OTEL_EXPORTER_OTLP_ENDPOINT says where to",
                    batch.signal,
                    delivery.reason,
                )
            try:
                self._settle(batch, delivery, failures)
            except Exception as error:  # noqa: BLE001 - or nothing would be sent any more
                self._on_drop(batch.signal, "fault", batch.records)
                self._faults.note("export", error)

    def _next(self) -> Batch | None:
        """Wait for the oldest batch and take it; None at the end."""
        while True:
            self._wake.clear()
            spooled = self._next_spooled()
            if spooled is not None:
                return spooled
            with self._lock:
                if self._batches:
                    batch = self._batches.popleft()
                    self._bytes -= len(batch.body)
                    return batch
                self._nothing_left.set()
            if self._deadline_ns is not None:
                return None
            self._wake.wait()

    def _next_spooled(self) -> Batch | None:
        """Return the oldest batch on disk: older than all in memory."""
        spool = self._spool
        if not spool or self._past_deadline():
            return None
        with self._spooling:
            found = spool.oldest()
        if found is None:
            return None
        spooled, body = found
        return Batch(spooled.signal, body, spooled.records, 0, 0, spooled)

    def _past_deadline(self) -> bool:
        deadline = self._deadline_ns
        return deadline is not None and self._clock.monotonic_ns() >= deadline

    def _keep_or_drop(self, batches: Iterable[Batch]) -> None:
        """Put what cannot be delivered now into the spool, or count it as dropped."""
        for batch in batches:
            if batch.spooled is not None:
                continue
            if self._spool is None:
                self._on_drop(batch.signal, "export_failed", batch.records)
                continue
            with self._spooling:
                self._spool.put(batch.sequence, batch.signal, batch.records, compress(batch.body))

    def _open_spool(self) -> None:
        if self._spool_opened or not self._settings.spool_directory:
            return
        self._spool_opened = True
        directory = Path(self._settings.spool_directory)
        try:
            self._spool = Spool(directory, self._settings.spool_max_bytes, self._on_drop)
        except OSError as error:
            self._faults.note("spool", error)

    def _settle(self, batch: Batch, delivery: Delivery, failures: int) -> None:
        settled = delivery.delivered or not delivery.retryable
        if settled and batch.spooled is not None and self._spool is not None:
            with self._spooling:
                self._spool.remove(batch.spooled)
        if delivery.delivered:
            rejected = min(delivery.rejected, batch.records)
            self._on_sent(batch.signal, batch.records - rejected)
            if rejected:
                self._on_drop(batch.signal, "rejected", rejected)
            return
        if not delivery.retryable:
            self._on_drop(batch.signal, "export_failed", batch.records)
            return
        now_ns = self._clock.monotonic_ns()
        wait = delivery.retry_after_seconds or _backoff_seconds(failures)
        deadline = self._deadline_ns
        out_of_time = deadline is not None and now_ns + wait * 1e9 >= deadline
        if self._spool is not None:
            with self._lock:
                waiting, self._batches = self._batches, deque()
                self._bytes = 0
            self._keep_or_drop((batch, *waiting))
            if out_of_time:
                self._deadline_ns = now_ns
            else:
                self._pause(wait)
            return
        if out_of_time or now_ns - batch.made_ns > GIVE_UP_SECONDS * 1e9:
            self._on_drop(batch.signal, "export_failed", batch.records)
            return
        small = replace(batch, body=compress(batch.body))
        with self._lock:
            self._batches.appendleft(small)
            self._bytes += len(small.body)
        self._pause(wait)

    def _pause(self, seconds: float) -> None:
        """Wait, unless the exporter is told to stop."""
        until = self._clock.monotonic_ns() + int(seconds * 1e9)
        while self._deadline_ns is None:
            left = (until - self._clock.monotonic_ns()) / 1e9
            if left <= 0:
                return
            self._wake.clear()
            self._wake.wait(min(left, 0.5))


def _backoff_seconds(failures: int) -> float:
    # An outage of hours has thousands of failures, and no float holds 2 to that power.
    doublings = min(failures - 1, 8)
    return float(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**doublings))
