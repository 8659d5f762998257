"""The process itself, as the system sees it: memory, CPU, threads, descriptors, event-loop lag, and
Python's garbage collector.

Source: proc(5). Read once a second and at every scrape.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
from collections import deque
from pathlib import Path

from watchkeeper.clock import Clock
from watchkeeper.contract import Gauge
from watchkeeper.conventions import process
from watchkeeper.instrument.process_files import start_ticks
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.series import CounterSeries, GaugeSeries

CPU_WINDOW_READINGS = 16
"""CPU is the mean over the last fifteen readings, a second apart."""

LAG_PERIOD_SECONDS = 0.5
LAG_READINGS = 30
"""The lag shown is the worst of the last fifteen seconds, so that no scrape misses it."""

_GC = {
    "collections": process.GC_COLLECTIONS,
    "collected": process.GC_COLLECTED,
    "uncollectable": process.GC_UNCOLLECTABLE,
}
"""By the keys of gc.get_stats()."""

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ProcessGauges:
    """Sets the gauges of conventions.process that the contract has."""

    def __init__(self, registry: Registry, clock: Clock, *, version: str, environment: str) -> None:
        self._clock = clock
        memory = registry.find(process.MEMORY)
        self._memory = {
            kind: memory.resolve({"type": kind}) if memory else None
            for kind in ("virtual", "rss", "shared")
        }
        self._cpu = _gauge(registry, process.CPU)
        self._threads = _gauge(registry, process.THREADS)
        self._open_files = _gauge(registry, process.OPEN_FILES)
        self._start_time = _gauge(registry, process.START_TIME)
        self._loop_lag = _gauge(registry, process.LOOP_LAG)
        info = registry.find(process.INFO)
        self._info = info and info.resolve({"version": version, "environment": environment})
        self.lag: LoopLag | None = None
        self._readings: deque[tuple[int, float]] = deque(maxlen=CPU_WINDOW_READINGS)
        self._collector = {key: registry.find(declaration) for key, declaration in _GC.items()}
        self._inherited = [dict.fromkeys(_GC, 0) for _ in gc.get_stats()]

    def begin_anew(self) -> None:
        """Leave to the parent what it has counted: in the child of a fork."""
        self.lag = None
        self._inherited = gc.get_stats()

    def refresh(self) -> None:
        """Read everything now. Raises OSError where there is no /proc."""
        self._refresh_memory()
        self._refresh_cpu()
        self._refresh_collector()
        if self._threads is not None:
            self._threads.set(len(os.listdir("/proc/self/task")))  # noqa: PTH208 - once a second
        if self._open_files is not None:
            self._open_files.set(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - once a second
        if self._start_time is not None and not self._start_time.cells[1]:
            self._start_time.set(start_time_seconds())
        if isinstance(self._info, GaugeSeries) and not self._info.cells[1]:
            self._info.set(1)
        if self._loop_lag is not None and self.lag is not None:
            self._loop_lag.set(self.lag.worst_seconds())

    def _refresh_memory(self) -> None:
        pages = Path("/proc/self/statm").read_text().split()
        for gauge, count in zip(self._memory.values(), pages, strict=False):
            if isinstance(gauge, GaugeSeries):
                gauge.set(int(count) * _PAGE_BYTES)

    def _refresh_cpu(self) -> None:
        if self._cpu is None:
            return
        usage = resource.getrusage(resource.RUSAGE_SELF)
        now_ns = self._clock.monotonic_ns()
        used_seconds = usage.ru_utime + usage.ru_stime
        if self._readings and now_ns > self._readings[0][0]:
            then_ns, before_seconds = self._readings[0]
            self._cpu.set(100.0 * (used_seconds - before_seconds) / ((now_ns - then_ns) / 1e9))
        # Scrapes between the readings of the pump must not shorten the window.
        if not self._readings or now_ns - self._readings[-1][0] >= 900_000_000:
            self._readings.append((now_ns, used_seconds))

    def _refresh_collector(self) -> None:
        counts = zip(gc.get_stats(), self._inherited, strict=True)
        for generation, (now, inherited) in enumerate(counts):
            for key, family in self._collector.items():
                series = family.resolve({"generation": str(generation)}) if family else None
                if isinstance(series, CounterSeries):
                    series.reach(now[key] - inherited[key])


def start_time_seconds() -> float:
    """Return when this process started, in seconds since the Unix epoch."""
    ticks = start_ticks(os.getpid()) or 0
    boot = next(
        int(line.split()[1])
        for line in Path("/proc/stat").read_text().splitlines()
        if line.startswith("btime ")
    )
    return boot + ticks / _TICKS_PER_SECOND


class LoopLag:
    """Measures how late a running event loop serves a timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lags: deque[float] = deque(maxlen=LAG_READINGS)
        self._handle: asyncio.TimerHandle | None = None
        self._schedule()

    def worst_seconds(self) -> float:
        """Return the worst lag of the last fifteen seconds."""
        return max(tuple(self._lags), default=0.0)

    def stop(self) -> None:
        """Stop measuring."""
        if self._handle is not None:
            self._handle.cancel()

    def _schedule(self) -> None:
        self._due = self._loop.time() + LAG_PERIOD_SECONDS
        self._handle = self._loop.call_at(self._due, self._measure)

    def _measure(self) -> None:
        self._lags.append(max(0.0, self._loop.time() - self._due))
        self._schedule()


def _gauge(registry: Registry, declaration: Gauge) -> GaugeSeries | None:
    family = registry.find(declaration)
    series = family.resolve({}) if family else None
    return series if isinstance(series, GaugeSeries) else None
