"""How long a store with much in it takes to be ready.

    python bench/start.py [gigabytes]

Parts of logs and spans are written once and copied under other days until there is enough, with
indexes that say so (their rows, which the question does not come to, keep their times); the
write-ahead log has as much as it may before it is moved into segments. A process of its own opens
the store and answers its first question. Prints seconds, and writes bench/out/start.json.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec
import store_data

from watchkeeper.storage import Store, StoreLimits
from watchkeeper.storage.part import paths

ROWS = 200_000
DAY_NS = 86_400 * 10**9
INDEX_START = struct.Struct("<8sII")
OPEN = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from watchkeeper.ports import LogQuery
from watchkeeper.storage import Store, StoreLimits
imported, cpu_before = time.perf_counter(), time.process_time()
store = Store.open(Path(sys.argv[1]), limits=StoreLimits.keeping_everything())
opened, cpu = time.perf_counter(), time.process_time()
store.logs.search(LogQuery(0, 2**62))
answered = time.perf_counter()
print(imported - began, opened - imported, answered - opened, cpu - cpu_before, flush=True)
store.close()
"""


def fill(directory: Path, gigabytes: float) -> float:
    """Make a store of so many gigabytes; return how many it has."""
    store = Store.open(directory, limits=StoreLimits.keeping_everything())
    for records in store_data.log_batches(ROWS):
        store.logs.append(records)
    for spans in store_data.span_batches(ROWS):
        store.spans.append(spans)
    store.flush()
    store.merge()
    parts = [
        part for tiers in (store.logs.tiers, store.spans.tiers) for part in tiers.view.current.parts
    ]
    size_bytes = 0
    for day in count(1):
        for part in parts:
            name = replace(part.name, start_ns=part.name.start_ns - day * DAY_NS)
            rows, index = paths(part.directory, name)
            shutil.copy(part.files[0], rows)
            index.write_bytes(earlier(part.files[1].read_bytes(), day * DAY_NS))
            size_bytes += rows.stat().st_size + index.stat().st_size
        if size_bytes > gigabytes * 1e9:
            break
    hot = StoreLimits().hot_bytes
    for records, spans in zip(
        store_data.log_batches(10**6, seed=5), store_data.span_batches(10**6, seed=5), strict=False
    ):
        store.logs.append(records)
        store.spans.append(spans)
        if store.stats().hot_bytes > 0.9 * hot:
            break
    store.close()
    return size_bytes / 1e9


def earlier(index: bytes, by_ns: int) -> bytes:
    """Return a part's index with other times (storage/part_index.py has the format)."""
    magic, length, _ = INDEX_START.unpack_from(index)
    rest = INDEX_START.size + length
    head = msgspec.msgpack.decode(index[INDEX_START.size : rest])
    head["first_ns"] -= by_ns
    head["last_ns"] -= by_ns
    head["times_ns"] = [(first - by_ns, last - by_ns) for first, last in head["times_ns"]]
    encoded = msgspec.msgpack.encode(head)
    return INDEX_START.pack(magic, len(encoded), zlib.crc32(encoded)) + encoded + index[rest:]


def main() -> None:
    wanted = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as place:
        gigabytes = fill(Path(place) / "store", wanted)
        files = sum(1 for _ in Path(place).rglob("*.part"))
        began = time.perf_counter()
        ran = subprocess.run(
            [sys.executable, "-c", OPEN, f"{place}/store"],
            capture_output=True,
            text=True,
            check=True,
        )
        whole = time.perf_counter() - began
    imported, opened, answered, cpu = map(float, ran.stdout.split())
    figures = {
        "gigabytes": gigabytes,
        "parts": files,
        "import, s": imported,
        "open, s (wanted: 3)": opened,
        "open, CPU s": cpu,
        "first answer, s": answered,
        "open and first answer, s": opened + answered,
        "process, s": whole,
    }
    for what, value in figures.items():
        print(f"{what:24}{value:>10,.2f}")
    (out / "start.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
