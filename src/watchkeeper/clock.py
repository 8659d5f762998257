"""Time and identity, handed in: nothing else in the project asks the machine for either."""

from __future__ import annotations

import os
import time
from random import Random
from typing import Protocol
from weakref import WeakSet


class Clock(Protocol):
    """Where the time comes from."""

    def time_ns(self) -> int:
        """Return nanoseconds since the Unix epoch, UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds from an arbitrary point, never going back; for durations."""
        ...


class SystemClock:
    """The machine's own clocks."""

    time_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)


class IdSource(Protocol):
    """Where trace and span identifiers come from. Never returns zero, which W3C reserves."""

    def trace_id(self) -> int:
        """Return 128 random bits."""
        ...

    def span_id(self) -> int:
        """Return 64 random bits."""
        ...


class RandomIds:
    """Identifiers from a generator of its own, seeded by the operating system, anew after a fork.

    Asking the system for each id would cost every span two calls to the kernel.
    """

    def __init__(self) -> None:
        self.seed()
        _forking.add(self)

    def trace_id(self) -> int:
        bits = self._bits
        return bits(128) or 1

    def span_id(self) -> int:
        bits = self._bits
        return bits(64) or 1

    def seed(self) -> None:
        """Begin a new sequence."""
        self._bits = Random(os.urandom(32)).getrandbits


_forking: WeakSet[RandomIds] = WeakSet()


def _seed_all() -> None:
    for ids in tuple(_forking):
        ids.seed()


os.register_at_fork(after_in_child=_seed_all)
