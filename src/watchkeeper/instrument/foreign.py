"""Metrics that the service keeps in prometheus_client's default registry, on the same /metrics.

Their label values are cleaned like all that leaves; series that differ in nothing else then are
one sum.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container, Iterable
from typing import Any

from watchkeeper.model import Exemplar, Labels, MetricType
from watchkeeper.wire.family import FamilySample, MetricFamily

Clean = Callable[[str], str]

_ILLEGAL = re.compile(r"[^a-zA-Z0-9_:]")
_TYPES = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "histogram": MetricType.HISTOGRAM,
    "summary": MetricType.SUMMARY,
    "info": MetricType.GAUGE,
    "stateset": MetricType.GAUGE,
}


def foreign_families(
    taken: Container[str], clean: Clean, on_fault: Callable[[BaseException], None]
) -> list[MetricFamily]:
    """Return the registry's families, without names in `taken`; [] if the library is not used.

    A collector that raises is told to `on_fault`, and costs its own metrics alone.
    """
    client: Any = sys.modules.get("prometheus_client")
    registry = getattr(client, "REGISTRY", None)
    if registry is None:
        return []
    families: dict[str, MetricFamily] = {}
    # The registry's own way ends at the first collector that raises.
    for collector in tuple(getattr(registry, "_collector_to_names", (registry,))):
        try:
            found = [
                family for metric in collector.collect() for family in _families(metric, clean)
            ]
        except Exception as error:  # noqa: BLE001 - the service's own code
            on_fault(error)
            continue
        for family in found:
            if family.name not in taken:
                families.setdefault(family.name, family)
    return list(families.values())


def _families(metric: Any, clean: Clean) -> list[MetricFamily]:
    if metric.type != "gaugehistogram":
        return [_family(metric, clean)]
    # The text format has no such type: its parts are gauges.
    parts: dict[str, list[Any]] = {}
    for sample in metric.samples:
        parts.setdefault(sample.name, []).append(sample)
    return [
        MetricFamily(
            _legal(name), MetricType.GAUGE, metric.documentation, "", _samples(samples, name, clean)
        )
        for name, samples in parts.items()
    ]


def _family(metric: Any, clean: Clean) -> MetricFamily:
    name = f"{metric.name}_info" if metric.type == "info" else metric.name
    own = [
        sample
        for sample in metric.samples
        if sample.name.startswith(name) and not sample.name.endswith("_created")
    ]
    kind = _TYPES.get(metric.type, MetricType.UNKNOWN)
    return MetricFamily(
        _legal(name), kind, metric.documentation, metric.unit, _samples(own, name, clean)
    )


def _samples(samples: Iterable[Any], name: str, clean: Clean) -> tuple[FamilySample, ...]:
    found: dict[tuple[str, Labels], FamilySample] = {}
    for sample in samples:
        suffix = sample.name.removeprefix(name)
        labels = tuple([(_legal(label), clean(value)) for label, value in sample.labels.items()])
        before = found.get((suffix, labels))
        value = sample.value if before is None else sample.value + before.value
        found[suffix, labels] = FamilySample(suffix, labels, value, _exemplar(sample.exemplar))
    return tuple(found.values())


def _legal(name: str) -> str:
    """Return a name that every scraper reads: prometheus_client lets others through, in UTF-8."""
    legal = _ILLEGAL.sub("_", name)
    return f"_{legal}" if legal[:1].isdigit() else legal


def _exemplar(exemplar: Any) -> Exemplar | None:
    if exemplar is None:
        return None
    labels = tuple(sorted(exemplar.labels.items()))
    return Exemplar(labels, exemplar.value, int((exemplar.timestamp or 0) * 1000))
