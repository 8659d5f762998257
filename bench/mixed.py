"""Everything at once: 100,000 samples, 5,000 log records and 5,000 spans a second, and readers.

    make soak-store        (python bench/mixed.py [seconds])

One process, as the backend is: a thread a signal that appends in step with the clock, one that
asks, short turns of threads, and the garbage collector at bay; what is appended is made by
processes of their own (mixed_load.py). Prints what was acknowledged how fast, how long answers
took, and memory over time; writes bench/out/mixed.json.
Wanted: acknowledged within 50 ms and answered within 200 ms, 99 of 100 times; 400 MB at the
most, and no growth.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import mixed_load
import numpy as np
from numpy.typing import NDArray

from watchkeeper.errors import OverloadError
from watchkeeper.model import LogRecord, Matcher, MatchOperator, SampleBatch, SpanRecord
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.server.launch import collecting_little, take_short_turns
from watchkeeper.storage import Store

SAMPLES_A_SECOND = mixed_load.TARGETS * mixed_load.SERIES_PER_TARGET
QUESTIONS_A_SECOND = 4
LOOK_BACK_SECONDS = 300
DEFAULT_SECONDS = 60
NS = 1_000_000_000
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Load:
    """One thread's work: `step` is called so many times a second."""

    a_second: float
    step: Callable[[], object]

    def run(self, until: float) -> None:
        due = time.monotonic()
        while (now := time.monotonic()) < until:
            if now < due:
                time.sleep(due - now)
            self.step()
            due += 1 / self.a_second


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def questions(store: Store, known: list[str]) -> dict[str, Callable[[], object]]:
    """Return what is asked, by name; all but a trace of the last five minutes."""
    chance = random.Random(6)
    name = Matcher("__name__", MatchOperator.EQUAL, "http_requests_total")
    instance = Matcher("instance", MatchOperator.REGEX, r"10\.0\.0\.[0-9]:8000")

    def since() -> tuple[int, int]:
        now_ns = time.time_ns()
        return now_ns - LOOK_BACK_SECONDS * NS, now_ns

    def recent_samples() -> object:
        start_ns, end_ns = since()
        return store.metrics.select([name, instance], start_ns // 1_000_000, end_ns // 1_000_000)

    return {
        "330 series": recent_samples,
        "newest logs with words": lambda: store.logs.search(
            LogQuery(*since(), words=("reset by peer",))
        ),
        "logs with a rare word": lambda: store.logs.search(
            LogQuery(*since(), words=(f"{chance.getrandbits(32):08x}",))
        ),
        "histogram of logs": lambda: store.logs.histogram(LogQuery(*since()), 60),
        "trace by id": lambda: store.spans.trace(chance.choice(known)) if known else None,
        "slow failed traces": lambda: store.spans.search(
            TraceQuery(
                *since(), service="billing", minimum_duration_ns=500_000_000, errors_only=True
            )
        ),
        "operations": lambda: store.spans.operations("billing"),
    }


class Appending:
    """Appends batches of a signal as they come, and notes how long it took."""

    def __init__(self, what: str, keep: Callable[[Any], object]) -> None:
        self.process, self.pipe = mixed_load.start(what)
        self.taken_ms: list[float] = []
        self._keep = keep

    def batch(self) -> Any:
        self.pipe.send_bytes(b"")
        return self.pipe.recv()

    def step(self) -> None:
        batch = self.batch()
        began = time.perf_counter()
        with suppress(OverloadError):
            self._keep(batch)
            self.taken_ms.append((time.perf_counter() - began) * 1000)

    def end(self) -> None:
        self.pipe.close()
        self.process.join()


class Asking:
    """Asks one question after the other, and notes how long each took."""

    def __init__(self, asked: dict[str, Callable[[], object]]) -> None:
        self.taken_ms: dict[str, list[float]] = {what: [] for what in asked}
        self._turn = cycle(asked.items())

    def step(self) -> None:
        what, question = next(self._turn)
        began = time.perf_counter()
        question()
        self.taken_ms[what].append((time.perf_counter() - began) * 1000)


def appendings(store: Store, known: list[str]) -> dict[str, Appending]:
    """Return what appends each signal; ids of traces go to `known`."""
    labels = mixed_load.labels_of_targets()

    def samples(scraped: tuple[int, Values]) -> None:
        number, values = scraped
        now_ms = time.time_ns() // 1_000_000
        store.metrics.append(SampleBatch(labels[number], np.full(len(values), now_ms), values))

    def logs(rows: list[tuple[Any, ...]]) -> None:
        store.logs.append([LogRecord(*row) for row in rows])

    def spans(rows: list[tuple[Any, ...]]) -> None:
        records = [SpanRecord(*row) for row in rows]
        known.append(records[0].trace_id)
        store.spans.append(records)

    keepers: dict[str, Callable[[Any], object]] = {"samples": samples, "logs": logs, "spans": spans}
    return {what: Appending(what, keep) for what, keep in keepers.items()}


def measure(store: Store, seconds: float) -> dict[str, object]:
    known: list[str] = []
    appends, asking = appendings(store, known), Asking(questions(store, known))
    loads = [Load(a_second, appends[what].step) for what, a_second in mixed_load.A_SECOND.items()]
    loads.append(Load(QUESTIONS_A_SECOND, asking.step))
    for one in appends.values():
        one.batch()
    before_mb = resident_mb()
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=load.run, args=(until,)) for load in loads]
    began_cpu = time.process_time()
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < until:
        time.sleep(min(5, max(until - time.monotonic(), 0.1)))
        memory.append(resident_mb())
        print(f"  {memory[-1]:6.0f} MB", end="\r", flush=True)
    for thread in threads:
        thread.join()
    for one in appends.values():
        one.end()
    stats, cpu_seconds = store.stats(), time.process_time() - began_cpu
    share = stats.samples / seconds / SAMPLES_A_SECOND
    return {
        "seconds": seconds,
        "cores used": cpu_seconds / seconds,
        "share of the load that was taken": share,
        "cores that all of it takes": cpu_seconds / seconds / share,
        "kept a second": {
            "samples": stats.samples / seconds,
            "logs": stats.logs / seconds,
            "spans": stats.spans / seconds,
        },
        "acknowledged, ms": {what: spread(one.taken_ms) for what, one in appends.items()},
        "answered, ms": {what: spread(taken) for what, taken in asking.taken_ms.items()}
        | {"all questions": spread(list(chain.from_iterable(asking.taken_ms.values())))},
        "resident MB": {
            "before": before_mb,
            "first third": float(np.mean(memory[: max(1, len(memory) // 3)])),
            "last third": float(np.mean(memory[-max(1, len(memory) // 3) :])),
            "highest": max(memory),
            "peak of the kernel": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        },
        "flushes": [stats.flushes, stats.flush_seconds],
        "merges": [stats.merges, stats.merge_seconds],
        "refused": stats.refused,
        "disk MB": {part: size / 1e6 for part, size in stats.bytes_on_disk.items()},
    }


def spread(taken: list[float]) -> dict[str, float]:
    p50, p99 = np.percentile(taken, (50, 99))
    return {"p50": float(p50), "p99": float(p99), "max": max(taken), "times": len(taken)}


def show(figures: dict[str, object]) -> None:
    for what, value in figures.items():
        if not isinstance(value, dict):
            print(f"{what:28} {value}")
            continue
        print(what)
        for part, number in value.items():
            if isinstance(number, dict):
                number = "  ".join(f"{name} {one:8,.1f}" for name, one in number.items())
            else:
                number = f"{number:10,.1f}"
            print(f"    {part:24} {number}")


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_SECONDS
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    take_short_turns()
    with tempfile.TemporaryDirectory(dir=out) as place:
        store = Store.open(Path(place) / "store")
        try:
            with collecting_little():
                figures = measure(store, seconds)
        finally:
            store.close()
    show(figures)
    (out / "mixed.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
