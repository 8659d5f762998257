"""Checks of what expressions select: metrics, labels, values and buckets that exist."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from watchkeeper.check.check import Check, Examined, Problem, at
from watchkeeper.check.finding import Severity
from watchkeeper.check.inference import allowed
from watchkeeper.check.known import KnownLabel, KnownMetric
from watchkeeper.check.query import Query
from watchkeeper.model import METRIC_NAME, Matcher, MatchOperator, MetricType
from watchkeeper.promql import VectorSelector
from watchkeeper.promql.suggestion import suggest
from watchkeeper.promql.syntax import Aggregate, Binary
from watchkeeper.regex import compile_regex

_LITERALS = re.compile(r"[\w /:@-]+(\|[\w /:@-]+)*")
_POSITIVE = (MatchOperator.EQUAL, MatchOperator.REGEX)
_REGEX = (MatchOperator.REGEX, MatchOperator.NOT_REGEX)
OTHER = "other"
"""The value that a watched process folds undeclared values into."""


def _selected(examined: Examined) -> Iterator[tuple[Query, VectorSelector, KnownMetric]]:
    for query, node in examined.nodes(VectorSelector):
        sample = examined.known.sample(node.metric_name)
        if sample is not None:
            yield query, node, sample.metric


def _undeclared_metrics(examined: Examined) -> Iterator[Problem]:
    known = examined.known
    if not known.closed:
        return
    for query, node in examined.nodes(VectorSelector):
        name = node.metric_name
        if not name or known.declares(name) or _is_variable(query, node):
            continue
        family = known.families.get(name)
        if family is not None and family.type is MetricType.HISTOGRAM:
            continue
        yield at(query, node, f"no metric is called {name}{suggest(name, known.sample_names)}")


def _histograms_without_suffix(examined: Examined) -> Iterator[Problem]:
    known = examined.known
    for query, node in examined.nodes(VectorSelector):
        family = known.families.get(node.metric_name)
        if family is None or family.type is not MetricType.HISTOGRAM or family.recorded:
            continue
        name = family.name
        yield at(query, node, f"{name} is a histogram: its series are {name}_bucket, _sum, _count")


def _is_variable(query: Query, node: VectorSelector) -> bool:
    return any(node.start <= one.start < node.start + len(node.name) for one in query.variables)


def _undeclared_labels(examined: Examined) -> Iterator[Problem]:
    for query, node, metric in _selected(examined):
        labels = examined.shape(query, node).labels
        for matcher, start, end in examined.matchers(query, node):
            if matcher.name == METRIC_NAME or labels.may_have(matcher.name):
                continue
            yield Problem(
                query.text.place(start, end),
                query.subject,
                f"{metric.name} has no label {matcher.name!r}"
                f"{_own(metric)}{suggest(matcher.name, metric.labels)}",
            )
    yield from _undeclared_groupings(examined)


def _undeclared_groupings(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Aggregate):
        shape = examined.shape(query, node.expression)
        if node.without or not shape.metrics:
            continue
        for label in node.grouping:
            if shape.labels.may_have(label) or _declared_below(examined, shape.metrics, label):
                continue
            names = " and ".join(sorted({metric.name for metric in shape.metrics}))
            yield at(query, node, f"groups by {label!r}, which {names} does not have")


def _declared_below(examined: Examined, metrics: Iterable[KnownMetric], label: str) -> bool:
    """Whether the label exists on a metric: an aggregation in between dropped it then."""
    targets = examined.known.target_labels
    return any(label in metric.labels or label in targets or label == "le" for metric in metrics)


def _own(metric: KnownMetric) -> str:
    names = ", ".join(sorted(metric.labels))
    return f" (it has {names})" if names else " (it has none)"


def _undeclared_values(examined: Examined) -> Iterator[Problem]:
    for query, node, metric in _selected(examined):
        for matcher, start, end in examined.matchers(query, node):
            label = metric.labels.get(matcher.name)
            if label is None or query.is_open(matcher) or not matcher.value:
                continue
            for value in _unknown(label, matcher):
                known = ", ".join(sorted(label.values or ())) or f"what matches {label.pattern}"
                yield Problem(
                    query.text.place(start, end),
                    query.subject,
                    f"{metric.name} never has {label.name}={value!r}: it has {known}"
                    f"{suggest(value, label.values or ())}",
                )


def _unknown(label: KnownLabel, matcher: Matcher) -> list[str]:
    """Return the values that a matcher asks for and that no series can have."""
    literals = matcher.operator not in _REGEX or _LITERALS.fullmatch(matcher.value)
    if literals:
        values = [matcher.value]
        if matcher.operator in _REGEX:
            values = matcher.value.split("|")
        return [value for value in values if not _possible(label, value)]
    if label.values is None:
        return []
    positive = Matcher(matcher.name, MatchOperator.REGEX, matcher.value)
    possible = label.values | {OTHER, ""}
    return [] if allowed(frozenset(possible), positive) else [matcher.value]


def _possible(label: KnownLabel, value: str) -> bool:
    if label.values is not None:
        return value in label.values or value == OTHER
    if not label.pattern or value == OTHER:
        return True
    return compile_regex(label.pattern).fullmatch(value) is not None


def _undeclared_buckets(examined: Examined) -> Iterator[Problem]:
    for query, node, metric in _selected(examined):
        if not metric.buckets or not node.metric_name.endswith("_bucket"):
            continue
        for matcher, start, end in examined.matchers(query, node):
            if matcher.name != "le" or matcher.operator not in (
                MatchOperator.EQUAL,
                MatchOperator.NOT_EQUAL,
            ):
                continue
            if query.is_open(matcher) or _is_bound(matcher.value, metric.buckets):
                continue
            bounds = ", ".join(f"{bound:g}" for bound in metric.buckets)
            yield Problem(
                query.text.place(start, end),
                query.subject,
                f"{metric.name} has no bucket that ends at {matcher.value}: they end at {bounds}",
            )


def _is_bound(text: str, buckets: tuple[float, ...]) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return value in buckets or value == float("inf")


def _contradictions(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(VectorSelector):
        for matcher in node.matchers:
            if matcher.operator is not MatchOperator.EQUAL or query.is_open(matcher):
                continue
            others = [one for one in node.matchers if one.name == matcher.name]
            if any(not allowed(frozenset({matcher.value}), one) for one in others):
                yield at(query, node, f"no {matcher.name} fulfils all of these matchers")
                break


def _unmatched_joins(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Binary):
        if not node.matching.on:
            continue
        left, right = examined.shape(query, node.left), examined.shape(query, node.right)
        metrics = left.metrics + right.metrics
        for label in node.matching.labels:
            if left.labels.may_have(label) or right.labels.may_have(label) or not metrics:
                continue
            if not _declared_below(examined, metrics, label):
                yield at(query, node, f"matches on {label!r}, which neither side has")


def _undeclared(examined: Examined) -> Iterator[Problem]:
    yield from _undeclared_labels(examined)
    yield from _unmatched_joins(examined)


CHECKS = (
    Check(
        id="undeclared-metric",
        severity=Severity.ERROR,
        reason="Nothing emits this metric: the expression never returns anything.",
        repair="Correct the name, or declare the metric and record it.",
        find=_undeclared_metrics,
    ),
    Check(
        id="histogram-without-suffix",
        severity=Severity.ERROR,
        reason="A classic histogram has no series of its bare name.",
        repair="Select _bucket for quantiles, _sum and _count for the mean.",
        find=_histograms_without_suffix,
    ),
    Check(
        id="undeclared-label",
        severity=Severity.ERROR,
        reason="The metric does not have this label: a matcher on it selects nothing.",
        repair="Use a label that the metric has, or add the label where the metric is declared.",
        find=_undeclared,
    ),
    Check(
        id="undeclared-label-value",
        severity=Severity.ERROR,
        reason="The label never takes this value: what is meant is never selected.",
        repair="Use one of the declared values, or declare this one.",
        find=_undeclared_values,
    ),
    Check(
        id="undeclared-bucket",
        severity=Severity.ERROR,
        reason="A histogram has series for its declared bounds only.",
        repair="Use a bound that the histogram has, or add this one to its buckets.",
        find=_undeclared_buckets,
    ),
    Check(
        id="contradicting-matchers",
        severity=Severity.ERROR,
        reason="No series fulfils matchers that exclude each other.",
        repair='Keep one of them, or write both values in one regular expression: `=~"a|b"`.',
        find=_contradictions,
    ),
)
