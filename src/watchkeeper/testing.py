"""Tools for the tests of a watched service: a fake clock, predictable ids, and `capture`.

with capture(CONTRACT) as seen:
    optimise(resume, telemetry=seen.telemetry)
assert seen.value(jobs.COMPLETED, status="completed") == 1
assert seen.span("job_processing").attributes["job.id"] == "42"
assert seen.log("job_completed").attributes["duration_seconds"] == 0.0
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from watchkeeper.contract import Contract, Histogram, Metric, Summary
from watchkeeper.instrument.destination import AS_FOR_ALL
from watchkeeper.instrument.events import EVENT_FIELD
from watchkeeper.instrument.registry import Family
from watchkeeper.instrument.settings import LOG_OFF, Settings
from watchkeeper.instrument.telemetry import Telemetry
from watchkeeper.model import LogRecord, SpanRecord

__all__ = ["Captured", "FakeClock", "SequentialIds", "capture"]

NEW_YEAR_2026_NS = 1_767_225_600_000_000_000
"""2026-01-01T00:00:00Z, where a fake clock begins."""


class FakeClock:
    """A clock that stands still until it is told to advance. Both times go together."""

    def __init__(self, start_ns: int = NEW_YEAR_2026_NS) -> None:
        self._now_ns = start_ns
        self._start_ns = start_ns

    def time_ns(self) -> int:
        return self._now_ns

    def monotonic_ns(self) -> int:
        return self._now_ns - self._start_ns

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ns += round(seconds * 1e9)


class SequentialIds:
    """Identifiers 1, 2, 3, ...: a test can name them."""

    def __init__(self) -> None:
        self._traces = 0
        self._spans = 0

    def trace_id(self) -> int:
        self._traces += 1
        return self._traces

    def span_id(self) -> int:
        self._spans += 1
        return self._spans


class Captured:
    """What a block emitted. Every look takes in what was emitted up to it."""

    def __init__(self, telemetry: Telemetry, clock: FakeClock) -> None:
        self.telemetry = telemetry
        self.clock = clock
        self._spans: list[SpanRecord] = []
        self._logs: list[LogRecord] = []
        telemetry.pipeline.observers.append(self._take)

    @property
    def spans(self) -> list[SpanRecord]:
        """Every span that ended, in the order they ended."""
        self.telemetry.flush()
        return list(self._spans)

    @property
    def logs(self) -> list[LogRecord]:
        """Every log line, access lines among them, in the order written."""
        self.telemetry.flush()
        return list(self._logs)

    def span(self, name: str) -> SpanRecord:
        """Return the one span of this name; an AssertionError says what there was instead."""
        found = [span for span in self.spans if span.name == name]
        names = ", ".join(span.name for span in self.spans) or "none"
        assert len(found) == 1, f"{len(found)} spans are named {name!r}; there were: {names}"
        return found[0]

    def log(self, event: str) -> LogRecord:
        """Return the one line of this declared event, or with this message."""
        found = [
            line for line in self.logs if event in (line.message, line.attributes.get(EVENT_FIELD))
        ]
        messages = "; ".join(line.message for line in self.logs) or "none"
        assert len(found) == 1, f"{len(found)} lines are {event!r}; there were: {messages}"
        return found[0]

    def value(self, metric: Metric, /, **labels: str) -> float:
        """Return a counter's or gauge's value, or how often was observed.

        Labels that are not given are summed over; a series that does not exist counts 0.
        """
        position = slice(0, 1)
        if isinstance(metric, Histogram):
            position = slice(0, len(metric.buckets) + 1)
        return self._total(metric, labels, position)

    def total(self, metric: Histogram | Summary, /, **labels: str) -> float:
        """Return the sum of what a histogram or summary observed."""
        last = len(metric.buckets) + 1 if isinstance(metric, Histogram) else 1
        return self._total(metric, labels, slice(last, last + 1))

    def _total(self, metric: Metric, labels: dict[str, str], cells: slice) -> float:
        self.telemetry.flush()
        family: Family | None = self.telemetry.registry.find(metric)
        assert family is not None, f"the contract has no metric {metric.name}"
        names = family.declaration.label_names
        unknown = set(labels) - set(names)
        assert not unknown, f"{metric.name} has no label {', '.join(sorted(unknown))}"
        return sum(
            sum(series.cells[cells])
            for values, series in family.series.items()
            if labels.items() <= dict(zip(names, values, strict=True)).items()
        )

    def _take(self, spans: list[SpanRecord], logs: list[LogRecord]) -> None:
        self._spans += spans
        self._logs += logs


@contextmanager
def capture(contract: Contract, settings: Settings | None = None) -> Iterator[Captured]:
    """Run a block with a telemetry of its own: nothing runs by itself, and faults are raised.

    The clock is fake and the ids count from one. `settings` may choose a sampler, for example;
    nothing is written or sent in any case.
    """
    chosen = dataclasses.replace(
        settings or Settings(),
        background=False,
        loud=True,
        log=LOG_OFF,
        otlp_endpoint="",
        traces=AS_FOR_ALL,
        logs=AS_FOR_ALL,
    )
    clock = FakeClock()
    telemetry = Telemetry(contract, chosen, clock=clock, ids=SequentialIds())
    with telemetry:
        yield Captured(telemetry, clock)
