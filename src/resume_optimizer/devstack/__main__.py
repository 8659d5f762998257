"""`python -m resume_optimizer.devstack`: what `make run` runs, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import httpx2

from resume_optimizer.devstack.claim import AlreadyRunningError, claim_ports, only_launcher
from resume_optimizer.devstack.launcher import OUTSIDE_VARIABLES, TICK_SECONDS, Launcher
from resume_optimizer.devstack.options import OptionError, Options, options
from resume_optimizer.devstack.ports import LOOPBACK, PortTakenError
from resume_optimizer.devstack.server import ServerFailedError


def main() -> None:
    """Run until Ctrl-C or SIGTERM. Ends with 2 when something could not be started."""

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    stops: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stops.append(number))
    try:
        chosen = options(os.environ)
        chosen = replace(chosen, directory=chosen.directory.resolve())
        with only_launcher(chosen.directory) as cut_off:
            _run(chosen, cut_off=cut_off, say=say, stopping=lambda: bool(stops))
    except (OptionError, PortTakenError, ServerFailedError, AlreadyRunningError) as error:
        sys.stderr.write(f"make run: {error}\n")
        sys.exit(2)


def _run(
    chosen: Options, *, cut_off: bool, say: Callable[[str], None], stopping: Callable[[], bool]
) -> None:
    listener = claim_ports(chosen.ports, cut_off=cut_off)
    outside = {part for part, name in OUTSIDE_VARIABLES.items() if os.environ.get(name)}
    launcher = Launcher(chosen, say, frozenset(outside))
    begun = time.monotonic()
    try:
        launcher.start(listener)
        say(_addresses(chosen, time.monotonic() - begun))
        say(f"sample journey {_wait_for_journey(chosen.ports.probe_port, stopping)}")
        launcher.run(stopping)
        say("stopping")
    finally:
        launcher.supervisor.stop()
        listener.close()


def _addresses(chosen: Options, seconds: float) -> str:
    ports = chosen.ports
    service = ports.load_balancer_port if chosen.load_balancer else ports.api_port
    return "\n".join(
        (
            f"ready after {seconds:.1f} s; stop with Ctrl-C",
            f"  Resume Optimizer  http://{LOOPBACK}:{service}",
            f"  Watchkeeper       http://{LOOPBACK}:{ports.backend_port}",
            f"  Inbox             http://{LOOPBACK}:{ports.inbox_port}   notifications arrive here",
            f"  logs              {chosen.directory / 'logs'}",
        )
    )


def _wait_for_journey(probe_port: int, stopping: Callable[[], bool]) -> str:
    """Wait for the first journey to end and say how it went."""
    begun = time.monotonic()
    while not stopping() and time.monotonic() < begun + 60:
        text = httpx2.get(f"http://{LOOPBACK}:{probe_port}/metrics", timeout=5.0).text
        for outcome in ("success", "failure"):
            sample = f'journey_runs_total{{journey="optimize_resume",outcome="{outcome}"}} 1'
            if sample in text:
                return f"ended with {outcome} after {time.monotonic() - begun:.1f} s"
        time.sleep(TICK_SECONDS)
    return "has not ended yet; see var/logs/probe.log"


if __name__ == "__main__":
    main()
