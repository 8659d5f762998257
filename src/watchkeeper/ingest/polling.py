"""Discovery that asks somebody again and again: its groups, and what was wrong the last time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Protocol

from watchkeeper.ingest.config import StaticConfig

LOGGER = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class Asked(Protocol):
    """Somebody who knows targets."""

    refresh_seconds: float

    async def open(self, stack: AsyncExitStack) -> None:
        """Make ready to ask. Raises ConfigError."""
        ...

    async def groups(self) -> tuple[list[StaticConfig], list[str]]:
        """Return the groups as they are now, those of whoever does not answer as they last
        were, and what was wrong. Raises whatever happens: the groups stay then."""
        ...


class Polled:
    """Asks, and remembers the answer. `generation` counts the first, and those that differed."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.groups: list[StaticConfig] = []
        self.problems: list[str] = []
        self.generation = 0

    async def run(self, sleep: Sleep, changed: asyncio.Event) -> None:
        """Ask until cancelled; set `changed` when the answer is another one."""
        while True:
            await self.ask(changed)
            await sleep(self.asked.refresh_seconds)

    async def ask(self, changed: asyncio.Event) -> None:
        """Ask once."""
        try:
            groups, problems = await self.asked.groups()
        except Exception as error:
            LOGGER.exception("discovery failed unexpectedly")
            groups, problems = self.groups, [f"unexpected {type(error).__name__}"]
        if not self.generation or (groups, problems) != (self.groups, self.problems):
            self.groups, self.problems = groups, problems
            self.generation += 1
            changed.set()
