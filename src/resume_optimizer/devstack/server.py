"""A server of the development stack: how to start it and how to tell that it answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resume_optimizer.devstack.child import Child, Command, start

POLL_SECONDS = 0.02


class ServerFailedError(Exception):
    """A server did not start; the message holds its last words and where the rest is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A command, a question whether it answers, and how long that may take."""

    command: Command
    answers: Callable[[], bool]
    patience_seconds: float = 90.0

    def start(self) -> Child:
        """Start it without waiting."""
        return start(self.command)

    def wait(self, child: Child) -> None:
        """Return once it answers. Raises ServerFailedError when it ends or takes too long."""
        deadline = time.monotonic() + self.patience_seconds
        while not self.answers():
            if not child.alive:
                raise ServerFailedError(_failure(child, "ended while starting"))
            if time.monotonic() > deadline:
                child.kill()
                raise ServerFailedError(
                    _failure(child, f"did not answer within {self.patience_seconds:g} s")
                )
            time.sleep(POLL_SECONDS)


def _failure(child: Child, what: str) -> str:
    log: Path = child.command.output
    return f"{child.command.name} {what}; its last words (all in {log}):\n{child.last_words()}"
