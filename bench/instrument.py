"""CPU of three signals on a request: Watchkeeper beside what services usually carry.

    make bench-instrument        (python bench/instrument.py [--rounds N] [--requests N])

Every assembly of assemblies.py runs in processes of its own; the rounds are interleaved, and
the threads that export count, to the last record. First in one process without a server, then
under uvicorn with wrk, where wrk is installed: by one process and by four that share a socket, with
a request that does nothing and with one that writes ten log lines, asks a database three times and
a model once.

Prints what each adds to the bare app, in microseconds of CPU a request and as a ratio to
Watchkeeper's; writes bench/out/instrument.json. Compared are the lower quartiles of the rounds:
whatever else a machine does only ever makes a round dearer. Ratios are the figures to go by.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assemblies import ON_ASGI, ON_FASTAPI, WORKING
from loopback import collector, has_wrk, load

PEERS = (
    "fastapi",
    "starlette",
    "uvicorn",
    "prometheus-fastapi-instrumentator",
    "prometheus-client",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-fastapi",
    "structlog",
    "orjson",
)
OURS = "watchkeeper"
EMPTY, WORK = "/items", "/work"
WORKERS = 4
STARTS = 3
"""So often every process is started anew: where its memory happens to lie makes it faster or slower
by several microseconds a request, for as long as it runs."""
EXPORT_SECONDS = 1.1
"""A little more than what exporters wait for a batch to become full."""
RESTING = 0.02
"""The share of a processor that a server without requests may take."""
Figures = dict[str, list[float]]


class Measured:
    """One assembly in a process of its own."""

    def __init__(self, name: str, sink: str, workers: int = 0) -> None:
        program = Path(__file__).with_name("measured.py")
        options = [str(workers)] if workers else []
        environment = dict(os.environ)
        if workers > 1:
            # What several processes need to answer for each other.
            shared = tempfile.mkdtemp(prefix="bench-")
            environment |= {"PROMETHEUS_MULTIPROC_DIR": shared, "BENCH_PROCESS_DIRECTORY": shared}
        self._process = subprocess.Popen(
            [sys.executable, str(program), name, sink, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def hear(self) -> list[float]:
        assert self._process.stdout is not None
        return [float(word) for word in self._process.stdout.readline().split()]

    def ask(self, line: str) -> list[float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.hear()

    def settled_cpu(self) -> float:
        """Return the CPU seconds of a server once it rests: exporters lag behind the load."""
        after = self.ask("cpu")[0]
        while True:
            before = after
            time.sleep(EXPORT_SECONDS)
            after = self.ask("cpu")[0]
            if after - before < RESTING * EXPORT_SECONDS:
                return after

    def close(self) -> None:
        self._process.communicate(timeout=30)


def in_process(
    sink: str, names: Iterable[str], path: str, rounds: int, requests: int
) -> tuple[Figures, Figures]:
    """Return CPU microseconds a request by assembly: whole, and on the event loop's thread."""
    whole: Figures = {name: [] for name in names}
    hot: Figures = {name: [] for name in whole}
    for _ in range(STARTS):
        with ExitStack() as stack:
            workers = {name: start(stack, name, sink) for name in whole}
            for worker in workers.values():
                worker.ask(f"{requests} {path}")  # the first round warms caches and imports
            for _ in range(max(1, rounds // STARTS)):
                for name, worker in workers.items():
                    seconds, hot_seconds = worker.ask(f"{requests} {path}")
                    whole[name].append(seconds / requests * 1e6)
                    hot[name].append(hot_seconds / requests * 1e6)
    return whole, hot


def under_uvicorn(
    sink: str, names: Iterable[str], path: str, rounds: int, workers: int = 1
) -> Figures:
    """Return CPU microseconds a request by assembly, the server's own included."""
    figures: Figures = {name: [] for name in names}
    for _ in range(STARTS):
        with ExitStack() as stack:
            servers = {name: start(stack, name, sink, workers) for name in figures}
            ports = {name: int(server.hear()[0]) for name, server in servers.items()}
            for port in ports.values():
                load(port, path, 8 * workers)
            time.sleep(EXPORT_SECONDS)
            for _ in range(max(1, rounds // STARTS)):
                for name, server in servers.items():
                    before = server.ask("cpu")[0]
                    answered = load(ports[name], path, 8 * workers)
                    figures[name].append((server.settled_cpu() - before) / answered * 1e6)
    return figures


def start(stack: ExitStack, name: str, sink: str, workers: int = 0) -> Measured:
    worker = Measured(name, sink, workers)
    stack.callback(worker.close)
    return worker


def rows(figures: Figures, names: Iterable[str], bare: str, ours: str) -> list[dict[str, Any]]:
    """Return what each assembly adds to the bare one, by the lower quartiles of the rounds."""
    quartiles = {name: statistics.quantiles(figures[name], n=4) for name in names}
    added = {name: low - quartiles[bare][0] for name, (low, _, _) in quartiles.items()}
    return [
        {
            "assembly": name,
            "times_ours": round(added[name] / added[ours], 2) if name != bare else None,
            "added_us": round(added[name], 1),
            "quartiles_us": [round(quartile, 1) for quartile in quartiles[name]],
        }
        for name in names
    ]


def show(title: str, table: list[dict[str, Any]]) -> None:
    print(f"\n{title}\n{'assembly':40}{'x ours':>8}{'added us':>10}{'quartiles of the whole':>28}")
    for row in table:
        ratio = "" if row["times_ours"] is None else f"{row['times_ours']:.2f}"
        whole = " ".join([f"{quartile:8.1f}" for quartile in row["quartiles_us"]])
        print(f"{row['assembly']:40}{ratio:>8}{row['added_us']:10.1f}{whole:>28}", flush=True)


def measure(sink: str, rounds: int, requests: int, wrk: bool) -> dict[str, list[dict[str, Any]]]:
    """Return the tables by title, each shown as soon as it is measured."""
    tables: dict[str, list[dict[str, Any]]] = {}

    def keep(title: str, figures: Figures, names: Iterable[str], bare: str, ours: str) -> None:
        tables[title] = rows(figures, names, bare, ours)
        show(title, tables[title])

    whole, hot = in_process(sink, (*ON_FASTAPI, *ON_ASGI), EMPTY, rounds, requests)
    asgi = (ON_ASGI, "bare ASGI", "watchkeeper on ASGI")
    keep("FastAPI in process", whole, ON_FASTAPI, "bare", OURS)
    keep("alone, on a trivial ASGI app", whole, *asgi)
    keep("alone, what the request itself pays", hot, *asgi)
    whole, _ = in_process(sink, WORKING, WORK, rounds, requests // 3)
    keep("a request with work, in process", whole, WORKING, "bare", OURS)
    if not wrk:
        return tables
    served = under_uvicorn(sink, ON_FASTAPI, EMPTY, rounds)
    keep("FastAPI under uvicorn and wrk", served, ON_FASTAPI, "bare", OURS)
    served = under_uvicorn(sink, WORKING, WORK, rounds)
    keep("a request with work, under uvicorn and wrk", served, WORKING, "bare", OURS)
    served = under_uvicorn(sink, WORKING, EMPTY, rounds, WORKERS)
    keep(f"under uvicorn and wrk, {WORKERS} processes", served, WORKING, "bare", OURS)
    return tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help=f"at least {STARTS}")
    parser.add_argument("--requests", type=int, default=750, help="a round, in process")
    parser.add_argument("--no-wrk", action="store_true", help="leave out uvicorn and wrk")
    options = parser.parse_args()
    versions = {name: version(name) for name in PEERS}
    with collector() as sink:
        wrk = has_wrk() and not options.no_wrk
        tables = measure(sink, options.rounds, options.requests, wrk)
    if not has_wrk():
        print("\nwrk is not installed: nothing was measured under uvicorn")
    print("\n" + ", ".join(f"{name} {number}" for name, number in versions.items()))
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    report = {
        "python": platform.python_version(),
        "rounds": options.rounds,
        "requests_a_round": options.requests,
        "versions": versions,
        "tables": tables,
    }
    (out / "instrument.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
