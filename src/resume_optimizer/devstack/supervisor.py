"""Keeps the parts of the stack running: starts, restarts what dies, stops in reverse order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from resume_optimizer.devstack.child import Child
from resume_optimizer.devstack.server import Server

RESTART_PAUSE_SECONDS = 1.0


@dataclass(slots=True)
class _Part:
    server: Server
    child: Child | None = None
    held: bool = False
    restart_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """The parts by name, in the order of their start. `say` takes lines for people."""

    say: Callable[[str], None]
    _parts: dict[str, _Part] = field(default_factory=dict)

    def start(self, servers: dict[str, Server]) -> None:
        """Start several parts at once and wait until all answer. Raises ServerFailedError."""
        for name, server in servers.items():
            self._parts[name] = _Part(server, server.start())
        for name, server in servers.items():
            child = self._parts[name].child
            if child is not None:
                server.wait(child)

    def child(self, name: str) -> Child | None:
        """Return the running process of a part, or None while it is held down."""
        return self._parts[name].child

    def hold(self, name: str) -> None:
        """Stop a part and leave it stopped: a fault put in on purpose."""
        part = self._parts[name]
        part.held = True
        if part.child is not None:
            part.child.stop()
            part.child = None

    def release(self, name: str) -> None:
        """Start a part that was held and wait until it answers."""
        part = self._parts[name]
        part.held = False
        part.child = part.server.start()
        part.server.wait(part.child)

    def watch(self) -> None:
        """Look once after every part and start again what has died."""
        now = time.monotonic()
        for name, part in self._parts.items():
            if part.held or (part.child is not None and part.child.alive):
                continue
            if part.child is not None:
                self.say(
                    f"{name} ended with status {part.child.process.returncode}; starting it again"
                )
                part.child, part.restart_at = None, now + RESTART_PAUSE_SECONDS
            elif now >= part.restart_at:
                part.child = part.server.start()

    def stop(self) -> None:
        """Stop everything, the last started first."""
        for part in reversed(self._parts.values()):
            part.held = True
            if part.child is not None:
                part.child.stop()
                part.child = None
