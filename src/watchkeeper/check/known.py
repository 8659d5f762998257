"""What is known of the signals: metrics with their type, labels, values, buckets and unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from watchkeeper.check.source import Text
from watchkeeper.model import MetricType

ALWAYS_THERE = frozenset({"job", "instance"})
"""The labels that Prometheus puts on every scraped series."""

TARGET_LABELS = ALWAYS_THERE | frozenset(
    (
        *("service", "namespace", "pod", "container", "node", "endpoint", "cluster"),
        *("environment", "env", "region", "zone", "availability_zone", "host", "replica"),
        *("prometheus", "prometheus_replica", "metrics_path", "app", "component", "team", "owner"),
    )
)
"""Labels that scrape configurations and Kubernetes put on targets: any series may have them."""

PART_SUFFIXES = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class KnownLabel:
    """A label and the values it can take; `values` None is an open set, `pattern` narrows it,
    `limit` (0: none) says how many at most."""

    name: str
    values: frozenset[str] | None = None
    pattern: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class KnownMetric:
    """A metric, named as its family.

    `complete` says that it can have no other labels than these and those of its target;
    `zeroed` that series of listed values exist from the start; `origin` where it is known from.
    `bounds` is what its values lie between. Of a recording rule, `summed` says that it puts
    counters together, `may_be_nan` that it is not a number without traffic.
    """

    name: str
    type: MetricType
    labels: Mapping[str, KnownLabel] = field(default_factory=dict)
    unit: str = ""
    help: str = ""
    buckets: tuple[float, ...] = ()
    origin: str = ""
    complete: bool = True
    zeroed: bool = False
    quantiles: bool = False
    recorded: bool = False
    summed: bool = False
    may_be_nan: bool = False
    declared: Text | None = None
    bounds: tuple[float, float] | None = None
    most_series: int = 0

    @property
    def samples(self) -> tuple[tuple[str, str], ...]:
        """The sample names that it has, each with the part of the family that it is."""
        parts = tuple((self.name + suffix, suffix[1:]) for suffix in PART_SUFFIXES)
        if self.type is MetricType.HISTOGRAM:
            return parts
        if self.type is MetricType.SUMMARY:
            return parts[1:] + (((self.name, "quantile"),) if self.quantiles else ())
        return ((self.name, ""),)


@dataclass(frozen=True, slots=True)
class KnownSample:
    """A sample name: its metric and the part of it ('' where the metric has one only)."""

    metric: KnownMetric
    part: str = ""

    @property
    def cumulative(self) -> bool:
        """Whether it only grows: a counter, or the counts and sums of a histogram."""
        if self.part in ("bucket", "count", "sum"):
            return True
        return self.metric.type is MetricType.COUNTER


@dataclass(frozen=True, eq=False)
class Known:
    """All known metrics. `closed`: what is not among them does not exist."""

    metrics: tuple[KnownMetric, ...] = ()
    closed: bool = False
    target_labels: frozenset[str] = TARGET_LABELS

    @cached_property
    def _samples(self) -> dict[str, KnownSample]:
        return {
            name: KnownSample(metric, part)
            for metric in self.metrics
            for name, part in metric.samples
        }

    @cached_property
    def families(self) -> Mapping[str, KnownMetric]:
        """The metrics by name."""
        return {metric.name: metric for metric in self.metrics}

    @property
    def sample_names(self) -> Iterable[str]:
        """Every name that a series can carry."""
        return self._samples

    def sample(self, name: str) -> KnownSample | None:
        """Return what is known of a sample name: declared, Prometheus' own, or by its suffix.

        In an open world a name that nothing declares is judged by how Prometheus' metrics are
        usually named; None where that says nothing.
        """
        found = self._samples.get(name) or _OWN.get(name)
        if found is None and not self.closed and name:
            return _by_suffix(name)
        return found

    def declares(self, name: str) -> bool:
        """Whether a sample of this name is known to exist."""
        return name in self._samples or name in _OWN or _SCRAPE.match(name) is not None

    def with_metrics(self, metrics: Iterable[KnownMetric]) -> Known:
        """Return what is known together with more metrics."""
        more = tuple(one for one in metrics if one.name not in self.families)
        return Known((*self.metrics, *more), self.closed, self.target_labels)


_SCRAPE = re.compile(r"scrape_\w+|up|ALERTS|ALERTS_FOR_STATE")


def _own(name: str, *labels: str, bounds: tuple[float, float], complete: bool) -> KnownMetric:
    return KnownMetric(
        name=name,
        type=MetricType.GAUGE,
        labels={label: KnownLabel(label) for label in labels},
        origin="prometheus",
        complete=complete,
        bounds=bounds,
    )


_OWN = {
    metric.name: KnownSample(metric)
    for metric in (
        _own("up", bounds=(0, 1), complete=False),
        _own("ALERTS", "alertname", "alertstate", bounds=(1, 1), complete=False),
        _own("ALERTS_FOR_STATE", "alertname", bounds=(0, float("inf")), complete=False),
    )
}


def _by_suffix(name: str) -> KnownSample | None:
    if ":" in name:
        return None
    if name.endswith("_total"):
        return KnownSample(KnownMetric(name, MetricType.COUNTER, complete=False))
    if name.endswith("_bucket"):
        family = KnownMetric(name.removesuffix("_bucket"), MetricType.HISTOGRAM, complete=False)
        return KnownSample(family, "bucket")
    return None
