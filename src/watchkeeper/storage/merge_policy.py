"""Which small parts to make one: a few large ones are smaller on disk and quicker to ask.

As in log-structured merge trees with size tiers (Cassandra's SizeTieredCompactionStrategy):
neighbours of about one size are merged, so that a row is rewritten once a tier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol, TypeVar

from watchkeeper.storage.part import PartName

NEIGHBOURS = 8
"""How many parts of one size are merged at a time."""

LARGEST_BYTES = 256 << 20
"""Larger parts are not made: a merge has to end, and retention to free something."""


class Mergeable(Protocol):
    """A part of rows, or a file of samples."""

    @property
    def name(self) -> PartName: ...

    @property
    def size_bytes(self) -> int: ...


P = TypeVar("P", bound=Mergeable)


def choose(parts: Sequence[P], *, closed_before_ns: int) -> tuple[P, ...]:
    """Return parts of one period to merge now, neighbours in the log's order; () for none.

    Of periods that began before `closed_before_ns`, which get no more rows, two will do.
    """
    ordered = sorted(parts, key=lambda part: (part.name.start_ns, part.name.first_sequence))
    best: tuple[P, ...] = ()
    for start_ns, period in groupby(ordered, key=lambda part: part.name.start_ns):
        closed = start_ns < closed_before_ns
        for some in _runs(list(period), *((2, 1.25) if closed else (NEIGHBOURS, 2.0))):
            if not best or (-len(some), _bytes(some)) < (-len(best), _bytes(best)):
                best = some
    return best


def _runs(period: list[P], fewest: int, growth: float) -> Iterator[tuple[P, ...]]:
    """Yield runs that are worth merging: each part becomes one that many times as large."""
    for begin in range(len(period) - fewest + 1):
        some = tuple(period[begin : begin + NEIGHBOURS])
        while len(some) >= fewest and _bytes(some) > LARGEST_BYTES:
            some = some[:-1]
        if len(some) >= fewest and _bytes(some) >= growth * max(one.size_bytes for one in some):
            yield some


def _bytes(parts: Sequence[Mergeable]) -> int:
    return sum(part.size_bytes for part in parts)
