"""The three real servers together: PostgreSQL, Valkey and SeaweedFS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resume_optimizer.devstack import postgres, seaweedfs, valkey
from resume_optimizer.devstack.account import account
from resume_optimizer.devstack.child import Child
from resume_optimizer.devstack.credentials import Credentials, credentials
from resume_optimizer.devstack.ports import free_ports
from resume_optimizer.devstack.server import Server


@dataclass(frozen=True, slots=True)
class ServerPorts:
    """Where the servers listen on loopback."""

    database: int
    cache: int
    objects: int


@dataclass(slots=True)
class RunningServers:
    """The servers by name (`database`, `cache`, `objects`) and how to reach them.

    `environment` holds DATABASE_URL, CACHE_URL and OBJECTS_* for the application.
    """

    servers: dict[str, Server]
    children: dict[str, Child]
    environment: dict[str, str]

    def stop(self, name: str) -> None:
        """Stop one server, in order."""
        self.children[name].stop()

    def kill(self, name: str) -> None:
        """Kill one server, as a crash would."""
        self.children[name].kill()

    def start(self, name: str) -> None:
        """Start one server again and wait until it answers."""
        child = self.servers[name].start()
        self.children[name] = child
        self.servers[name].wait(child)


def servers(directory: Path, ports: ServerPorts, secrets: Credentials) -> dict[str, Server]:
    """Return the servers by name, with their data under `directory`."""
    runs_as, logs = account(directory), directory / "logs"
    keys = (secrets.objects_access_key, secrets.objects_secret_key)
    return {
        "database": postgres.server(
            runs_as, ports.database, secrets.database_password, logs / "postgres.log"
        ),
        "cache": valkey.server(runs_as, ports.cache, secrets.cache_password, logs / "valkey.log"),
        "objects": seaweedfs.server(runs_as, ports.objects, keys, logs / "seaweedfs.log"),
    }


def environment(ports: ServerPorts, secrets: Credentials) -> dict[str, str]:
    """Return what the application must know to reach the servers."""
    return {
        "DATABASE_URL": postgres.url(ports.database, secrets.database_password),
        "CACHE_URL": valkey.url(ports.cache, secrets.cache_password),
        "OBJECTS_ENDPOINT": seaweedfs.endpoint(ports.objects),
        "OBJECTS_BUCKET": seaweedfs.BUCKET,
        "OBJECTS_REGION": "us-east-1",
        "OBJECTS_ACCESS_KEY": secrets.objects_access_key,
        "OBJECTS_SECRET_KEY": secrets.objects_secret_key,
    }


@contextmanager
def running_servers(directory: Path) -> Iterator[RunningServers]:
    """Run the servers on free ports, with their data under `directory`, until the block ends."""
    ports = ServerPorts(*free_ports(3))
    secrets = credentials(directory / "credentials.json")
    known = servers(directory, ports, secrets)
    running = RunningServers(known, {}, environment(ports, secrets))
    try:
        for name, server in known.items():
            running.children[name] = server.start()
        for name, server in known.items():
            server.wait(running.children[name])
        yield running
    finally:
        for child in running.children.values():
            child.stop()
