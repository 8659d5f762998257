"""Time and identity, handed in: nothing else in the project asks the machine for either."""

from __future__ import annotations

import os
import time
from typing import Protocol


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
    """Identifiers from the operating system's random source; safe after a fork."""

    def trace_id(self) -> int:
        return int.from_bytes(os.urandom(16), "big") or 1

    def span_id(self) -> int:
        return int.from_bytes(os.urandom(8), "big") or 1
