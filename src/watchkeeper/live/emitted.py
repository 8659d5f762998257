"""What was seen of a service: its series by sample name, and the types that it claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchkeeper.model import METRIC_NAME, MetricMetadata, MetricType


@dataclass(frozen=True, slots=True)
class Emitted:
    """`series` has the labels of every series by sample name, `types` the claimed types by the
    name of a family; `of_target` names labels that the scrape added."""

    series: Mapping[str, tuple[Mapping[str, str], ...]]
    types: Mapping[str, frozenset[MetricType]]
    of_target: frozenset[str] = field(default=frozenset())

    def claimed(self, name: str) -> frozenset[MetricType]:
        """Return the types that are claimed for a metric; a counter's family may lack `_total`."""
        found = self.types.get(name) or self.types.get(name.removesuffix("_total"))
        return found or frozenset()


def emitted(
    series: Iterable[Mapping[str, str]],
    metadata: Iterable[MetricMetadata],
    of_target: Iterable[str] = (),
) -> Emitted:
    """Return series, each with its `__name__`, and what was said of them, by name."""
    by_name: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for pairs in series:
        labels = {name: value for name, value in pairs.items() if name != METRIC_NAME}
        by_name[pairs.get(METRIC_NAME, "")].append(labels)
    types: dict[str, set[MetricType]] = defaultdict(set)
    for one in metadata:
        if one.type is not MetricType.UNKNOWN:
            types[one.name].add(one.type)
    return Emitted(
        {name: tuple(found) for name, found in by_name.items()},
        {name: frozenset(found) for name, found in types.items()},
        frozenset(of_target),
    )
