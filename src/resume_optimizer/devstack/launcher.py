"""`make run`: the whole application and its monitoring, started, watched and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2

from resume_optimizer.devstack import servers
from resume_optimizer.devstack.claim import AlreadyRunningError, claim_ports, only_launcher
from resume_optimizer.devstack.configuration import write_configuration
from resume_optimizer.devstack.credentials import Credentials, credentials
from resume_optimizer.devstack.faults import Fault, faults
from resume_optimizer.devstack.options import OptionError, Options, options
from resume_optimizer.devstack.parts import Parts
from resume_optimizer.devstack.ports import LOOPBACK, PortTakenError
from resume_optimizer.devstack.server import Server, ServerFailedError
from resume_optimizer.devstack.servers import ServerPorts
from resume_optimizer.devstack.supervisor import Supervisor

TICK_SECONDS = 0.25
HEARTBEAT = " heartbeat: "
"""The receiver whose messages say only that the alerting works: not worth a line each."""
OUTSIDE_VARIABLES = {
    "database": "DATABASE_URL",
    "cache": "CACHE_URL",
    "objects": "OBJECTS_ENDPOINT",
    "llm-vendor": "LLM_PROVIDER",
}
"""A part is not started when its variable says that it runs elsewhere."""
PART_OF_FAULT = {
    "database-down": "database",
    "cache-down": "cache",
    "objects-down": "objects",
    "llm-errors": "llm-vendor",
    "llm-slow": "llm-vendor",
}


@dataclass(slots=True)
class Launcher:
    """One run: starts the parts in order, keeps them running, puts the fault in and out."""

    options: Options
    say: Callable[[str], None]
    outside: frozenset[str] = frozenset()
    secrets: Credentials = field(init=False)
    supervisor: Supervisor = field(init=False)
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        if PART_OF_FAULT.get(self.options.fault) in self.outside:
            raise OptionError(
                f"FAULT={self.options.fault} stops a part that runs elsewhere: leave"
                f" {OUTSIDE_VARIABLES[PART_OF_FAULT[self.options.fault]]} unset"
            )
        self.secrets = credentials(self.options.directory / "credentials.json")
        self.supervisor = Supervisor(self.say)
        ports = self._server_ports()
        self.parts = Parts(self.options, self.secrets, servers.environment(ports, self.secrets))

    def start(self, listener: socket.socket) -> None:
        """Start everything and wait until it answers. Raises ServerFailedError."""
        write_configuration(self.options, self.secrets)
        self._forget_processes()
        parts, supervisor = self.parts, self.supervisor
        own = {
            **servers.servers(self.options.directory, self._server_ports(), self.secrets),
            "llm-vendor": parts.vendor(),
        }
        wanted = {name: server for name, server in own.items() if name not in self.outside}
        supervisor.start({**wanted, "watchkeeper": parts.backend(), "inbox": parts.inbox()})
        application: dict[str, Server] = {
            f"api-{index}": parts.api(index, listener.fileno())
            for index in range(self.options.api_processes)
        }
        supervisor.start({**application, "worker": parts.worker()})
        if self.options.load_balancer:
            supervisor.start({"load-balancer": parts.load_balancer()})
        supervisor.start({"probe": parts.probe()})
        if self.options.traffic:
            supervisor.start({"traffic": parts.traffic()})

    def run(self, stopping: Callable[[], bool]) -> None:
        """Keep everything running until `stopping` says so."""
        notices = _Follow(self.options.directory / "logs" / "inbox.log")
        plan = _FaultPlan(self.options, self._fault(), self.say, time.monotonic())
        while not stopping():
            time.sleep(TICK_SECONDS)
            self.supervisor.watch()
            plan.advance(time.monotonic())
            for line in notices.new_lines():
                if HEARTBEAT not in line:
                    self.say(f"inbox  {line}")

    def _forget_processes(self) -> None:
        """Remove the metric values of an earlier run: its counters are not this run's."""
        shutil.rmtree(self.options.directory / "processes", ignore_errors=True)

    def _fault(self) -> Fault | None:
        known = faults(self.supervisor, self.parts.vendor_url)
        return known.get(self.options.fault)

    def _server_ports(self) -> ServerPorts:
        ports = self.options.ports
        return ServerPorts(ports.database_port, ports.cache_port, ports.objects_port)


@dataclass(slots=True)
class _FaultPlan:
    """When the fault goes in and when it comes out."""

    options: Options
    fault: Fault | None
    say: Callable[[str], None]
    started_at: float
    in_place: bool = False

    def advance(self, now: float) -> None:
        if self.fault is None:
            return
        elapsed = now - self.started_at
        if not self.in_place and elapsed >= self.options.fault_after_seconds:
            self.say(f"fault  {self.options.fault} is put in")
            self.fault.put_in()
            self.in_place = True
        elif elapsed >= self.options.fault_after_seconds + self.options.fault_for_seconds:
            self.say(f"fault  {self.options.fault} is taken out")
            self.fault.take_out()
            self.fault = None


@dataclass(slots=True)
class _Follow:
    """The lines that are added to a file from now on."""

    path: Path
    position: int = -1

    def new_lines(self) -> Iterator[str]:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            file.seek(0, os.SEEK_END) if self.position < 0 else file.seek(self.position)
            yield from (line.rstrip("\n") for line in file)
            self.position = file.tell()


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
