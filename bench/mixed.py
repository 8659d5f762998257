"""Everything at once: 100,000 samples, 5,000 log records and 5,000 spans a second, and readers.

    make soak-store        (python bench/mixed.py [seconds])

One process, as the backend is: a thread a signal that appends in step with the clock, one that
asks. Prints what was acknowledged how fast, how long answers took, and memory over time; writes
bench/out/mixed.json. Wanted: acknowledged within 50 ms and answered within 200 ms, 99 of 100
times; 400 MB at the most, and no growth.
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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice
from pathlib import Path

import numpy as np
import store_data

from watchkeeper.errors import OverloadError
from watchkeeper.model import LogRecord, Matcher, MatchOperator, SampleBatch, SpanRecord
from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store

TARGETS, SERIES_PER_TARGET = 20, 5_000
ROWS_A_BATCH, BATCHES_A_SECOND = 500, 10
QUESTIONS_A_SECOND = 4
LOOK_BACK_SECONDS = 300
DEFAULT_SECONDS = 60
NS = 1_000_000_000


@dataclass(slots=True)
class Load:
    """One thread's work: `step` is called so many times a second, and what it takes is noted."""

    name: str
    a_second: float
    step: Callable[[], object]
    taken_ms: list[float] = field(default_factory=list)

    def run(self, until: float) -> None:
        due = time.monotonic()
        while (now := time.monotonic()) < until:
            if now < due:
                time.sleep(due - now)
            began = time.perf_counter()
            self.step()
            self.taken_ms.append((time.perf_counter() - began) * 1000)
            due += 1 / self.a_second


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def samples() -> Iterator[SampleBatch]:
    """Yield a scrape of one target after the other, of now, without end."""
    chance = np.random.default_rng(4)
    per_name = store_data.SERIES_PER_TARGET
    batches = list(store_data.sample_batches(TARGETS * SERIES_PER_TARGET // per_name, 1))
    width = SERIES_PER_TARGET // per_name
    targets = [batches[one * width : (one + 1) * width] for one in range(TARGETS)]
    labels = [[one for batch in target for one in batch.labels] for target in targets]
    values = [np.concatenate([batch.values for batch in target]) for target in targets]
    for number in cycle(range(TARGETS)):
        values[number] = values[number] + chance.integers(0, 5, SERIES_PER_TARGET)
        now_ms = time.time_ns() // 1_000_000
        yield SampleBatch(labels[number], np.full(SERIES_PER_TARGET, now_ms), values[number])


def logs() -> Iterator[list[LogRecord]]:
    """Yield batches of now, without end; the messages come again, the traces do not."""
    chance = random.Random(4)
    made = list(chain.from_iterable(store_data.log_batches(20_000)))
    for first in cycle(range(0, len(made), ROWS_A_BATCH)):
        now_ns = time.time_ns()
        yield [
            replace(
                one,
                timestamp_ns=now_ns + place,
                trace_id=f"{chance.getrandbits(128):032x}" if one.trace_id else "",
            )
            for place, one in enumerate(made[first : first + ROWS_A_BATCH])
        ]


def spans(known: list[str]) -> Iterator[list[SpanRecord]]:
    """Yield batches of whole traces of now, without end; one id of each batch goes to `known`."""
    chance = random.Random(5)
    made = list(islice(chain.from_iterable(store_data.span_batches(20_000)), 19_992))
    size = ROWS_A_BATCH // 8 * 8
    for first in cycle(range(0, len(made) - size, size)):
        now_ns, some = time.time_ns(), made[first : first + size]
        begin_ns = some[0].start_ns
        ids = [f"{chance.getrandbits(128):032x}" for _ in range(0, size, 8)]
        known.append(ids[0])
        yield [
            replace(
                one,
                trace_id=ids[place // 8],
                start_ns=now_ns + (one.start_ns - begin_ns) // 100,
                end_ns=now_ns + (one.start_ns - begin_ns) // 100 + one.end_ns - one.start_ns,
            )
            for place, one in enumerate(some)
        ]


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


def measure(store: Store, seconds: float) -> dict[str, object]:
    known: list[str] = []
    sources = {"samples": samples(), "logs": logs(), "spans": spans(known)}
    asked = questions(store, known)
    answers: dict[str, list[float]] = {what: [] for what in asked}
    turn = cycle(asked.items())

    def ask() -> None:
        what, question = next(turn)
        began = time.perf_counter()
        question()
        answers[what].append((time.perf_counter() - began) * 1000)

    appends: dict[str, list[float]] = {what: [] for what in sources}

    def append(what: str, keep: Callable[..., object]) -> Callable[[], None]:
        def step() -> None:
            batch = next(sources[what])
            began = time.perf_counter()
            try:
                keep(batch)
            except OverloadError:
                return
            appends[what].append((time.perf_counter() - began) * 1000)

        return step

    loads = [
        Load("samples", TARGETS, append("samples", store.metrics.append)),
        Load("logs", BATCHES_A_SECOND, append("logs", store.logs.append)),
        Load("spans", BATCHES_A_SECOND, append("spans", store.spans.append)),
        Load("questions", QUESTIONS_A_SECOND, ask),
    ]
    for source in sources.values():
        next(source)
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
    stats, cpu_seconds = store.stats(), time.process_time() - began_cpu
    share = stats.samples / seconds / (TARGETS * SERIES_PER_TARGET)
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
        "acknowledged, ms": {what: spread(taken) for what, taken in appends.items()},
        "answered, ms": {what: spread(taken) for what, taken in answers.items()}
        | {"all questions": spread(list(chain.from_iterable(answers.values())))},
        "resident MB": {
            "before, with what is sent": before_mb,
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
    with tempfile.TemporaryDirectory(dir=out) as place:
        store = Store.open(Path(place) / "store")
        try:
            figures = measure(store, seconds)
        finally:
            store.close()
    show(figures)
    (out / "mixed.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
