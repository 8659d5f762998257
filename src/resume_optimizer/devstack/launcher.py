"""`make run`: the whole application and its monitoring, started, watched and stopped."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import httpx2

from resume_optimizer.devstack import servers
from resume_optimizer.devstack.credentials import Credentials, credentials, write_private
from resume_optimizer.devstack.faults import Fault, faults
from resume_optimizer.devstack.options import OptionError, Options, Ports, options
from resume_optimizer.devstack.parts import Parts
from resume_optimizer.devstack.ports import LOOPBACK, PortTakenError, listen, require_free
from resume_optimizer.devstack.server import Server, ServerFailedError
from resume_optimizer.devstack.servers import ServerPorts
from resume_optimizer.devstack.supervisor import Supervisor
from resume_optimizer.telemetry import Addresses, contract_for
from watchkeeper.render import quicken, render

TICK_SECONDS = 0.25
PATIENCE_AFTER_CRASH_SECONDS = 15.0


class AlreadyRunningError(Exception):
    """Another launcher uses the same data."""


@dataclass(slots=True)
class Launcher:
    """One run: starts the parts in order, keeps them running, puts the fault in and out."""

    options: Options
    say: Callable[[str], None]
    secrets: Credentials = field(init=False)
    supervisor: Supervisor = field(init=False)
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        self.secrets = credentials(self.options.directory / "credentials.json")
        self.supervisor = Supervisor(self.say)
        ports = self._server_ports()
        self.parts = Parts(self.options, self.secrets, servers.environment(ports, self.secrets))

    def start(self, listener: socket.socket) -> None:
        """Start everything and wait until it answers. Raises ServerFailedError."""
        self._write_configuration()
        parts, supervisor = self.parts, self.supervisor
        supervisor.start(
            {
                **servers.servers(self.options.directory, self._server_ports(), self.secrets),
                "watchkeeper": parts.backend(),
                "inbox": parts.inbox(),
                "llm-vendor": parts.vendor(),
            }
        )
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
                self.say(f"inbox  {line}")

    def _fault(self) -> Fault | None:
        known = faults(self.supervisor, self.parts.vendor_url)
        return known.get(self.options.fault)

    def _server_ports(self) -> ServerPorts:
        ports = self.options.ports
        return ServerPorts(ports.database_port, ports.cache_port, ports.objects_port)

    def _write_configuration(self) -> None:
        """Render the contract for this run's addresses, with the inbox as every receiver."""
        ports, directory = self.options.ports, self.options.directory / "config"
        inbox = f"http://{LOOPBACK}:{ports.inbox_port}"
        addresses = Addresses(
            api=f"{LOOPBACK}:{ports.api_port}",
            worker=f"{LOOPBACK}:{ports.worker_port}",
            probe=f"{LOOPBACK}:{ports.probe_port}",
            backend=f"{LOOPBACK}:{ports.backend_port}",
            load_balancer=(
                f"{LOOPBACK}:{ports.load_balancer_metrics_port}"
                if self.options.load_balancer
                else ""
            ),
            smarthost=f"{LOOPBACK}:{ports.inbox_mail_port}",
            incident_webhook_url=f"{inbox}/incidents",
            heartbeat_webhook_url=f"{inbox}/heartbeat",
            pagerduty_url=f"{inbox}/pagerduty/v2/enqueue",
        )
        contract = contract_for(addresses)
        render(
            contract if self.options.pace == 1 else quicken(contract, self.options.pace), directory
        )
        kept = directory / "alertmanager" / "secrets"
        write_private(kept / "slack_url", f"{inbox}/slack")
        write_private(kept / "pagerduty_routing_key", self.secrets.pagerduty_routing_key)


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


@contextmanager
def only_launcher(directory: Path) -> Iterator[bool]:
    """Hold `directory` for this launcher; yield whether the one before was cut off.

    Raises AlreadyRunningError if another one holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "launcher.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                f"{directory} is in use by another `make run`; stop it, or choose other data"
                " with DATA=DIRECTORY"
            ) from None
        lock.seek(0)
        cut_off = lock.read() == "running"
        lock.truncate(0)
        lock.write("running")
        lock.flush()
        yield cut_off
        lock.truncate(0)


def _claim_ports(ports: Ports, patience_seconds: float) -> socket.socket:
    """Check every port and return the API's listening socket. Raises PortTakenError.

    Processes of a launcher that was cut off may need a moment to end: they get it.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            for known in fields(ports):
                purpose = known.name.removesuffix("_port").replace("_", " ")
                require_free(getattr(ports, known.name), f"the {purpose}", known.name.upper())
            return listen(ports.api_port, "the API", "API_PORT")
        except PortTakenError:
            if time.monotonic() > deadline:
                raise
            time.sleep(TICK_SECONDS)


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
    listener = _claim_ports(chosen.ports, PATIENCE_AFTER_CRASH_SECONDS if cut_off else 0.0)
    launcher = Launcher(chosen, say)
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
