"""What can be turned to make a condition hold or not: one number that moves a few streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from watchkeeper.prove.motion import Motion, State, Stream

TOTAL = 1000.0
"""Events a sample that two flows share, so that a share reads as a per mille."""
FIRST_SHARE = 0.6
"""Of a sum the first stream carries most: its maximum and its mean must not pass for it."""


class Knob(Protocol):
    """One number, and what every stream does when it is turned there."""

    @property
    def what(self) -> str:
        """What is turned, in words: `events of http_requests_total`."""
        ...

    def says(self, position: float) -> str:
        """Return a position in words: `51 of 1000 http_requests_total`."""
        ...

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest position."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether positions are counts, so that whole numbers are natural."""
        ...

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams that it moves, those that it is about first."""
        ...

    def turned(self, base: State, position: float) -> State:
        """Return the state with the knob at a position."""
        ...

    def finer(self, factor: int) -> Knob | None:
        """Return the same knob over `factor` times as many events; None if it has no total."""
        ...


def divided(total: float, parts: int) -> list[float]:
    """Return a total in unequal parts, whole ones if the total is whole."""
    if parts == 1:
        return [total]
    each = total * (1 - FIRST_SHARE) / (parts - 1)
    if float(total).is_integer():
        each = float(int(each))
    return [total - each * (parts - 1), *[each] * (parts - 1)]


@dataclass(frozen=True, slots=True)
class Flow:
    """Counters that grow by `position` a sample, in sum or each.

    With `companions` the sum over both stays at `total`: what the one gains the others lose.
    """

    streams: tuple[Stream, ...]
    companions: tuple[Stream, ...] = ()
    total: float = TOTAL
    each: bool = False
    is_whole: bool = True

    @property
    def what(self) -> str:
        return f"events of {_names(self.streams)}"

    def says(self, position: float) -> str:
        whole = f" of {self.total:g}" if self.companions else " a sample"
        return f"{position:.6g}{whole} {_names(self.streams)}"

    @property
    def limits(self) -> tuple[float, float]:
        return (0.0, self.total if self.companions else float("inf"))

    def turned(self, base: State, position: float) -> State:
        moved = dict(base)
        count = len(self.streams)
        parts = [position] * count if self.each else divided(position, count)
        for stream, part in zip(self.streams, parts, strict=True):
            moved[stream] = Motion(increments=(part,))
        if self.companions:
            rest = self.total - (position * count if self.each else position)
            for stream, part in zip(
                self.companions, divided(rest, len(self.companions)), strict=True
            ):
                moved[stream] = Motion(increments=(max(0.0, part),))
        return moved

    def finer(self, factor: int) -> Flow | None:
        return replace(self, total=TOTAL * factor) if self.companions else None


@dataclass(frozen=True, slots=True)
class Observations:
    """Histograms of which `position` of `total` observations a sample fall into bucket `slow`,
    the others into bucket `fast`. `apart` puts the two into different label sets."""

    streams: tuple[Stream, ...]
    slow: int
    fast: int = 0
    apart: bool = False
    total: float = TOTAL
    is_whole: bool = True

    @property
    def what(self) -> str:
        stream = self.streams[0]
        bounds = [*(f"{bound:g}" for bound in stream.buckets), "+Inf"]
        return f"observations of {stream.name} up to {bounds[self.slow]}"

    def says(self, position: float) -> str:
        return f"{position:.6g} of {self.total:g} {self.what}"

    @property
    def limits(self) -> tuple[float, float]:
        return (0.0, self.total)

    def turned(self, base: State, position: float) -> State:
        moved = dict(base)
        first, *others = self.streams
        fast = [0.0] * len(others)
        own = self.total - position
        if self.apart and others:
            fast, own = divided(self.total - position, len(others)), 0.0
        moved[first] = self._filled(first, position, own)
        for stream, part in zip(others, fast, strict=True):
            moved[stream] = self._filled(stream, 0.0, part)
        return moved

    def finer(self, factor: int) -> Observations:
        return replace(self, total=TOTAL * factor)

    def _filled(self, stream: Stream, slow: float, fast: float) -> Motion:
        counts = [0.0] * (len(stream.buckets) + 1)
        counts[self.fast] += fast
        counts[self.slow] += slow
        return Motion(increments=tuple(counts))


@dataclass(frozen=True, slots=True)
class Traffic:
    """Histograms that take `position` observations a sample, all in the first bucket."""

    streams: tuple[Stream, ...]
    is_whole: bool = True

    @property
    def what(self) -> str:
        return f"observations of {self.streams[0].name}"

    def says(self, position: float) -> str:
        return f"{position:.6g} a sample {self.streams[0].name}"

    @property
    def limits(self) -> tuple[float, float]:
        return (0.0, float("inf"))

    def turned(self, base: State, position: float) -> State:
        moved = dict(base)
        for stream in self.streams:
            motion = moved.get(stream)
            before = motion.increments if motion else (1.0, *[0.0] * len(stream.buckets))
            whole = sum(before) or 1.0
            moved[stream] = Motion(increments=tuple(one / whole * position for one in before))
        return moved

    def finer(self, factor: int) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Level:
    """Gauges that stand at `position`, in sum or each; with `drifting` they move by it a sample,
    with `lagging` they show a moment that lies so many seconds back."""

    streams: tuple[Stream, ...]
    each: bool = False
    drifting: bool = False
    lagging: bool = False
    domain: tuple[float, ...] = ()
    is_whole: bool = True

    @property
    def what(self) -> str:
        kind = "drift" if self.drifting else "age" if self.lagging else "level"
        return f"{kind} of {_names(self.streams)}"

    def says(self, position: float) -> str:
        return f"{self.what} {position:.10g}"

    @property
    def limits(self) -> tuple[float, float]:
        if self.domain:
            return (min(self.domain), max(self.domain))
        return (float("-inf"), float("inf"))

    def turned(self, base: State, position: float) -> State:
        moved = dict(base)
        count = len(self.streams)
        parts = [position] * count if self.each else divided(position, count)
        for stream, part in zip(self.streams, parts, strict=True):
            if self.drifting:
                moved[stream] = replace(moved.get(stream, Motion()), drift=part)
            else:
                moved[stream] = Motion(value=part, follows_clock=self.lagging)
        return moved

    def finer(self, factor: int) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Presence:
    """Streams that are there (1) or not (0)."""

    streams: tuple[Stream, ...]
    is_whole: bool = True

    @property
    def what(self) -> str:
        return f"presence of {_names(self.streams)}"

    def says(self, position: float) -> str:
        return f"{_names(self.streams)} {'there' if position else 'gone'}"

    @property
    def limits(self) -> tuple[float, float]:
        return (0.0, 1.0)

    def turned(self, base: State, position: float) -> State:
        if position >= 1:
            return base
        return {stream: motion for stream, motion in base.items() if stream not in self.streams}

    def finer(self, factor: int) -> None:
        return None


def _names(streams: Sequence[Stream]) -> str:
    return ", ".join(dict.fromkeys(stream.name for stream in streams))
