"""Holds what was seen against what a contract declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from watchkeeper.contract import OTHER, Contract, Histogram, Label, Metric, RecordingRule
from watchkeeper.errors import ConfigError
from watchkeeper.live.difference import Difference, Kind
from watchkeeper.live.emitted import Emitted

BY_THE_SCRAPE = re.compile(r"up|scrape_\w+|ALERTS|ALERTS_FOR_STATE")
"""Series that Prometheus makes itself (prometheus.io, "Automatically generated labels")."""
PART_SUFFIXES = ("_bucket", "_count", "_sum", "_created")
MOST_NAMED = 5
"""How many values a message names."""


def compare(contract: Contract, seen: Emitted, *, ignored: str = "") -> list[Difference]:
    """Return the differences, by metric. `ignored` is a regular expression, matched whole, of
    names that may be there without being declared. Raises ConfigError if it is none."""
    found = [
        difference for metric in contract.signals.metrics for difference in _of_metric(metric, seen)
    ]
    return found + list(_undeclared(contract, seen, _pattern(ignored)))


def _pattern(ignored: str) -> re.Pattern[str] | None:
    try:
        return re.compile(ignored) if ignored else None
    except re.error as error:
        raise ConfigError(f"{ignored!r} is no regular expression: {error}") from None


def _of_metric(metric: Metric, seen: Emitted) -> Iterator[Difference]:
    series = [labels for name in metric.sample_names for labels in seen.series.get(name, ())]
    if not series:
        yield Difference(Kind.NEVER_SEEN, metric.name, "no series of it is there")
        return
    claimed = seen.claimed(metric.name)
    if claimed and metric.type not in claimed:
        types = " and ".join(sorted(claimed))
        yield Difference(
            Kind.WRONG_TYPE, metric.name, f"declared as {metric.type}, emitted as {types}"
        )
    yield from _label_names(metric, series, seen.of_target)
    for label in metric.labels:
        values = {labels[label.name] for labels in series if labels.get(label.name)}
        yield from _values(metric, label, values)


def _label_names(
    metric: Metric, series: Sequence[Mapping[str, str]], of_target: frozenset[str]
) -> Iterator[Difference]:
    declared = set(metric.label_names)
    own = {"le"} if isinstance(metric, Histogram) else set()
    emitted = {name for labels in series for name in labels} - own - (of_target - declared)
    for name in sorted(emitted - declared):
        yield Difference(Kind.WRONG_LABEL, metric.name, "is not declared", name)
    for name in sorted(declared):
        without = sum(not labels.get(name) for labels in series)
        if without:
            detail = f"{without} of {len(series)} series are without it"
            yield Difference(Kind.WRONG_LABEL, metric.name, detail, name)


def _values(metric: Metric, label: Label, values: set[str]) -> Iterator[Difference]:
    taken = values - {OTHER}
    if label.values:
        wrong = taken - set(label.values)
        allowed = f"declared are {', '.join(label.values)}"
    elif label.pattern:
        pattern = re.compile(label.pattern)
        wrong = {value for value in taken if not pattern.fullmatch(value)}
        allowed = f"declared is the pattern {label.pattern}"
    else:
        wrong, allowed = set(), ""
    if wrong:
        detail = f"{_named(wrong)}; {allowed}"
        yield Difference(Kind.UNDECLARED_VALUE, metric.name, detail, label.name)
    if not label.values and len(taken) > label.limit:
        detail = f"{len(taken)} values, at most {label.limit} are declared"
        yield Difference(Kind.TOO_MANY_VALUES, metric.name, detail, label.name)


def _undeclared(
    contract: Contract, seen: Emitted, ignored: re.Pattern[str] | None
) -> Iterator[Difference]:
    declared = {name for metric in contract.signals.metrics for name in metric.sample_names}
    declared |= {f"{metric.name}_created" for metric in contract.signals.metrics}
    declared |= {
        rule.name
        for group in contract.rule_groups
        for rule in group.rules
        if isinstance(rule, RecordingRule)
    }
    families: dict[str, int] = {}
    for name, series in seen.series.items():
        if name in declared or BY_THE_SCRAPE.fullmatch(name):
            continue
        if ignored is not None and ignored.fullmatch(name):
            continue
        family = _family(name, seen)
        families[family] = families.get(family, 0) + len(series)
    for family, count in sorted(families.items()):
        yield Difference(Kind.UNDECLARED, family, f"{count} series of a metric nobody declared")


def _family(name: str, seen: Emitted) -> str:
    for suffix in PART_SUFFIXES:
        if name.endswith(suffix) and name.removesuffix(suffix) in seen.types:
            return name.removesuffix(suffix)
    return name


def _named(values: set[str]) -> str:
    shown = [f'"{value}"' for value in sorted(values)[:MOST_NAMED]]
    more = f" and {len(values) - MOST_NAMED} more" if len(values) > MOST_NAMED else ""
    return ", ".join(shown) + more
