"""What OpenMetrics 1.0 demands of values, checked of a whole page at once.

For pages of a known shape: whatever does not depend on values was checked when it was learned.
The rules are those of `openmetrics_family.Family`; a page that breaks one is read by it again,
which says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import eq, ge, le, lt

from watchkeeper.model import Labels
from watchkeeper.wire.openmetrics_family import GROWING

Kinds = Mapping[str, tuple[str, str]]
"""The type and the suffix of a sample by its name."""

_CHECKED = frozenset({"counter", "gauge", "unknown", "summary", "histogram", "info"})


@dataclass(slots=True)
class ValueRules:
    """Which samples of a page, by number, must be what."""

    growing: list[int] = field(default_factory=list)
    quantiles: list[int] = field(default_factory=list)
    ones: list[int] = field(default_factory=list)
    buckets: list[int] = field(default_factory=list)
    next_buckets: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    last_buckets: list[int] = field(default_factory=list)

    def hold(self, values: Sequence[float]) -> bool:
        """Tell whether a page's values, dropped samples included, keep the rules."""
        at = values.__getitem__
        return (
            all(map(ge, map(at, self.growing), repeat(0.0)))
            and not any(map(lt, map(at, self.quantiles), repeat(0.0)))
            and all(map(eq, map(at, self.ones), repeat(1.0)))
            and all(map(le, map(at, self.buckets), map(at, self.next_buckets)))
            and all(map(eq, map(at, self.counts), map(at, self.last_buckets)))
        )


def rules_of(samples: Sequence[tuple[str, Labels]], kinds: Kinds) -> ValueRules | None:
    """Return the rules for a page's samples, each a name and labels; None where a page has a
    type whose rules are not of this kind."""
    rules = ValueRules()
    bucket: tuple[str, Labels] | None = None
    for number, (name, labels) in enumerate(samples):
        kind, suffix = kinds[name]
        if kind not in _CHECKED:
            return None
        if (kind, suffix) in GROWING:
            rules.growing.append(number)
        if kind == "info":
            rules.ones.append(number)
        elif kind == "summary" and not suffix:
            rules.quantiles.append(number)
        elif kind == "histogram" and suffix == "_bucket":
            group = (name, tuple([pair for pair in labels if pair[0] != "le"]))
            if group == bucket:
                rules.buckets.append(number - 1)
                rules.next_buckets.append(number)
            bucket, last = group, number
        elif kind == "histogram" and suffix == "_count" and bucket is not None:
            rules.counts.append(number)
            rules.last_buckets.append(last)
    return rules
