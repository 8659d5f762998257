"""What matchers chose, remembered: dashboards and rules ask the same again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model import Labels, Matcher
from watchkeeper.storage.sample_columns import Ids

_MOST_SERIES = 100_000
_MOST_SELECTORS = 512
_MOST_UNIONS = 64
_MOST_UNITED = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The series that matchers chose, by label set: their numbers and, beside them, labels."""

    ids: Ids
    labels: list[Labels]

    def __len__(self) -> int:
        return len(self.labels)


class ChosenCache:
    """The last used answers of one index, at most so many series in all. Safe from several
    threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Matcher, ...], tuple[Chosen, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._series = 0

    def last(self, key: tuple[Matcher, ...]) -> tuple[Chosen, int] | None:
        """Return what was chosen, and how many series the index had then."""
        with self._lock:
            return self._known.get(key)

    def put(self, key: tuple[Matcher, ...], chosen: Chosen, size: int) -> None:
        """Remember what was chosen of an index of that size."""
        with self._lock:
            before = self._known.pop(key, None)
            self._series += len(chosen) - (0 if before is None else len(before[0]))
            self._known[key] = chosen, size
            while len(self._known) > 1 and (
                self._series > _MOST_SERIES or len(self._known) > _MOST_SELECTORS
            ):
                _, (oldest, _) = self._known.popitem(last=False)
                self._series -= len(oldest)


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """What several sources chose, as one: label sets in order, and each source's rows in it."""

    labels: list[Labels]
    rows: list[NDArray[np.int64]]


class Unions:
    """Puts choices together, and remembers the last ones by the choices themselves, at most so
    many series of choices in all. Safe from several threads."""

    def __init__(self) -> None:
        self.series = 0
        self._known: OrderedDict[tuple[int, ...], tuple[Union, Sequence[Chosen]]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, choices: Sequence[Chosen]) -> Union:
        """Return the union of choices."""
        key = tuple(map(id, choices))
        with self._lock:
            known = self._known.get(key)
        if known is not None:
            return known[0]
        union = unite(choices)
        with self._lock:
            # The choices are kept as well: an id stands for an object only while that lives.
            if key not in self._known:
                self._known[key] = union, choices
                self.series += sum(map(len, choices))
            while len(self._known) > 1 and (
                self.series > _MOST_UNITED or len(self._known) > _MOST_UNIONS
            ):
                _, (_, oldest) = self._known.popitem(last=False)
                self.series -= sum(map(len, oldest))
        return union


def unite(choices: Sequence[Chosen]) -> Union:
    """Put choices together."""
    first = choices[0].labels if choices else []
    if all(one.labels == first for one in choices):
        return Union(first, [np.arange(len(first)) for _ in choices])
    labels = sorted({one for chosen in choices for one in chosen.labels})
    row = {one: number for number, one in enumerate(labels)}
    rows = [
        np.fromiter(map(row.__getitem__, chosen.labels), np.int64, len(chosen))
        for chosen in choices
    ]
    return Union(labels, rows)
