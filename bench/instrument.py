"""CPU of three signals on a request: Watchkeeper beside what services usually carry.

    make bench-instrument        (python bench/instrument.py [--rounds N] [--requests N])

Every assembly of assemblies.py runs in a process of its own; the rounds are interleaved, and
the threads that export count. First in one process without a server, then under uvicorn with
wrk, where wrk is installed. Prints what each adds to the bare app, in microseconds of CPU a
request, as medians of the rounds with their quartiles, and as a ratio to Watchkeeper's; writes
bench/out/instrument.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assemblies import ON_ASGI, ON_FASTAPI
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
SUM = "the usual sum of the three"
Figures = dict[str, list[float]]


class Measured:
    """One assembly in a process of its own."""

    def __init__(self, name: str, sink: str, *options: str) -> None:
        program = Path(__file__).with_name("measured.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program), name, sink, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> list[float]:
        assert self._process.stdout is not None
        return [float(word) for word in self._process.stdout.readline().split()]

    def ask(self, line: str) -> list[float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.hear()

    def close(self) -> None:
        self._process.communicate(timeout=20)


def in_process(sink: str, rounds: int, requests: int) -> tuple[Figures, Figures]:
    """Return CPU microseconds a request by assembly: whole, and on the event loop's thread."""
    names = [*ON_FASTAPI, *ON_ASGI]
    whole: Figures = {name: [] for name in names}
    hot: Figures = {name: [] for name in names}
    with ExitStack() as stack:
        workers = {name: start(stack, name, sink) for name in names}
        for worker in workers.values():
            worker.ask(str(requests))  # the first round warms caches and imports
        for _ in range(rounds):
            for name, worker in workers.items():
                seconds, hot_seconds = worker.ask(str(requests))
                whole[name].append(seconds / requests * 1e6)
                hot[name].append(hot_seconds / requests * 1e6)
    return whole, hot


def under_uvicorn(sink: str, rounds: int) -> Figures:
    """Return CPU microseconds a request by assembly, the server's own included."""
    figures: Figures = {name: [] for name in ON_FASTAPI}
    with ExitStack() as stack:
        servers = {name: start(stack, name, sink, "--serve") for name in ON_FASTAPI}
        ports = {name: int(server.hear()[0]) for name, server in servers.items()}
        for _ in range(rounds):
            for name, server in servers.items():
                before = server.ask("cpu")[0]
                answered = load(ports[name])
                figures[name].append((server.ask("cpu")[0] - before) / answered * 1e6)
    return figures


def start(stack: ExitStack, name: str, sink: str, *options: str) -> Measured:
    worker = Measured(name, sink, *options)
    stack.callback(worker.close)
    return worker


def rows(figures: Figures, names: Iterable[str], bare: str, ours: str) -> list[dict[str, Any]]:
    """Return what each assembly adds to the bare one, round by round."""

    def added(name: str) -> list[float]:
        return [one - base for one, base in zip(figures[name], figures[bare], strict=True)]

    own = statistics.median(added(ours))
    found = []
    for name in names:
        median = statistics.median(added(name))
        low, _, high = statistics.quantiles(added(name), n=4)
        found.append(
            {
                "assembly": name,
                "times_ours": round(median / own, 2) if name != bare else None,
                "added_us": round(median, 1),
                "added_quartiles_us": [round(low, 1), round(high, 1)],
                "whole_us": round(statistics.median(figures[name]), 1),
            }
        )
    return found


def show(title: str, table: list[dict[str, Any]]) -> None:
    print(f"\n{title}\n{'assembly':40}{'x ours':>8}{'added us':>10}{'quartiles':>16}{'whole':>9}")
    for row in table:
        ratio = "" if row["times_ours"] is None else f"{row['times_ours']:.2f}"
        low, high = row["added_quartiles_us"]
        print(
            f"{row['assembly']:40}{ratio:>8}{row['added_us']:10.1f}"
            f"{f'{low:.1f} to {high:.1f}':>16}{row['whole_us']:9.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=1_500, help="a round, in process")
    parser.add_argument("--no-wrk", action="store_true", help="leave out uvicorn and wrk")
    options = parser.parse_args()
    versions = {name: version(name) for name in PEERS}
    tables: dict[str, list[dict[str, Any]]] = {}
    with collector() as sink:
        whole, hot = in_process(sink, options.rounds, options.requests)
        asgi = (ON_ASGI, "bare ASGI", "watchkeeper on ASGI")
        tables["FastAPI in process"] = rows(whole, ON_FASTAPI, "bare", OURS)
        tables["alone, on a trivial ASGI app"] = rows(whole, *asgi)
        tables["alone, what the request itself pays"] = rows(hot, *asgi)
        if has_wrk() and not options.no_wrk:
            served = under_uvicorn(sink, max(2, options.rounds // 3))
            tables["FastAPI under uvicorn and wrk"] = rows(served, ON_FASTAPI, "bare", OURS)
    for title, table in tables.items():
        show(title, table)
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
