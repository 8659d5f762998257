"""Listening sockets, opened before anything else starts, so that a taken port is said plainly."""

from __future__ import annotations

import socket

from resume_optimizer.settings import SettingsError

BACKLOG = 1024


def listen(address: str, variable: str) -> socket.socket:
    """Return a socket that listens on `host:port`.

    Raises SettingsError that names `variable`, by which the address is chosen.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise SettingsError(f"{variable}: {address!r} is not host:port")
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"{variable}: cannot listen on {address}: {reason}; choose another address"
        ) from error
