"""The whole application and its monitoring: started in order, kept running."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from resume_optimizer.devstack import servers
from resume_optimizer.devstack.configuration import write_configuration
from resume_optimizer.devstack.credentials import Credentials, credentials
from resume_optimizer.devstack.faults import Fault, FaultPlan, faults
from resume_optimizer.devstack.follow import Follow
from resume_optimizer.devstack.options import PART_OF_FAULT, OptionError, Options
from resume_optimizer.devstack.parts import Parts
from resume_optimizer.devstack.server import Server
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
        notices = Follow(self.options.directory / "logs" / "inbox.log")
        plan = FaultPlan(self.options, self._fault(), self.say, time.monotonic())
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
