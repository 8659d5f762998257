"""redis.asyncio, watched: a duration a command, errors by type, spans inside of a trace.

A command's span is named by its verb; keys and values are in none. Outside of a trace there is
no span: what polls a queue would be nothing but noise. Commands that wait for data are left out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
    """Return the same redis.asyncio client, its commands and pipelines watched."""
    watched: Any = client
    execute_command = watched.execute_command
    make_pipeline = watched.pipeline
    commands = Commands(telemetry)

    async def watched_command(*args: Any, **options: Any) -> Any:
        return await commands.watch(verb_of(args), lambda: execute_command(*args, **options))

    def watched_pipeline(*args: Any, **options: Any) -> Any:
        pipeline = make_pipeline(*args, **options)
        execute = pipeline.execute

        async def watched_execute(*args: Any, **options: Any) -> Any:
            return await commands.watch("PIPELINE", lambda: execute(*args, **options))

        pipeline.execute = watched_execute
        return pipeline

    watched.execute_command = watched_command
    watched.pipeline = watched_pipeline
    return client


class Commands:
    """Times commands and classes their errors."""

    def __init__(self, telemetry: Telemetry) -> None:
        import redis.exceptions

        self._telemetry = telemetry
        self._durations = telemetry.declares(cache.COMMAND_DURATION)
        self._errors = telemetry.declares(cache.ERRORS)
        # A script that is not loaded yet is what every first EVALSHA hears.
        self._expected = redis.exceptions.NoScriptError

    async def watch(self, verb: str, run: Callable[[], Awaitable[Any]]) -> Any:
        """Await `run()`, which sends the command."""
        if verb in BLOCKING:
            return await run()
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
                return await run()
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
    import redis.exceptions

    if isinstance(error, redis.exceptions.TimeoutError | TimeoutError):
        return "timeout"
    if isinstance(error, redis.exceptions.ConnectionError | OSError):
        return "connection"
    return "response"
