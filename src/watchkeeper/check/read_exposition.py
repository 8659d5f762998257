"""A metrics snapshot, as `/metrics` answers it, as known signals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from watchkeeper.check.known import KnownLabel, KnownMetric
from watchkeeper.check.source import Source, Text
from watchkeeper.model import METRIC_NAME, Labels, MetricMetadata, MetricType
from watchkeeper.wire.exposition import OPENMETRICS_CONTENT_TYPE, TEXT_CONTENT_TYPE, parse

_SUFFIXES = ("_bucket", "_count", "_sum", "_total")


def read_exposition(source: Source) -> tuple[KnownMetric, ...]:
    """Return the metrics of a snapshot. Raises DecodeError that names the line."""
    ends = source.text.rstrip().endswith("# EOF")
    content_type = OPENMETRICS_CONTENT_TYPE if ends else TEXT_CONTENT_TYPE
    found = parse(source.text.encode(), content_type, 0)
    return metrics_of(found.labels, found.metadata, source=source)


def metrics_of(
    series: Iterable[Labels], metadata: Iterable[MetricMetadata], *, source: Source | None = None
) -> tuple[KnownMetric, ...]:
    """Return metrics from the series that were seen and what was said of them."""
    said = {one.name: one for one in metadata}
    samples: dict[str, list[dict[str, str]]] = defaultdict(list)
    for labels in series:
        pairs = dict(labels)
        samples[pairs.pop(METRIC_NAME, "")].append(pairs)
    families: dict[str, dict[str, list[dict[str, str]]]] = defaultdict(dict)
    for name, seen in samples.items():
        families[_family(name, said)][name] = seen
    return tuple(
        _metric(family, parts, said, source) for family, parts in families.items() if family
    )


def _family(name: str, said: Mapping[str, MetricMetadata]) -> str:
    """Return the family that a sample belongs to; a counter's is its sample's name here."""
    if name in said:
        return name
    for suffix in _SUFFIXES:
        base = name.removesuffix(suffix)
        if base != name and base in said:
            return name if suffix == "_total" else base
    return name


def _metric(
    name: str,
    parts: Mapping[str, list[dict[str, str]]],
    said: Mapping[str, MetricMetadata],
    source: Source | None,
) -> KnownMetric:
    metadata = said.get(name) or said.get(name.removesuffix("_total"))
    seen = [labels for series in parts.values() for labels in series]
    names = {label for labels in seen for label in labels} - {"le", "quantile"}
    bounds = {labels["le"] for labels in seen if "le" in labels}
    return KnownMetric(
        name=name,
        type=_type(name, metadata),
        labels={label: KnownLabel(label) for label in sorted(names)},
        unit=metadata.unit if metadata is not None else "",
        help=metadata.help if metadata is not None else "",
        buckets=tuple(sorted(float(one) for one in bounds if one not in ("+Inf", "inf"))),
        origin="exposition",
        quantiles=any("quantile" in labels for labels in seen),
        declared=_place(name, source),
        most_series=len(seen),
    )


def _type(name: str, metadata: MetricMetadata | None) -> MetricType:
    if metadata is not None and metadata.type is not MetricType.UNKNOWN:
        return metadata.type
    return MetricType.COUNTER if name.endswith("_total") else MetricType.UNKNOWN


def _place(name: str, source: Source | None) -> Text | None:
    if source is None:
        return None
    for beginning in (f"# TYPE {name} ", f"# TYPE {name.removesuffix('_total')} ", name):
        position = source.text.find(beginning)
        if position >= 0:
            return Text(name, source, position, position + len(beginning.rstrip()), exact=False)
    return None
