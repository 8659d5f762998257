"""redis and valkey, watched: a duration a command, errors by type, spans inside of a trace.

A command's span is named by its verb; keys and values are in none. Outside of a trace there is
no span: what polls a queue would be nothing but noise. Commands that wait for data are left out.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from watchkeeper.conventions import cache
from watchkeeper.instrument.calls import client_span
from watchkeeper.instrument.telemetry import Telemetry

Client = TypeVar("Client")

BLOCKING = frozenset(
    (
        "BLMOVE",
        "BLMPOP",
        "BLPOP",
        "BRPOP",
        "BRPOPLPUSH",
        "BZMPOP",
        "BZPOPMAX",
        "BZPOPMIN",
        "WAIT",
        "WAITAOF",
        "XREAD",
        "XREADGROUP",
    )
)


def watch_cache(telemetry: Telemetry, client: Client) -> Client:
    """Return the same client of redis or valkey, its commands and pipelines watched; one of
    their `asyncio` as well as one that blocks."""
    watched: Any = client
    execute_command = watched.execute_command
    make_pipeline = watched.pipeline
    commands = Commands(telemetry)
    if inspect.iscoroutinefunction(execute_command):
        watched.execute_command = commands.watched_async(execute_command)
        watch = commands.watched_async
    else:
        watched.execute_command = commands.watched(execute_command)
        watch = commands.watched

    def watched_pipeline(*args: Any, **options: Any) -> Any:
        pipeline = make_pipeline(*args, **options)
        pipeline.execute = watch(pipeline.execute, "PIPELINE")
        return pipeline

    watched.pipeline = watched_pipeline
    return client


class Commands:
    """Times commands and classes their errors."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._durations = telemetry.declares(cache.COMMAND_DURATION)
        self._errors = telemetry.declares(cache.ERRORS)
        # A script that is not loaded yet is what every first EVALSHA hears.
        self._expected = tuple(
            [
                sys.modules[library].NoScriptError
                for library in ("redis.exceptions", "valkey.exceptions")
                if library in sys.modules
            ]
        )

    def watched(self, run: Callable[..., Any], verb: str = "") -> Callable[..., Any]:
        """Return `run`, which sends a command (or `verb`) and waits for the answer, watched."""

        def watched_command(*args: Any, **options: Any) -> Any:
            with self._watch(verb or verb_of(args)):
                return run(*args, **options)

        return watched_command

    def watched_async(
        self, run: Callable[..., Awaitable[Any]], verb: str = ""
    ) -> Callable[..., Awaitable[Any]]:
        """Return `run`, which sends a command (or `verb`) and is awaited, watched."""

        async def watched_command(*args: Any, **options: Any) -> Any:
            with self._watch(verb or verb_of(args)):
                return await run(*args, **options)

        return watched_command

    @contextmanager
    def _watch(self, verb: str) -> Iterator[None]:
        if verb in BLOCKING:
            yield
            return
        telemetry = self._telemetry
        started_ns = telemetry.clock.monotonic_ns()
        try:
            with client_span(
                telemetry,
                cache.COMMAND_SPAN,
                name=verb,
                expected=self._expected,
                **{"db.system.name": "redis", "db.operation.name": verb},
            ):
                yield
        except Exception as error:
            if self._errors and not isinstance(error, self._expected):
                telemetry.counter(cache.ERRORS).inc(error_type=error_type(error))
            raise
        finally:
            if self._durations:
                seconds = (telemetry.clock.monotonic_ns() - started_ns) / 1e9
                telemetry.histogram(cache.COMMAND_DURATION).observe(seconds, command=verb)


def verb_of(args: tuple[Any, ...]) -> str:
    """Return a command's verb, its first word in capitals."""
    first = args[0] if args else ""
    text = first.decode("ascii", "replace") if isinstance(first, bytes) else str(first)
    return text.partition(" ")[0].upper()


def error_type(error: Exception) -> str:
    """Return the class of an error as conventions.cache lists them."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "TimeoutError" in kinds:
        return "timeout"
    # redis and valkey have a ConnectionError each, which is no OSError.
    return "connection" if kinds & {"ConnectionError", "OSError"} else "response"
