"""Metrics: the numbers a service promises to emit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from math import prod
from typing import ClassVar

from watchkeeper.contract.label import Label
from watchkeeper.contract.native import NativeBuckets
from watchkeeper.errors import ContractError
from watchkeeper.model import MetricType

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")

DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds for calls that people wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What every metric declares. `unit` is one of Prometheus' base units, or '' for a count."""

    type: ClassVar[MetricType] = MetricType.UNKNOWN

    name: str
    help: str
    labels: tuple[Label, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise ContractError(f"metric {self.name!r}: not a Prometheus metric name")
        if not self.help:
            raise ContractError(f"metric {self.name}: say in `help` what it counts or measures")
        names = self.label_names
        if len(set(names)) != len(names):
            raise ContractError(f"metric {self.name}: a label is declared twice")

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of its labels, in the order of declaration."""
        return tuple(label.name for label in self.labels)

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The `__name__`s that its series can carry."""
        return (self.name,)

    @property
    def most_series(self) -> int:
        """How many series it can have at the worst, in one process."""
        return prod(label.most_values for label in self.labels) * len(self.sample_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Metric):
    """A number that only grows. Its name ends in `_total`."""

    type: ClassVar[MetricType] = MetricType.COUNTER

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        if not self.name.endswith("_total"):
            raise ContractError(f"counter {self.name}: its name must end in _total")


class Combine(StrEnum):
    """How the values that several processes of one service hold become one."""

    SUM = "sum"
    MAXIMUM = "max"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge(Metric):
    """A number that goes up and down."""

    type: ClassVar[MetricType] = MetricType.GAUGE

    combine: Combine = Combine.SUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(Metric):
    """Observations counted by size. `buckets` are upper bounds, ascending, without infinity.

    With `native` buckets besides, whoever scrapes in protobuf gets a native histogram too.
    """

    type: ClassVar[MetricType] = MetricType.HISTOGRAM

    buckets: tuple[float, ...] = DURATION_BUCKETS
    native: NativeBuckets | None = None

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        if not self.buckets or list(self.buckets) != sorted(set(self.buckets)):
            raise ContractError(f"histogram {self.name}: buckets must ascend")
        if "le" in self.label_names:
            raise ContractError(f"histogram {self.name}: the label `le` is its own")

    @property
    def sample_names(self) -> tuple[str, ...]:
        return (f"{self.name}_bucket", f"{self.name}_count", f"{self.name}_sum")

    @property
    def most_series(self) -> int:
        return prod(label.most_values for label in self.labels) * (len(self.buckets) + 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Metric):
    """Observations counted and summed, without buckets."""

    type: ClassVar[MetricType] = MetricType.SUMMARY

    @property
    def sample_names(self) -> tuple[str, ...]:
        return (f"{self.name}_count", f"{self.name}_sum")
