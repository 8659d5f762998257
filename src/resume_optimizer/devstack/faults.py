"""Faults that are put in on purpose, and taken out again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx2

from resume_optimizer.devstack.options import Options
from resume_optimizer.devstack.supervisor import Supervisor

SLOW_ANSWER_SECONDS = 15.0


class Fault(Protocol):
    """Something that goes wrong."""

    def put_in(self) -> None:
        """Make it go wrong."""
        ...

    def take_out(self) -> None:
        """Make it right again."""
        ...


@dataclass(frozen=True, slots=True)
class PartDown:
    """A part of the stack is stopped."""

    supervisor: Supervisor
    part: str

    def put_in(self) -> None:
        self.supervisor.hold(self.part)

    def take_out(self) -> None:
        self.supervisor.release(self.part)


@dataclass(frozen=True, slots=True)
class VendorFault:
    """The language model's vendor misbehaves in one of the ways that vendor.py knows."""

    vendor_url: str
    mode: str
    delay_seconds: float = 0.0

    def put_in(self) -> None:
        self._set(self.mode)

    def take_out(self) -> None:
        self._set("none")

    def _set(self, mode: str) -> None:
        order = {"mode": mode, "delay_seconds": self.delay_seconds}
        httpx2.post(f"{self.vendor_url}/faults", json=order, timeout=5.0).raise_for_status()


def faults(supervisor: Supervisor, vendor_url: str) -> dict[str, Fault]:
    """Return every fault by the name that FAULT takes."""
    return {
        "database-down": PartDown(supervisor, "database"),
        "cache-down": PartDown(supervisor, "cache"),
        "objects-down": PartDown(supervisor, "objects"),
        "llm-errors": VendorFault(vendor_url, "errors"),
        "llm-slow": VendorFault(vendor_url, "slow", SLOW_ANSWER_SECONDS),
    }


@dataclass(slots=True)
class FaultPlan:
    """When the fault goes in and when it comes out."""

    options: Options
    fault: Fault | None
    say: Callable[[str], None]
    started_at: float
    in_place: bool = False

    def advance(self, now: float) -> None:
        """Do what is due at `now`, seconds of the clock of `started_at`."""
        if self.fault is None:
            return
        elapsed = now - self.started_at
        if not self.in_place and elapsed >= self.options.fault_after_seconds:
            self.say(f"fault  {self.options.fault} is put in")
            self.fault.put_in()
            self.in_place = True
        elif elapsed >= self.options.fault_after_seconds + self.options.fault_for_seconds:
            self.say(f"fault  {self.options.fault} is taken out")
            self.fault.take_out()
            self.fault = None
