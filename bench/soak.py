"""Memory over a million requests while nobody answers at the collector's address.

    make soak-instrument        (python bench/soak.py [requests])

Prints how much the process grows from its first thousand requests on, and writes
bench/out/soak.json. Every request has a path of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import sys
from pathlib import Path

from assemblies import fastapi_app, watchkeeper_over
from measured import answer, scope_of

STEPS = 20
WARM_REQUESTS = 1_000


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def run(requests: int) -> list[float]:
    # Bound and never listened at: every connection is refused, as with a collector that is down.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assembly = watchkeeper_over(fastapi_app(), f"http://127.0.0.1:{nobody.getsockname()[1]}")
        await answer(assembly.app, [scope_of(number) for number in range(WARM_REQUESTS)])
        gc.collect()
        resident = [resident_mb()]
        step = requests // STEPS
        for first in range(0, requests, step):
            for number in range(first, first + step):
                await answer(assembly.app, [scope_of(number)])
                if number % 500 == 0:
                    await asyncio.sleep(0.001)
            gc.collect()
            resident.append(resident_mb())
            print(f"{first + step:>9} requests: {resident[-1] - resident[0]:+6.1f} MB", flush=True)
        assembly.settle()
    return resident


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    resident = asyncio.run(run(requests))
    grown = max(resident) - resident[0]
    print(f"resident {resident[0]:.1f} MB at first; grown by {grown:.1f} MB at the most")
    out = Path(__file__).parent / "out"
    out.mkdir(exist_ok=True)
    report = {"requests": requests, "resident_mb": resident, "grown_mb": grown}
    (out / "soak.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
