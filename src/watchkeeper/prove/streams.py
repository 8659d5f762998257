"""The series that a proof puts in: few, but one for everything that an expression tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product

from watchkeeper.contract import Metric
from watchkeeper.matching import matches
from watchkeeper.model import METRIC_NAME, Labels, Matcher, labels
from watchkeeper.promql.syntax import Expression, VectorSelector
from watchkeeper.promql.walk import walk
from watchkeeper.prove.declared import TARGET_LABELS, Declared, stream_of
from watchkeeper.prove.label_values import MOST_ALIKE, chosen_values
from watchkeeper.prove.motion import Stream

MOST_STREAMS = 400
"""Of one metric; what is more has label values that the expression treats alike."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of an expression by sample name."""

    by_sample: dict[str, list[Stream]]

    def of(self, selector: VectorSelector) -> list[Stream]:
        """Return the streams that a selector takes; its matcher on `le` does not count."""
        asked = tuple(one for one in selector.matchers if one.name not in ("le", METRIC_NAME))
        known = self.by_sample.get(selector.metric_name, ())
        return [stream for stream in known if matches(stream.labels, asked)]

    @property
    def all(self) -> list[Stream]:
        """Every stream once."""
        return list(dict.fromkeys(one for found in self.by_sample.values() for one in found))


def streams_of(
    expression: Expression,
    declared: Declared,
    mentioned: Iterable[str],
    instances: int,
    alike: int = MOST_ALIKE,
) -> Streams:
    """Return streams for every selector of an expression whose metric is declared.

    `mentioned` are the labels by which it groups; each gets two values, and a label that
    matchers name one for every way in which they see it, of open labels `alike` for each.
    """
    asked: dict[str, list[Matcher]] = {}
    for node in walk(expression):
        if isinstance(node, VectorSelector) and node.metric_name in declared.metrics:
            asked.setdefault(node.metric_name, []).extend(node.matchers)
    families: dict[str, list[Matcher]] = {}
    for name, matchers in asked.items():
        families.setdefault(declared.metrics[name].name, []).extend(matchers)
    found = {}
    for name in asked:
        metric = declared.metrics[name]
        chosen = _Choice(metric, families[metric.name], frozenset(mentioned), alike)
        found[name] = [
            stream_of(metric, name, own) for own in chosen.label_sets(declared, instances)
        ]
    return Streams(found)


@dataclass(frozen=True, slots=True)
class _Choice:
    metric: Metric
    matchers: Sequence[Matcher]
    mentioned: frozenset[str]
    alike: int

    def label_sets(self, declared: Declared, instances: int) -> list[Labels]:
        own = [
            [(label.name, value) for value in self._values(label.name)]
            for label in self.metric.labels
        ]
        on_target = [one for one in self.matchers if one.name in TARGET_LABELS]
        others = 1 if "job" in self.mentioned or on_target else 0
        targets = declared.targets(on_target, 1 + others, instances)
        combined = product(product(*reversed(own)), targets)
        return [
            labels({**dict(pairs), **dict(target.labels)})
            for pairs, target in islice(combined, MOST_STREAMS)
        ]

    def _values(self, name: str) -> tuple[str, ...]:
        label = next(one for one in self.metric.labels if one.name == name)
        asked = [one for one in self.matchers if one.name == name]
        return chosen_values(label, asked, 2 if name in self.mentioned else 1, self.alike)
