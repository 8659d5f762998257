"""What a run claims for itself before anything starts: its data directory and its ports."""

from __future__ import annotations

import fcntl
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from resume_optimizer.devstack.options import Ports
from resume_optimizer.devstack.ports import PortTakenError, listen, require_free

POLL_SECONDS = 0.25
PATIENCE_AFTER_CRASH_SECONDS = 15.0
"""How long the processes of a launcher that was cut off may take to end."""


class AlreadyRunningError(Exception):
    """Another launcher uses the same data."""


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


def claim_ports(ports: Ports, *, cut_off: bool) -> socket.socket:
    """Check every port and return the API's listening socket. Raises PortTakenError."""
    deadline = time.monotonic() + (PATIENCE_AFTER_CRASH_SECONDS if cut_off else 0.0)
    while True:
        try:
            return _claim(ports)
        except PortTakenError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def _claim(ports: Ports) -> socket.socket:
    for known in fields(ports):
        purpose = known.name.removesuffix("_port").replace("_", " ")
        require_free(getattr(ports, known.name), f"the {purpose}", known.name.upper())
    return listen(ports.api_port, "the API", "API_PORT")
