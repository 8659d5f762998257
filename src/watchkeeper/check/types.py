"""Checks of functions against the kind of metric that they are given."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem, at, own_labels
from watchkeeper.check.finding import Severity
from watchkeeper.check.inference import RATES
from watchkeeper.check.part_of import adds_up, bare
from watchkeeper.check.query import Query, Role
from watchkeeper.check.shape import Sort
from watchkeeper.model import MetricType
from watchkeeper.promql import Expression, VectorSelector, selectors
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    MatrixSelector,
    Number,
    Subquery,
)

_SLOPES = frozenset({"delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing"})
_COUNTER_IS_FINE = frozenset(
    {"absent", "absent_over_time", "timestamp", "scalar", "present_over_time", "resets"}
    | {"changes", "count_over_time", "last_over_time", "label_replace", "label_join", "info"}
)
_NO_COUNTER = (Sort.GAUGE, Sort.RATE, Sort.QUANTILE, Sort.MEAN)


def _rates_of_gauges(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        if node.name not in RATES and node.name != "resets":
            continue
        argument = bare(node.arguments[0])
        if isinstance(argument, MatrixSelector):
            name = argument.vector.metric_name
            sample = examined.known.sample(name)
            if sample is None or sample.cumulative:
                continue
            if sample.metric.type is MetricType.GAUGE or sample.part == "quantile":
                yield at(query, node, f"{node.name}() of {name}, which goes up and down")
        elif examined.shape(query, argument).sort in _NO_COUNTER:
            yield at(query, node, f"{node.name}() of something that goes up and down")


def _slopes_of_counters(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        if node.name not in _SLOPES:
            continue
        argument = bare(node.arguments[0])
        if not isinstance(argument, MatrixSelector):
            continue
        sample = examined.known.sample(argument.vector.metric_name)
        if sample is not None and sample.cumulative:
            name = argument.vector.metric_name
            yield at(query, node, f"{node.name}() of {name}, which begins at 0 after a restart")


def _raw_counters(examined: Examined) -> Iterator[Problem]:
    rated = _rated(examined)
    for query, node in examined.nodes(VectorSelector):
        sample = examined.known.sample(node.metric_name)
        if sample is None or not sample.cumulative or sample.metric.recorded:
            continue
        if not sample.metric.origin and node.metric_name not in rated:
            continue
        if query.role is Role.VARIABLE or _counter_is_fine(examined, query, node):
            continue
        yield at(
            query, node, f"{node.metric_name} is a counter: its value alone says since when it runs"
        )


def _rated(examined: Examined) -> set[str]:
    """Return the metrics that some expression takes for counters: where nothing declares them, a
    name that ends in _total is not enough."""
    return {
        selector.metric_name
        for _, node in examined.nodes(Call)
        if node.name in RATES
        for selector in selectors(node)
    }


def _counter_is_fine(examined: Examined, query: Query, node: VectorSelector) -> bool:
    below: Expression = node
    for above in examined.ancestors(query, node):
        if isinstance(above, MatrixSelector | Subquery):
            return True
        if isinstance(above, Call) and above.name in _COUNTER_IS_FINE:
            return True
        if isinstance(above, Aggregate) and above.operator in ("count", "group", "count_values"):
            return True
        if isinstance(above, Binary) and above.operator in ("unless", "and"):
            return above.right is below or above.operator == "unless"
        below = above
    return False


def _quantiles_without_le(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        if node.name not in ("histogram_quantile", "histogram_fraction"):
            continue
        argument = node.arguments[-1]
        if not _selects_buckets(argument):
            continue
        if not examined.shape(query, argument).labels.may_have("le"):
            yield at(query, argument, "the aggregation drops `le`, by which buckets are told apart")


def _selects_buckets(node: Expression) -> bool:
    return any(one.metric_name.endswith("_bucket") for one in selectors(node))


def _quantiles_of_others(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        if node.name != "histogram_quantile" or _selects_buckets(node.arguments[1]):
            continue
        for selector in selectors(node.arguments[1]):
            sample = examined.known.sample(selector.metric_name)
            if sample is None or sample.metric.recorded:
                continue
            if sample.part or sample.metric.type in (MetricType.COUNTER, MetricType.GAUGE):
                yield at(query, node, f"{selector.metric_name} has no buckets")


def _unaggregated_histograms(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        if node.name != "histogram_quantile":
            continue
        shape = examined.shape(query, node.arguments[1])
        if shape.grouped or not shape.metrics or not _selects_buckets(node.arguments[1]):
            continue
        apart = sorted(own_labels(shape) - {"le"})
        if apart:
            yield at(query, node, f"gives a quantile for every {', '.join(apart)} by itself")


def _averaged_quantiles(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Aggregate):
        inner = examined.shape(query, node.expression)
        if node.operator in ("avg", "sum", "stddev", "stdvar") and inner.sort is Sort.QUANTILE:
            yield at(query, node, f"the {node.operator} of quantiles is no quantile of anything")


def _averaged_means(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Aggregate):
        inner = examined.shape(query, node.expression)
        if node.operator in ("avg", "sum") and inner.sort is Sort.MEAN:
            yield at(query, node, f"the {node.operator} of ratios weighs every series alike")


def _rates_of_sums(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call):
        if node.name not in RATES:
            continue
        argument = bare(node.arguments[0])
        if isinstance(argument, Subquery):
            sort = examined.shape(query, argument).sort
            summed = adds_up(argument) and sort in (Sort.COUNTER, Sort.BUCKET)
        elif isinstance(argument, MatrixSelector):
            sample = examined.known.sample(argument.vector.metric_name)
            summed = sample is not None and sample.metric.summed and sample.cumulative
        else:
            continue
        if summed:
            yield at(query, node, f"{node.name}() of counters that were put together before")


def _quantiles_out_of_range(examined: Examined) -> Iterator[Problem]:
    for query in examined.queries:
        for node in query.nodes():
            wanted: Expression | None = None
            if isinstance(node, Call) and node.name in ("histogram_quantile", "quantile_over_time"):
                wanted = node.arguments[0]
            elif isinstance(node, Aggregate) and node.operator == "quantile":
                wanted = node.parameter
            if isinstance(wanted, Number) and not 0 <= wanted.value <= 1:
                yield at(query, wanted, f"{wanted.value:g} is no quantile: they go from 0 to 1")


def _instant_rates_in_rules(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call, Role.ALERT):
        if node.name in ("irate", "idelta"):
            yield at(query, node, f"{node.name}() looks at the last two samples only")


CHECKS = (
    Check(
        id="rate-on-gauge",
        severity=Severity.ERROR,
        reason="rate, irate, increase and resets take each fall for a restart from zero.",
        repair="Use deriv, delta or avg_over_time for what goes up and down.",
        find=_rates_of_gauges,
    ),
    Check(
        id="delta-on-counter",
        severity=Severity.ERROR,
        reason="After a restart a counter begins at zero, which these functions take for a fall.",
        repair="Use rate or increase.",
        find=_slopes_of_counters,
    ),
    Check(
        id="raw-counter",
        severity=Severity.ERROR,
        reason="The value of a counter depends on when its process started.",
        repair="Put it into rate() or increase().",
        find=_raw_counters,
    ),
    Check(
        id="rate-of-sum",
        severity=Severity.ERROR,
        reason="When one of several counters restarts, their sum falls and the rate jumps.",
        repair="Take the rate first, then the sum.",
        find=_rates_of_sums,
    ),
    Check(
        id="quantile-without-le",
        severity=Severity.ERROR,
        reason="Without `le` there are no buckets to compute a quantile from.",
        repair="Add le to the grouping: sum by (le, ...) (...).",
        find=_quantiles_without_le,
    ),
    Check(
        id="quantile-of-no-histogram",
        severity=Severity.ERROR,
        reason="histogram_quantile needs the _bucket series of a histogram.",
        repair="Select the _bucket series; for a summary, its quantile label.",
        find=_quantiles_of_others,
    ),
    Check(
        id="quantile-out-of-range",
        severity=Severity.ERROR,
        reason="Outside of 0 to 1 the result is infinite.",
        repair="Write 0.95 for the 95th percentile.",
        find=_quantiles_out_of_range,
    ),
    Check(
        id="unaggregated-histogram",
        severity=Severity.WARNING,
        reason="A quantile of each label set by itself says little of the whole, and swings where "
        "traffic is low.",
        repair="Aggregate first: histogram_quantile(0.95, sum by (le) (rate(...))).",
        find=_unaggregated_histograms,
    ),
    Check(
        id="average-of-quantiles",
        severity=Severity.ERROR,
        reason="Quantiles cannot be averaged or added.",
        repair="Sum the buckets first and take the quantile last.",
        find=_averaged_quantiles,
    ),
    Check(
        id="average-of-ratios",
        severity=Severity.WARNING,
        reason="A series with one request counts as much as one with a million.",
        repair="Divide the sums: sum(rate(a)) / sum(rate(b)).",
        find=_averaged_means,
    ),
    Check(
        id="irate-in-alert",
        severity=Severity.WARNING,
        reason="One quiet moment resets the alert, one peak starts it.",
        repair="Use rate over a few minutes.",
        find=_instant_rates_in_rules,
    ),
)
