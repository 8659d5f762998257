"""From the queue to everywhere: metrics of requests, log lines, export, and what counts losses."""

from __future__ import annotations

import atexit
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from watchkeeper.clock import Clock
from watchkeeper.contract import Contract, Counter
from watchkeeper.conventions import telemetry as own
from watchkeeper.instrument.export import Exporter, Origin
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.leaving import Leaving
from watchkeeper.instrument.lines import Lines
from watchkeeper.instrument.log_output import NoOutput, log_output
from watchkeeper.instrument.pump import Pump
from watchkeeper.instrument.redaction import LONGEST_TEXT, Redactor
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.requests import RequestObserver
from watchkeeper.instrument.settings import Settings
from watchkeeper.model import Attributes, LogRecord, SpanRecord

GAUGE_PERIOD_NS = 1_000_000_000

Observer = Callable[[list[SpanRecord], list[LogRecord]], None]


class Pipeline:
    """Owns the pump, the log output and the exporter of one telemetry."""

    def __init__(
        self,
        contract: Contract,
        service: str,
        settings: Settings,
        clock: Clock,
        registry: Registry,
        faults: Faults,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._registry = registry
        self._faults = faults
        self.on_tick: Callable[[], None] = lambda: None
        self.observers: list[Observer] = []
        longest = (settings.span_limits.value_characters, settings.log_value_characters)
        declared = (
            field.name
            for event in contract.signals.events
            for field in event.fields
            if field.sensitive
        )
        self.redactor = Redactor(declared, max(LONGEST_TEXT, *[each or 0 for each in longest]))
        resource = _resource(contract, settings)
        self._finisher = Finisher(service, resource, self.redactor, *longest)
        self._requests = RequestObserver(registry, self._finisher)
        self._lines = Lines(self._finisher)
        self.output = log_output(settings)
        self._exporter = (
            Exporter(
                Origin(service, resource), settings, clock, faults, self._on_sent, self._on_drop
            )
            if settings.exports and not settings.disabled
            else None
        )
        self._pump = Pump(
            self._turn,
            self._on_full,
            self._tick,
            faults,
            limit=settings.queue_limit,
            interval_seconds=settings.pump_interval_seconds,
        )
        self.put: Callable[[Any], None] = _leave if settings.disabled else self._pump.put
        """Queues a span that ended, the record of a request, or a pending log line."""
        self._last_gauges_ns = 0

    def start(self) -> None:
        """Start the pump, if anything shall run by itself."""
        if self._settings.background:
            self._pump.start()
            if self._exporter is not None:
                self._exporter.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Turn and send what waits."""
        atexit.unregister(self.stop)
        self._pump.stop()
        if self._exporter is not None:
            self._exporter.stop(self._settings.shutdown_timeout_seconds)

    def flush(self) -> None:
        """Turn what waits, in the caller's thread."""
        self._pump.drain()

    def deliver(self, timeout_seconds: float) -> bool:
        """Send what was turned; return whether all of it was sent, or given up, in time."""
        return self._exporter is None or self._exporter.deliver(timeout_seconds)

    def reset(self) -> None:
        """Forget what waits: for the child of a fork."""
        self._pump.reset()
        if self._settings.background:
            self._pump.start_when_needed()
        if self._exporter is not None:
            self._exporter.reset()
        self.redactor.removed.clear()
        self.redactor.cut = 0

    def _turn(self, batch: list[Any]) -> None:
        exporter = self._exporter
        leaving = Leaving(
            lines=not isinstance(self.output, NoOutput),
            spans=exporter is not None and exporter.takes("spans"),
            logs=exporter is not None and exporter.takes("logs"),
            observed=bool(self.observers),
        )
        for record in batch:
            try:
                self._turn_one(record, leaving)
            except Exception as error:  # noqa: BLE001 - one bad record must not take the rest along
                for signal in _signals(record):
                    self._on_drop(signal, "fault", 1)
                self._faults.note("record", error)
        self._requests.count()
        self._count_redactions()
        if leaving.lines:
            self._write(leaving.lines)
        for observer in self.observers:
            observer(leaving.span_records, leaving.log_records)
        if exporter is not None:
            exporter.add(leaving.spans, leaving.logs)

    def _turn_one(self, record: Any, leaving: Leaving) -> None:
        if type(record) is not tuple:
            leaving.add_span(self._finisher.span(record))
        elif type(record[0]) is tuple:
            self._requests.observe(record, leaving)
        else:
            self._lines.leave(record, leaving)

    def _write(self, lines: list[bytes]) -> None:
        try:
            self.output.write(b"".join(lines))
        except OSError as error:
            if "log_output" not in self._faults.seen:
                self._complain(error)
            self._on_drop("logs", "export_failed", len(lines))
            self._faults.note("log_output", error)

    def _complain(self, error: OSError) -> None:
        """Say where lines cannot be written, for a line of the log would not be seen."""
        with suppress(Exception):
            if sys.__stderr__ is not None:
                where = self._settings.log
                sys.__stderr__.write(f"watchkeeper: log lines are lost: {where}: {error}\n")
                sys.__stderr__.flush()

    def _tick(self) -> None:
        if self._exporter is not None:
            self._exporter.add({}, {})
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._last_gauges_ns >= GAUGE_PERIOD_NS:
            self._last_gauges_ns = now_ns
            self.on_tick()

    def show_queue(self) -> None:
        """Set the gauge of what waits for export."""
        family = self._registry.find(own.QUEUED)
        if family is not None and self._exporter is not None:
            for signal, records in self._exporter.waiting().items():
                family.resolve({"signal": signal}).set(records)  # type: ignore[union-attr] # a gauge's

    def _count_redactions(self) -> None:
        removed = self.redactor.removed
        while removed:
            kind, count = removed.popitem()
            self._count(own.REDACTED, count, kind=kind)
        cut, self.redactor.cut = self.redactor.cut, 0
        if cut:
            self._count(own.CUT, cut)

    def _on_full(self, record: Any) -> None:
        for signal in _signals(record):
            self._on_drop(signal, "queue_full", 1)

    def _on_sent(self, signal: str, records: int) -> None:
        self._count(own.EXPORTED, records, signal=signal)

    def _on_drop(self, signal: str, reason: str, records: int) -> None:
        self._count(own.DROPPED, records, signal=signal, reason=reason)

    def _count(self, declaration: Counter, amount: float, **labels: str) -> None:
        family = self._registry.find(declaration)
        if family is not None:
            family.resolve(labels).inc(amount)  # type: ignore[union-attr] # a counter's


def _leave(record: Any) -> None:
    """Do nothing."""


def _signals(record: Any) -> tuple[str, ...]:
    if type(record) is not tuple:
        return ("spans",)
    if type(record[0]) is not tuple:
        return ("logs",)
    sampled = record[8]
    return ("metrics", "spans", "logs") if sampled else ("metrics", "logs")


def _resource(contract: Contract, settings: Settings) -> Attributes:
    return {
        "service.version": contract.version,
        "deployment.environment.name": settings.environment,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        "telemetry.sdk.name": "watchkeeper",
        "telemetry.sdk.language": "python",
        **{
            name: value
            for name, value in settings.resource_attributes.items()
            if name != "service.name"
        },
    }
