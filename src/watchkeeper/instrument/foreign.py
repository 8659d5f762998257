"""Metrics that the service keeps in prometheus_client's default registry, on the same /metrics."""

from __future__ import annotations

import sys
from collections.abc import Container
from typing import Any

from watchkeeper.model import Exemplar, MetricType
from watchkeeper.wire.family import FamilySample, MetricFamily

_TYPES = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "histogram": MetricType.HISTOGRAM,
    "summary": MetricType.SUMMARY,
    "info": MetricType.GAUGE,
    "stateset": MetricType.GAUGE,
}


def foreign_families(taken: Container[str]) -> list[MetricFamily]:
    """Return the registry's families, without names in `taken`; [] if the library is not used."""
    client: Any = sys.modules.get("prometheus_client")
    registry = getattr(client, "REGISTRY", None)
    if registry is None:
        return []
    families = [_family(metric) for metric in registry.collect()]
    return [family for family in families if family.name not in taken]


def _family(metric: Any) -> MetricFamily:
    name = f"{metric.name}_info" if metric.type == "info" else metric.name
    samples = tuple(
        [
            FamilySample(
                sample.name.removeprefix(name),
                tuple(sample.labels.items()),
                sample.value,
                _exemplar(sample.exemplar),
            )
            for sample in metric.samples
            if sample.name.startswith(name)
            and not sample.name.endswith(("_created", "_gsum", "_gcount"))
        ]
    )
    kind = _TYPES.get(metric.type, MetricType.UNKNOWN)
    return MetricFamily(name, kind, metric.documentation, metric.unit, samples)


def _exemplar(exemplar: Any) -> Exemplar | None:
    if exemplar is None:
        return None
    labels = tuple(sorted(exemplar.labels.items()))
    return Exemplar(labels, exemplar.value, int((exemplar.timestamp or 0) * 1000))
