"""Listening: a socket, uvicorn on it, and the signals that end it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from watchkeeper.errors import ConfigError

GRACE_SECONDS = 5
BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Encryption:
    """The files of a TLS certificate and its key."""

    certificate: Path
    key: Path

    def require_usable(self) -> None:
        """Raise ConfigError where the files are missing or do not belong together."""
        source = f"{self.certificate} and {self.key}"
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except ssl.SSLError:
            reason = "are not a PEM certificate and the key that belongs to it"
            raise ConfigError(reason, source=source) from None
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}", source=source) from None


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens already: who connects now waits until the server is up.

    Raises ConfigError if the port is taken or the address is not this machine's.
    """
    place = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError, UnicodeError) as error:
        raise ConfigError(f"cannot listen on {place}: {error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"{place} is taken; stop what listens there or choose another --port"
            ) from None
        raise ConfigError(f"cannot listen on {place}: {error.strerror}") from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket, encryption: Encryption | None = None) -> str:
    """Return the address that a listening socket is reached at."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if encryption else 'http'}://{shown}:{port}"


async def serve(
    application: ASGIApp,
    listener: socket.socket,
    *,
    encryption: Encryption | None = None,
    on_start: Callable[[], None],
    on_stop: Callable[[], None],
    on_reload: Callable[[], Coroutine[None, None, None]],
) -> None:
    """Answer requests until SIGINT or SIGTERM; SIGHUP calls `on_reload`.

    `on_start` is called once signals are taken; `on_stop` before open connections are waited for,
    so that endless answers end.
    """
    server = _Server(
        uvicorn.Config(
            application,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_certfile=encryption.certificate if encryption else None,
            ssl_keyfile=encryption.key if encryption else None,
        )
    )

    def stop() -> None:
        on_stop()
        server.should_exit = True

    def reload() -> None:
        task = loop.create_task(on_reload())
        reloading.add(task)
        task.add_done_callback(reloading.discard)

    loop = asyncio.get_running_loop()
    reloading: set[asyncio.Task[None]] = set()
    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: reload}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        on_start()
        await server.serve(sockets=[listener])
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    """Leaves signals alone: what comes after the server's end, the store's, must still run."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
