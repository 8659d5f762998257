"""`watchkeeper run`: the backend, a server in front of it, and an orderly end of both."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watchkeeper.backend import Backend, Places
from watchkeeper.clock import SystemClock
from watchkeeper.errors import ConfigError, WatchkeeperError
from watchkeeper.promql import FEATURE
from watchkeeper.server.access import decide_access, read_tokens
from watchkeeper.server.application import Application
from watchkeeper.server.log import write_json_lines
from watchkeeper.server.retention import limits_of
from watchkeeper.server.serve import Encryption, listen, serve, url_of

if TYPE_CHECKING:
    from watchkeeper.server.otlp_grpc import OtlpGrpcServer

LOGGER = logging.getLogger(__name__)
_OBJECTS_UNTIL_COLLECTED = 20_000
_TURN_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `watchkeeper run`, as the command line gives them."""

    config: Path
    alertmanager: Path
    dashboards: Path
    data: Path
    host: str
    port: int
    otlp_grpc_port: int | None = None
    tokens: Path | None = None
    limits: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    accept_plain_http: bool = False
    external_url: str = ""
    tail: tuple[str, ...] = ()
    enable_feature: tuple[str, ...] = ()
    retention: tuple[str, ...] = ()


def launch(options: Options) -> None:
    """Run until a signal ends it. Raises WatchkeeperError where it cannot start."""
    write_json_lines()
    take_short_turns()
    encryption = _encryption(options)
    access = decide_access(
        options.host,
        tokens=read_tokens(options.tokens) if options.tokens else {},
        encrypted=encryption is not None,
        plain_http_accepted=options.accept_plain_http,
    )
    clock = SystemClock()
    listener = listen(options.host, options.port)
    try:
        backend = Backend.open(
            Places(
                prometheus=options.config,
                alertmanager=options.alertmanager,
                dashboards=options.dashboards,
                data=options.data,
                external_url=options.external_url or url_of(listener, encryption),
                log_files=options.tail,
                limits=options.limits,
                experimental_functions=FEATURE in options.enable_feature,
            ),
            clock=clock,
            store_limits=limits_of(options.retention),
        )
    except BaseException:
        listener.close()
        raise
    application = Application(backend, access=access, clock=clock)

    async def reload() -> None:
        try:
            await backend.reload()
        except WatchkeeperError as error:
            LOGGER.error("the configuration was not reloaded", extra={"why": str(error)})

    async def main() -> None:
        grpc_server = None
        try:
            lines = [f"Watchkeeper listens on {url_of(listener, encryption)}"]
            if options.otlp_grpc_port is not None:
                grpc_server, address = await _listen_for_grpc(options, application, encryption)
                lines.append(f"OTLP/gRPC on {address}")
            await backend.start()
            with collecting_little():
                await serve(
                    application,
                    listener,
                    encryption=encryption,
                    on_start=lambda: _say(lines),
                    on_stop=application.end_streams,
                    on_reload=reload,
                )
        finally:
            if grpc_server is not None:
                await grpc_server.stop()
            await backend.stop()
            application.close()

    asyncio.run(main())


def _say(lines: list[str]) -> None:
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def take_short_turns() -> None:
    """Let a thread run on for a millisecond while another wants to, a fifth of Python's own time:
    each of the many short steps in which a request arrives waits while another is decoded."""
    sys.setswitchinterval(_TURN_SECONDS)


@contextmanager
def collecting_little() -> Iterator[None]:
    """Spare the garbage collector what the start has made, and requests of thousands of objects,
    which go without it: looking through everything stops all threads for 50 ms."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTED, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


async def _listen_for_grpc(
    options: Options, application: Application, encryption: Encryption | None
) -> tuple[OtlpGrpcServer, str]:
    """Load gRPC, which takes memory and time, and listen for it."""
    from watchkeeper.server.otlp_grpc import OtlpGrpcServer

    server = OtlpGrpcServer(application)
    port = await server.start(options.host, options.otlp_grpc_port or 0, encryption)
    return server, f"{options.host}:{port}"


def _encryption(options: Options) -> Encryption | None:
    if options.tls_certificate is None and options.tls_key is None:
        return None
    if options.tls_certificate is None or options.tls_key is None:
        raise ConfigError("--tls-certificate and --tls-key go together")
    encryption = Encryption(options.tls_certificate, options.tls_key)
    encryption.require_usable()
    return encryption
