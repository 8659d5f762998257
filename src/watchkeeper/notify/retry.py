"""Trying again: later and later, for as long as the group's next look leaves room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from watchkeeper.clock import Clock
from watchkeeper.errors import DeliveryError

FIRST_PAUSE_SECONDS = 0.5
PAUSE_FACTOR = 1.5
LONGEST_PAUSE_SECONDS = 60.0
"""The pauses of Alertmanager (cenkalti/backoff), without its randomness."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery went: what the other side said, or why there was no success."""

    delivered: bool
    detail: str
    attempts: int


async def deliver(
    attempt: Callable[[], Awaitable[str]], *, budget_seconds: float, clock: Clock, sleep: Sleep
) -> Outcome:
    """Try until it succeeds, fails for good, or the budget is spent. Never raises an Exception."""
    started_ns = clock.monotonic_ns()
    pause_seconds = FIRST_PAUSE_SECONDS
    attempts = 0
    while True:
        attempts += 1
        try:
            return Outcome(True, await attempt(), attempts)
        except DeliveryError as error:
            reason, retryable = str(error), error.retryable
        except Exception as error:  # noqa: BLE001 - one broken receiver must not stop the others
            return Outcome(False, f"unexpected {type(error).__name__}", attempts)
        spent_seconds = (clock.monotonic_ns() - started_ns) / 1e9
        if not retryable:
            return Outcome(False, reason, attempts)
        if spent_seconds + pause_seconds > budget_seconds:
            return Outcome(False, f"{reason} (gave up after {attempts} attempts)", attempts)
        await sleep(pause_seconds)
        pause_seconds = min(pause_seconds * PAUSE_FACTOR, LONGEST_PAUSE_SECONDS)
