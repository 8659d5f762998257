"""What can be said of the result of an expression before it is ever evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from watchkeeper.check.known import KnownMetric
from watchkeeper.check.unit import Unit


class Sort(StrEnum):
    """What kind of numbers: decides which functions make sense of them."""

    COUNTER = "counter"
    BUCKET = "bucket"
    GAUGE = "gauge"
    QUANTILE = "quantile"
    MEAN = "mean"
    RATE = "rate"
    OTHER = ""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels of a result.

    `possible` None: any label may be there but those in `absent`. `certain` are there on every
    series. `values` are what is left of closed lists, or what matchers leave.
    """

    possible: frozenset[str] | None = None
    absent: frozenset[str] = frozenset()
    certain: frozenset[str] = frozenset()
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def may_have(self, label: str) -> bool:
        """Whether any series can have it."""
        if label in self.absent:
            return False
        return self.possible is None or label in self.possible

    def keep(self, labels: Iterable[str]) -> LabelSet:
        """Return what is left after `by (labels)`."""
        kept = frozenset(label for label in labels if self.may_have(label))
        return LabelSet(
            possible=kept,
            certain=self.certain & kept,
            values={label: self.values[label] for label in kept & self.values.keys()},
        )

    def drop(self, labels: Iterable[str]) -> LabelSet:
        """Return what is left after `without (labels)`."""
        gone = frozenset(labels)
        return LabelSet(
            possible=None if self.possible is None else self.possible - gone,
            absent=self.absent | gone,
            certain=self.certain - gone,
            values={label: one for label, one in self.values.items() if label not in gone},
        )

    def add(self, label: str) -> LabelSet:
        """Return the set with one label more, of any value."""
        return LabelSet(
            possible=None if self.possible is None else self.possible | {label},
            absent=self.absent - {label},
            certain=self.certain | {label},
            values={name: one for name, one in self.values.items() if name != label},
        )

    def either(self, other: LabelSet) -> LabelSet:
        """Return what series of one or the other may have."""
        both_known = self.possible is not None and other.possible is not None
        possible = (self.possible or frozenset()) | (other.possible or frozenset())
        return LabelSet(
            possible=possible if both_known else None,
            absent=frozenset(one for one in self.absent if not other.may_have(one))
            | frozenset(one for one in other.absent if not self.may_have(one)),
            certain=self.certain & other.certain,
        )


NO_LABELS = LabelSet(possible=frozenset())


@dataclass(frozen=True, slots=True)
class Shape:
    """Labels, unit, bounds and kind of a result.

    `present`: it exists whatever is scraped. `filtered`: a comparison decides what exists.
    `grouped`: series were put together by an aggregation. `nan`: without traffic it is not a
    number.
    """

    labels: LabelSet = LabelSet()
    sort: Sort = Sort.OTHER
    unit: Unit | None = None
    low: float = -inf
    high: float = inf
    scalar: bool = False
    present: bool = False
    filtered: bool = False
    grouped: bool = False
    nan: bool = False
    metrics: tuple[KnownMetric, ...] = ()

    @property
    def constant(self) -> float | None:
        """The value, if there is only one that it can have."""
        return self.low if self.low == self.high else None
