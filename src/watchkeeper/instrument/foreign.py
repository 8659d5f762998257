"""Metrics that the service keeps in prometheus_client's default registry, on the same /metrics."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container
from typing import Any

from watchkeeper.model import Exemplar, MetricType
from watchkeeper.wire.family import FamilySample, MetricFamily

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
    taken: Container[str], on_fault: Callable[[BaseException], None]
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
            found = [family for metric in collector.collect() for family in _families(metric)]
        except Exception as error:  # noqa: BLE001 - the service's own code
            on_fault(error)
            continue
        for family in found:
            if family.name not in taken:
                families.setdefault(family.name, family)
    return list(families.values())


def _families(metric: Any) -> list[MetricFamily]:
    if metric.type != "gaugehistogram":
        return [_family(metric)]
    # The text format has no such type: its parts are gauges.
    parts: dict[str, list[FamilySample]] = {}
    for sample in metric.samples:
        parts.setdefault(_legal(sample.name), []).append(_sample(sample, sample.name))
    return [
        MetricFamily(name, MetricType.GAUGE, metric.documentation, "", tuple(samples))
        for name, samples in parts.items()
    ]


def _family(metric: Any) -> MetricFamily:
    name = f"{metric.name}_info" if metric.type == "info" else metric.name
    samples = tuple(
        [
            _sample(sample, name)
            for sample in metric.samples
            if sample.name.startswith(name) and not sample.name.endswith("_created")
        ]
    )
    kind = _TYPES.get(metric.type, MetricType.UNKNOWN)
    return MetricFamily(_legal(name), kind, metric.documentation, metric.unit, samples)


def _sample(sample: Any, name: str) -> FamilySample:
    return FamilySample(
        sample.name.removeprefix(name),
        tuple([(_legal(label), value) for label, value in sample.labels.items()]),
        sample.value,
        _exemplar(sample.exemplar),
    )


def _legal(name: str) -> str:
    """Return a name that every scraper reads: prometheus_client lets others through, in UTF-8."""
    legal = _ILLEGAL.sub("_", name)
    return f"_{legal}" if legal[:1].isdigit() else legal


def _exemplar(exemplar: Any) -> Exemplar | None:
    if exemplar is None:
        return None
    labels = tuple(sorted(exemplar.labels.items()))
    return Exemplar(labels, exemplar.value, int((exemplar.timestamp or 0) * 1000))
