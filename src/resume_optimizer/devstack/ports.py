"""Ports: whether one is free, and which are."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

LOOPBACK = "127.0.0.1"
OWN_PORTS = range(10_000, 32_000)
"""Below Linux' default ip_local_port_range, which begins at 32768."""


class PortTakenError(Exception):
    """A port is in use; the message says for what it is needed and how to choose another."""


def require_free(port: int, purpose: str, variable: str) -> None:
    """Raise PortTakenError if `port` cannot be bound on loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise PortTakenError(
                f"port {port} for {purpose} is taken: stop what uses it, or choose another"
                f" with {variable}=PORT"
            ) from None


def listen(port: int, purpose: str, variable: str) -> socket.socket:
    """Return a listening socket on `port`, for children to share. Raises PortTakenError."""
    require_free(port, purpose, variable)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    listener.listen(1024)
    return listener


def free_ports(count: int) -> list[int]:
    """Return `count` ports that were free a moment ago.

    They lie below those that the kernel gives to outgoing connections, so that none of these
    takes one before its server does.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(OWN_PORTS, len(OWN_PORTS)):
        if len(found) == count:
            break
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            found.append(port)
    return found


def is_open(port: int) -> bool:
    """Whether something listens on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
