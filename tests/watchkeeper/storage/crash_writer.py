"""Writes numbered batches of all signals until it is killed, and says what was acknowledged.

Run as `crash_writer.py DIRECTORY`: for every number read from stdin it forks a writer that
begins there. A writer prints its process id, and then `signal number log-file end` for each
batch that the store acknowledged.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np

from watchkeeper.model import (
    LogRecord,
    SampleBatch,
    Severity,
    SpanKind,
    SpanRecord,
    labels,
)
from watchkeeper.storage import Store, StoreLimits, wal

START_NS = 1_700_000_000_000_000_000
STEP_NS = 120_000_000_000
SERIES = [labels({"__name__": "up", "instance": str(n)}) for n in range(3)]
LIMITS = StoreLimits(
    reserve_bytes=0,
    metric_retention_seconds=10**9,
    log_retention_seconds=10**9,
    span_retention_seconds=10**9,
)


def batch(number: int) -> tuple[SampleBatch, list[LogRecord], list[SpanRecord]]:
    """Return what is written under a number."""
    at_ns = START_NS + number * STEP_NS
    return (
        SampleBatch(SERIES, np.full(3, at_ns // 1_000_000), np.full(3, float(number))),
        [LogRecord(at_ns, Severity.INFO, str(number), "api") for _ in range(2)],
        [
            SpanRecord(
                f"{number:032x}", f"{n:016x}", "", "op", SpanKind.SERVER, at_ns, at_ns + 1, "api"
            )
            for n in range(2)
        ],
    )


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def write(directory: Path, number: int) -> None:
    # Files of the log are written over however small they are.
    wal.REUSED_BYTES = 0, 1 << 30
    store = Store.open(directory, limits=LIMITS)

    def flush_and_merge_on_and_on() -> None:
        while not threading.Event().wait(0.03):
            store.flush()
            for tiers in (store.metrics, store.logs.tiers, store.spans.tiers):
                tiers.merge(closed_before_ns=2**63)

    def acknowledged(signal: str) -> None:
        end = store._journal.log.end
        if end is not None:
            say(signal, number, *end)

    say("pid", os.getpid())
    threading.Thread(target=flush_and_merge_on_and_on, daemon=True).start()
    while True:
        samples, logs, spans = batch(number)
        store.metrics.append(samples)
        acknowledged("samples")
        store.logs.append(logs)
        acknowledged("logs")
        store.spans.append(spans)
        acknowledged("spans")
        number += 1


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            write(Path(sys.argv[1]), int(line))
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
