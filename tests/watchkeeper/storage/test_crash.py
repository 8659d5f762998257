"""kill -9 at any moment, and any tail of the log: what was acknowledged is there, once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.watchkeeper.storage import crash_writer
from tests.watchkeeper.storage.crash_writer import LIMITS, SERIES, START_NS, STEP_NS

from watchkeeper.ports import LogQuery, TraceQuery
from watchkeeper.storage import Store

ROUNDS = int(os.environ.get("WATCHKEEPER_CRASH_ROUNDS", "25"))
EVER = (0, 2**62)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, crash_writer.__file__, str(tmp_path / "store")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.stdin.close()


@pytest.mark.timeout(60 + 10 * ROUNDS)
def test_what_was_acknowledged_survives_kill_and_torn_tails(
    writer: subprocess.Popen[str], tmp_path: Path
):
    chance = random.Random(20)
    acknowledged: set[tuple[str, int]] = set()
    following = 0
    for _ in range(ROUNDS):
        now, place = run_and_kill(writer, following, chance.uniform(0.0, 0.2))
        acknowledged |= now
        if place is not None:
            spoil_after(*place, chance)
        following = check(tmp_path / "store", acknowledged) + 1
    assert len(acknowledged) > ROUNDS


def run_and_kill(
    writer: subprocess.Popen[str], first: int, seconds: float
) -> tuple[set[tuple[str, int]], tuple[Path, int] | None]:
    """Return what a writer was told to be kept, and the end of that in the log."""
    print(first, file=writer.stdin, flush=True)
    pid = int(writer.stdout.readline().split()[1])
    killer = threading.Timer(seconds, os.kill, (pid, signal.SIGKILL))
    killer.start()
    lines = []
    while (line := writer.stdout.readline().rstrip("\n")) and not line.endswith("dead"):
        lines.append(line.split())
    killer.join()
    whole = [line for line in lines if len(line) == 4]
    place = (Path(whole[-1][2]), int(whole[-1][3])) if whole else None
    return {(line[0], int(line[1])) for line in whole}, place


def spoil_after(path: Path, end: int, chance: random.Random) -> None:
    """Do to the bytes after the last acknowledged record what a crashed machine may do."""
    if not path.exists():
        return
    acknowledged, tail = path.read_bytes()[:end], bytearray(path.read_bytes()[end:])
    tail += chance.choice([b"", b"\0" * 100, chance.randbytes(100), acknowledged[16:60]])
    kept = tail[: chance.randint(0, len(tail))]
    for _ in range(chance.choice([0, 1, 20]) if kept else 0):
        kept[chance.randrange(len(kept))] = chance.randrange(256)
    path.write_bytes(acknowledged + kept)


def check(directory: Path, acknowledged: set[tuple[str, int]]) -> int:
    """Compare a store with what it acknowledged; return the last number that it holds."""
    store = Store.open(directory, limits=LIMITS)
    try:
        logs = store.logs.search(LogQuery(*EVER, limit=10**6))
        traces = store.spans.search(TraceQuery(*EVER, limit=10**6))
        series = store.metrics.select([], *EVER)
    finally:
        store.close()
    counted: Counter[tuple[str, int]] = Counter(("logs", int(one.message)) for one in logs)
    counted.update(("spans", int(trace[0].trace_id, 16)) for trace in traces for _ in trace)
    assert {one.labels for one in series} <= set(SERIES)
    for one in series:
        numbers = ((one.timestamps_ms - START_NS // 1_000_000) // (STEP_NS // 1_000_000)).tolist()
        assert one.values.tolist() == numbers
        counted.update(("samples", number) for number in numbers)
    sizes = {"logs": 2, "spans": 2, "samples": 3}
    assert {key: count for key, count in counted.items() if count != sizes[key[0]]} == {}
    assert acknowledged - counted.keys() == set()
    return max((number for _, number in counted), default=-1)
