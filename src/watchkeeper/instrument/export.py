"""Export over OTLP: batches in a bounded buffer, and a thread that delivers them.

A batch is encoded and compressed when it is handed over, so that what waits for a collector
that is away is small and its size known. When the buffer is full the oldest batch goes: the
newest tell more about what is wrong now.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from watchkeeper.clock import Clock
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.otlp_client import Delivery, OtlpClient, compress
from watchkeeper.instrument.settings import Settings
from watchkeeper.model import LogRecord, SpanRecord
from watchkeeper.wire import otlp

BATCH_RECORDS = 512
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 10.0
GIVE_UP_SECONDS = 300.0
"""A batch that the collector has refused for so long is dropped (OTLP exporters' default)."""

TRACES_PATH = "/v1/traces"
LOGS_PATH = "/v1/logs"

OnCount = Callable[[str, int], None]
OnDrop = Callable[[str, str, int], None]


@dataclass(frozen=True, slots=True)
class Batch:
    """An encoded request on its way."""

    signal: str
    path: str
    body: bytes
    records: int
    made_ns: int


class Exporter:
    """Collects records, encodes them in batches and delivers these in order.

    `on_sent(signal, records)` and `on_drop(signal, reason, records)` are told what became of
    them. `signal` is `spans` or `logs`. Without `deliver_in_background` batches only wait.
    """

    def __init__(
        self, settings: Settings, clock: Clock, faults: Faults, on_sent: OnCount, on_drop: OnDrop
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._faults = faults
        self._on_sent = on_sent
        self._on_drop = on_drop
        self.deliver_in_background = True
        self.reset()

    def reset(self) -> None:
        """Forget what waits and the connection: for the child of a fork."""
        settings = self._settings
        self._client = OtlpClient(
            settings.otlp_endpoint, settings.otlp_headers, settings.export_timeout_seconds
        )
        self._spans: list[SpanRecord] = []
        self._logs: list[LogRecord] = []
        self._batches: deque[Batch] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._adding = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._deadline_ns: int | None = None
        self._last_batch_ns = self._clock.monotonic_ns()

    def add(self, spans: Sequence[SpanRecord], logs: Sequence[LogRecord]) -> None:
        """Take records in; full batches are handed over at once."""
        with self._adding:
            self._spans += spans
            self._logs += logs
            waited = self._clock.monotonic_ns() - self._last_batch_ns
            due = waited >= self._settings.export_interval_seconds * 1e9
            self._batch_spans(everything=due)
            self._batch_logs(everything=due)
            if due:
                self._last_batch_ns = self._clock.monotonic_ns()

    def waiting(self) -> dict[str, int]:
        """Return how many records of each signal wait."""
        with self._lock:
            counts = {"spans": len(self._spans), "logs": len(self._logs)}
            for batch in self._batches:
                counts[batch.signal] += batch.records
        return counts

    def stop(self, timeout_seconds: float) -> None:
        """Deliver what waits, for so long at the most; count the rest as dropped."""
        self._last_batch_ns -= int(self._settings.export_interval_seconds * 1e9)
        self.add((), ())
        self._deadline_ns = self._clock.monotonic_ns() + int(timeout_seconds * 1e9)
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds + 0.5)
        with self._lock:
            left, self._batches = self._batches, deque()
            self._bytes = 0
        for batch in left:
            self._on_drop(batch.signal, "export_failed", batch.records)
        if self._thread is None or not self._thread.is_alive():
            self._client.close()
        self._thread = None
        self._deadline_ns = None

    def _batch_spans(self, *, everything: bool) -> None:
        while len(self._spans) >= BATCH_RECORDS or (everything and self._spans):
            batch, self._spans = self._spans[:BATCH_RECORDS], self._spans[BATCH_RECORDS:]
            self._hand_over("spans", TRACES_PATH, len(batch), partial(otlp.encode_spans, batch))

    def _batch_logs(self, *, everything: bool) -> None:
        while len(self._logs) >= BATCH_RECORDS or (everything and self._logs):
            batch, self._logs = self._logs[:BATCH_RECORDS], self._logs[BATCH_RECORDS:]
            self._hand_over("logs", LOGS_PATH, len(batch), partial(otlp.encode_logs, batch))

    def _hand_over(self, signal: str, path: str, records: int, encode: Callable[[], bytes]) -> None:
        try:
            body = compress(encode())
        except Exception as error:  # noqa: BLE001 - never break the host
            self._on_drop(signal, "encode_failed", records)
            self._faults.note("export", error)
            return
        batch = Batch(signal, path, body, records, self._clock.monotonic_ns())
        dropped = []
        with self._lock:
            self._batches.append(batch)
            self._bytes += len(body)
            while self._bytes > self._settings.export_buffer_bytes and self._batches:
                oldest = self._batches.popleft()
                self._bytes -= len(oldest.body)
                dropped.append(oldest)
        for oldest in dropped:
            self._on_drop(oldest.signal, "queue_full", oldest.records)
        self._wake.set()
        if self._thread is None and self.deliver_in_background:
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
                delivery = self._client.send(batch.path, batch.body, self._clock.time_ns() / 1e9)
            except Exception as error:  # noqa: BLE001 - never break the host
                self._faults.note("export", error)
                delivery = Delivery(False, reason=type(error).__name__)
            failures = 0 if delivery.delivered else failures + 1
            self._settle(batch, delivery, failures)

    def _next(self) -> Batch | None:
        """Wait for the oldest batch and take it; None at the end."""
        while True:
            self._wake.clear()
            with self._lock:
                if self._batches:
                    batch = self._batches.popleft()
                    self._bytes -= len(batch.body)
                    return batch
            if self._deadline_ns is not None:
                return None
            self._wake.wait()

    def _settle(self, batch: Batch, delivery: Delivery, failures: int) -> None:
        if delivery.delivered:
            self._on_sent(batch.signal, batch.records)
            return
        now_ns = self._clock.monotonic_ns()
        wait = delivery.retry_after_seconds or min(
            LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (failures - 1)
        )
        deadline = self._deadline_ns
        out_of_time = deadline is not None and now_ns + wait * 1e9 >= deadline
        too_old = now_ns - batch.made_ns > GIVE_UP_SECONDS * 1e9
        if not delivery.retryable or out_of_time or too_old:
            self._on_drop(batch.signal, "export_failed", batch.records)
            return
        with self._lock:
            self._batches.appendleft(batch)
            self._bytes += len(batch.body)
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
