"""Where the series come from: the counts of /api/v1/status/tsdb.

Source: prometheus.io, "HTTP API", TSDB stats.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from watchkeeper.model import METRIC_NAME, Labels

DEFAULT_ENTRIES = 10


@dataclass(frozen=True, slots=True)
class Cardinality:
    """How many series and values stand behind names, labels and pairs."""

    series: int
    metrics: Counter[str]
    values: Counter[str]
    bytes: Counter[str]
    pairs: Counter[str]

    @staticmethod
    def of(label_sets: Iterable[Labels]) -> Cardinality:
        """Count label sets."""
        series = 0
        pairs: Counter[tuple[str, str]] = Counter()
        for one in label_sets:
            series += 1
            pairs.update(one)
        values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in pairs:
            values[name].append(value)
        return Cardinality(
            series,
            Counter(
                {value: count for (name, value), count in pairs.items() if name == METRIC_NAME}
            ),
            Counter({name: len(found) for name, found in values.items()}),
            Counter(
                {name: sum(len(one.encode()) for one in found) for name, found in values.items()}
            ),
            Counter({f"{name}={value}": count for (name, value), count in pairs.items()}),
        )

    def as_json(self, entries: int) -> dict[str, Any]:
        """Return the largest of each, `entries` at most."""
        return {
            "seriesCountByMetricName": _largest(self.metrics, entries),
            "labelValueCountByLabelName": _largest(self.values, entries),
            "memoryInBytesByLabelName": _largest(self.bytes, entries),
            "seriesCountByLabelValuePair": _largest(self.pairs, entries),
        }


def _largest(counts: Counter[str], entries: int) -> list[dict[str, Any]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"name": name, "value": count} for name, count in ranked[:entries]]
