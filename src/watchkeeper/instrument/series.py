"""One series each: a metric with one set of label values, and the cells that hold its numbers.

A series is resolved once and used often. All series of a process share one lock, which is held
for an addition and across a fork. None of them raises into the service: what cannot be counted is
a fault.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from types import TracebackType

from watchkeeper.clock import Clock
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.native import NativeCells
from watchkeeper.model import Exemplar

CurrentTrace = Callable[[], int]
"""Returns the id of the current trace if it is sampled, else 0."""


Sighting = tuple[int, float, int]
"""What becomes an exemplar when somebody asks: trace id, value, nanoseconds since the epoch."""


def exemplar_of(sighting: Sighting) -> Exemplar:
    """Return the exemplar that was sighted."""
    trace_id, value, time_ns = sighting
    return Exemplar((("trace_id", f"{trace_id:032x}"),), value, time_ns // 1_000_000)


class Recording:
    """What all series of one process share."""

    __slots__ = ("clock", "current_trace", "faults", "lock")

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock = clock
        self.faults = faults
        self.lock = threading.Lock()
        self.current_trace: CurrentTrace = lambda: 0


class CounterSeries:
    """A number that only grows. One cell."""

    size = 1
    __slots__ = ("_recording", "cells", "sighting")

    def __init__(self, recording: Recording, cells: memoryview[float]) -> None:
        self._recording = recording
        self.cells = cells
        self.sighting: Sighting | None = None

    def inc(self, amount: float = 1.0, *, trace_id: int | None = None, time_ns: int = 0) -> None:
        """Add `amount` (0 or more).

        Whoever counts after the fact gives the trace (0 for none) and the time.
        """
        recording = self._recording
        try:
            if not amount >= 0:
                raise ValueError(f"a counter only grows: it cannot take {amount}")
            with recording.lock:
                self.cells[0] += amount
            trace_id = recording.current_trace() if trace_id is None else trace_id
            if trace_id:
                self.sighting = (trace_id, amount, time_ns or recording.clock.time_ns())
        except Exception as error:  # noqa: BLE001 - never break the host
            recording.faults.note("counter", error)

    def reach(self, total: float) -> None:
        """Make it `total`, unless it is more already: for what somebody else counts."""
        with self._recording.lock:
            if total > self.cells[0]:
                self.cells[0] = total


class GaugeSeries:
    """A number that goes up and down. Two cells: the value, and when it was set (seconds since
    the Unix epoch; 0 for never)."""

    size = 2
    __slots__ = ("_recording", "callback", "cells")

    def __init__(self, recording: Recording, cells: memoryview[float]) -> None:
        self._recording = recording
        self.cells = cells
        self.callback: Callable[[], float] | None = None

    def set(self, value: float) -> None:
        """Make `value` the value."""
        recording = self._recording
        now = recording.clock.time_ns() / 1e9
        try:
            with recording.lock:
                self.cells[0] = value
                self.cells[1] = now
        except Exception as error:  # noqa: BLE001 - never break the host
            recording.faults.note("gauge", error)

    def inc(self, amount: float = 1.0) -> None:
        """Add `amount`."""
        recording = self._recording
        now = recording.clock.time_ns() / 1e9
        try:
            with recording.lock:
                self.cells[0] += amount
                self.cells[1] = now
        except Exception as error:  # noqa: BLE001 - never break the host
            recording.faults.note("gauge", error)

    def dec(self, amount: float = 1.0) -> None:
        """Take `amount` away."""
        try:
            taken = -amount
        except Exception as error:  # noqa: BLE001 - never break the host
            self._recording.faults.note("gauge", error)
            return
        self.inc(taken)

    def follow(self, callback: Callable[[], float]) -> None:
        """Take the value from `callback` at every scrape, and every second besides."""
        self.callback = callback


class HistogramSeries:
    """Observations by size. Cells: a count for each bucket, one for infinity, then the sum, then
    those of a native histogram, if it is one too."""

    __slots__ = ("_bounds", "_last", "_native", "_recording", "cells", "sightings")

    def __init__(
        self,
        recording: Recording,
        cells: memoryview[float],
        bounds: tuple[float, ...],
        native: NativeCells | None = None,
    ) -> None:
        self._recording = recording
        self._bounds = bounds
        self._last = len(bounds) + 1
        self._native = native
        self.cells = cells
        self.sightings: dict[int, Sighting] = {}

    def observe(self, value: float, *, trace_id: int | None = None, time_ns: int = 0) -> None:
        """Count `value` into the first bucket whose bound is not below it; NaN into the last.

        Whoever observes after the fact gives the trace (0 for none) and the time.
        """
        recording = self._recording
        last = self._last
        try:
            bucket = bisect_left(self._bounds, value) if value == value else last - 1
            native = last + 1 + self._native.cell(value) if self._native is not None else 0
            with recording.lock:
                # The sum first: what cannot be added is not counted either.
                self.cells[last] += value
                self.cells[bucket] += 1
                if native:
                    self.cells[native] += 1
            trace_id = recording.current_trace() if trace_id is None else trace_id
            if trace_id:
                self.sightings[bucket] = (trace_id, value, time_ns or recording.clock.time_ns())
        except Exception as error:  # noqa: BLE001 - never break the host
            recording.faults.note("histogram", error)

    def observe_all(
        self, values: Sequence[float], trace_ids: Sequence[int], times_ns: Sequence[int]
    ) -> None:
        """Count many at once; each has its trace (0 for none) and time."""
        bounds = self._bounds
        counts = [0] * self._last
        newest: dict[int, Sighting] = {}
        for value, trace_id, time_ns in zip(values, trace_ids, times_ns, strict=True):
            bucket = bisect_left(bounds, value)
            counts[bucket] += 1
            if trace_id:
                newest[bucket] = (trace_id, value, time_ns)
        total = sum(values)
        cells = self.cells
        native = [] if self._native is None else [*map(self._native.cell, values)]
        with self._recording.lock:
            for cell, count in enumerate(counts):
                if count:
                    cells[cell] += count
            cells[self._last] += total
            for cell in native:
                cells[self._last + 1 + cell] += 1
        self.sightings.update(newest)

    def time(self) -> Timer:
        """Observe how many seconds the block takes, also when it raises."""
        return Timer(self._recording.clock, self.observe)


class SummarySeries:
    """Observations counted and summed. Two cells: count, sum."""

    size = 2
    __slots__ = ("_recording", "cells")

    def __init__(self, recording: Recording, cells: memoryview[float]) -> None:
        self._recording = recording
        self.cells = cells

    def observe(self, value: float) -> None:
        """Count and sum `value`."""
        recording = self._recording
        try:
            with recording.lock:
                self.cells[1] += value
                self.cells[0] += 1
        except Exception as error:  # noqa: BLE001 - never break the host
            recording.faults.note("summary", error)

    def time(self) -> Timer:
        """Observe how many seconds the block takes, also when it raises."""
        return Timer(self._recording.clock, self.observe)


class Timer:
    """A context manager that observes the seconds between entry and exit."""

    __slots__ = ("_clock", "_observe", "_started_ns")

    def __init__(self, clock: Clock, observe: Callable[[float], None]) -> None:
        self._clock = clock
        self._observe = observe
        self._started_ns = 0

    def __enter__(self) -> None:
        self._started_ns = self._clock.monotonic_ns()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._observe((self._clock.monotonic_ns() - self._started_ns) / 1e9)


Series = CounterSeries | GaugeSeries | HistogramSeries | SummarySeries
