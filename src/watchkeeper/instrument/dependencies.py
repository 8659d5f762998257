"""Checks of the systems that a service cannot work without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from watchkeeper.conventions import dependencies
from watchkeeper.instrument.span import type_name
from watchkeeper.instrument.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class DependencyCheck:
    """A question to a dependency: `ask` raises, or takes too long, if it does not work."""

    name: str
    ask: Callable[[], Awaitable[Any]]
    timeout_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class DependencyState:
    """The answer. `detail` says what is wrong, without secrets; '' if nothing is."""

    name: str
    up: bool
    latency_seconds: float
    detail: str = ""


async def check_all(
    telemetry: Telemetry, checks: Iterable[DependencyCheck]
) -> tuple[DependencyState, ...]:
    """Ask all at once, and return every answer in the order given, down or not."""
    return tuple(await asyncio.gather(*[_check(telemetry, check) for check in checks]))


async def _check(telemetry: Telemetry, check: DependencyCheck) -> DependencyState:
    started_ns = telemetry.clock.monotonic_ns()
    detail = ""
    up = False
    try:
        async with asyncio.timeout(check.timeout_seconds):
            await check.ask()
        up = True
    except TimeoutError:
        detail = f"no answer within {check.timeout_seconds:g} s"
    except Exception as error:  # noqa: BLE001 - whatever it raises says that it is down
        detail = telemetry.redact(f"{type_name(error)}: {error}".rstrip(": "))[:200]
    latency = (telemetry.clock.monotonic_ns() - started_ns) / 1e9
    if telemetry.declares(dependencies.UP):
        telemetry.gauge(dependencies.UP).set(float(up), dependency=check.name)
    if telemetry.declares(dependencies.CHECK_DURATION):
        telemetry.gauge(dependencies.CHECK_DURATION).set(latency, dependency=check.name)
    return DependencyState(check.name, up, latency, detail)
