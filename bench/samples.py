"""Samples alone: durable writes, bytes on disk beside Prometheus, start with much data, reads.

    python bench/samples.py [gibibytes]

The data set of store_data, 100 targets, in batches of 10,000, each on the medium before the
next; a flush whenever the backend would, merges at the end. Then a directory of so many
gibibytes of samples (1 by default), which a store is opened on. Prints a table beside what is
wanted and, where it has the same, Prometheus; writes bench/out/samples.json.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import store_data

from watchkeeper.model import Labels, Matcher, MatchOperator, SampleBatch, labels
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import Store, StoreLimits, label_table
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.part import PartName
from watchkeeper.storage.sample_writing import SampleFileWriter

OUT = Path(__file__).parent / "out" / "samples.json"
TARGETS, SCRAPES = 100, 480
ROUNDS = 15
LIMITS = StoreLimits(metric_retention_seconds=10**9)
DAY_MS, WINDOW_MS, GAP_MS = 86_400_000, 7_200_000, 15_000
BIG_SERIES = 8000


def batches() -> list[SampleBatch]:
    scraped = store_data.sample_batches(TARGETS, SCRAPES)
    made = []
    while some := list(islice(scraped, TARGETS)):
        made.append(
            SampleBatch(
                [one for batch in some for one in batch.labels],
                np.concatenate([batch.timestamps_ms for batch in some]),
                np.concatenate([batch.values for batch in some]),
            )
        )
    return made


def resident_mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def quickest_ms(call: Callable[[], object]) -> float:
    """Return CPU milliseconds: other load on the machine does not count."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        taken.append((time.process_time() - began) * 1000)
    return min(taken)


def reads(store: Store) -> dict[str, float]:
    end_ms = store_data.START_NS // 1_000_000 + SCRAPES * GAP_MS
    name = Matcher("__name__", MatchOperator.EQUAL, "http_requests_total")
    five = Matcher("instance", MatchOperator.EQUAL, "10.0.0.7:8000")
    code = Matcher("code", MatchOperator.REGEX, "[1-5]")
    return {
        f"{count} series x 1 h, ms": quickest_ms(
            lambda chosen=chosen: store.metrics.select(chosen, end_ms - 3_600_000, end_ms)
        )
        for count, chosen in (("5", [name, five, code]), ("3,300", [name]), ("10,000", []))
    }


def prometheus_bytes(place: Path, made: list[SampleBatch]) -> float | None:
    """Return what a sample takes in Prometheus' blocks."""
    if shutil.which("promtool") is None:
        return None
    text = place / "samples.om"
    rows: dict[Labels, list[str]] = {}
    for batch in made:
        for one, at, value in zip(
            batch.labels, batch.timestamps_ms.tolist(), batch.values.tolist(), strict=True
        ):
            rows.setdefault(one, []).append(f"{value} {at / 1000}\n")
    with text.open("w") as file:
        for one in sorted(rows):
            pairs = ",".join(f'{name}="{value}"' for name, value in one if name != "__name__")
            head = f"{dict(one)['__name__']}{{{pairs}}} "
            file.writelines(head + row for row in rows[one])
        file.write("# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(place / "p")]
    subprocess.run(command, check=True, capture_output=True)
    size = sum(file.stat().st_size for file in (place / "p").rglob("*") if file.is_file())
    return size / (TARGETS * store_data.SERIES_PER_TARGET * SCRAPES)


def fill(directory: Path, gibibytes: float) -> None:
    """Write days of samples that do not compress, the newest up to now."""
    series = sorted(
        labels({"__name__": f"m{n % 80}", "instance": f"i{n // 400}", "k": str(n % 400)})
        for n in range(BIG_SERIES)
    )
    rows = WINDOW_MS // GAP_MS
    values = np.random.default_rng(1).random(BIG_SERIES * rows)
    bounds, alone = np.arange(BIG_SERIES + 1) * rows, np.zeros(BIG_SERIES, np.int64)
    day_ms, sequence, size = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS, 10**6, 0
    while size < gibibytes * (1 << 30):
        name = PartName(day_ms * 1_000_000, sequence, sequence)
        writer = SampleFileWriter(directory, name, label_table.of(series), Disk())
        for start_ms in range(day_ms, day_ms + DAY_MS, WINDOW_MS):
            times = np.tile(np.arange(start_ms, start_ms + WINDOW_MS, GAP_MS), BIG_SERIES)
            window = writer.window(start_ms)
            columns = SeriesColumns(series, bounds, times, values, alone)
            window.add(np.arange(BIG_SERIES), columns)
            writer.end_window(window, [])
        writer.finish()
        size += writer.path.stat().st_size
        day_ms, sequence = day_ms - DAY_MS, sequence - 1


def main() -> None:
    gibibytes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    OUT.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT.parent) as place:
        figures = measure(Path(place), gibibytes)
    print(f"{'':40}{'Watchkeeper':>12}{'wanted':>12}{'Prometheus':>12}")
    for what, row in figures.items():
        print(f"{what:40}" + "".join("" if one is None else f"{one:>12,.2f}" for one in row))
    OUT.write_text(json.dumps({"gibibytes": gibibytes, "figures": figures}, indent=2) + "\n")


def measure(place: Path, gibibytes: float) -> dict[str, tuple[float | None, ...]]:
    made = batches()
    count = TARGETS * store_data.SERIES_PER_TARGET * SCRAPES
    figures: dict[str, tuple[float | None, ...]] = {}
    store = Store.open(place / "store", limits=LIMITS)
    began, busy = time.perf_counter(), time.process_time()
    for batch in made:
        store.metrics.append(batch)
    figures["million samples a second, durable"] = (
        count / (time.perf_counter() - began) / 1e6, 1.0,
    )  # fmt: skip
    figures["million samples a second of CPU"] = (
        count / (time.process_time() - busy) / 1e6, None,
    )  # fmt: skip
    figures |= {f"hot: {what}": (one, None) for what, one in reads(store).items()}
    store.flush()
    while store.metrics.merge(closed_before_ns=2**63):
        pass
    size = store.stats().bytes_on_disk["metrics"]
    figures["bytes a sample, merged"] = (size / count, 1.5, prometheus_bytes(place, made))
    figures |= {f"merged: {what}": (one, None) for what, one in reads(store).items()}
    store.close()
    del made
    (place / "big" / "metrics").mkdir(parents=True)
    fill(place / "big" / "metrics", gibibytes)
    before = resident_mebibytes()
    began = time.perf_counter()
    store = Store.open(place / "big", limits=LIMITS)
    figures[f"start with {gibibytes:g} GiB, s"] = (time.perf_counter() - began, 3.0)
    end_ms = time.time_ns() // 1_000_000
    for hours in range(0, 24, 2):
        store.metrics.select([], end_ms - (hours + 2) * 3_600_000, end_ms - hours * 3_600_000)
    figures["RSS added by reading a day of it, MiB"] = (resident_mebibytes() - before, None)
    store.close()
    return figures


if __name__ == "__main__":
    main()
