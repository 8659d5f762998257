"""The shapes of every part of an expression, from the leaves up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil, floor, inf, isfinite

from watchkeeper.check.arithmetic import binary_shape
from watchkeeper.check.known import ALWAYS_THERE, Known, KnownSample
from watchkeeper.check.query import Query
from watchkeeper.check.shape import NO_LABELS, LabelSet, Shape, Sort
from watchkeeper.check.unit import COUNT, TIMESTAMP, Unit, unit_by_name
from watchkeeper.matching import predicate
from watchkeeper.model import METRIC_NAME, Matcher, MatchOperator, MetricType
from watchkeeper.promql import Expression, VectorSelector
from watchkeeper.promql.signatures import FUNCTIONS, SCALAR
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    MatrixSelector,
    Number,
    Parens,
    String,
    Subquery,
    Unary,
)

Shapes = Mapping[int, Shape]
"""The shape of each node, by `id` of the node."""

RATES = frozenset({"rate", "irate", "increase"})
"""What only makes sense of a counter."""

_PARTS = frozenset({"min", "max", "avg", "quantile", "topk", "bottomk", "limitk", "limit_ratio"})
_SELECTING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_SAME = frozenset(
    {"sort", "sort_desc", "sort_by_label", "sort_by_label_desc"}
    | {"last_over_time", "first_over_time", "min_over_time", "max_over_time", "quantile_over_time"}
    | {"info", "histogram_avg"}
)
_COUNTS = frozenset({"changes", "resets", "count_over_time", "histogram_count"})
_ONES = frozenset({"absent", "absent_over_time", "present_over_time"})
_NOW = 1.6e9


def infer(query: Query, known: Known) -> dict[int, Shape]:
    """Return the shape of every node of a query; nothing if it does not parse."""
    shapes: dict[int, Shape] = {}
    for node in reversed(list(query.nodes())):
        shapes[id(node)] = _SHAPES[type(node)](node, shapes, query, known)
    return shapes


def _leaf(node: Expression, *_: object) -> Shape:
    if isinstance(node, Number):
        return Shape(NO_LABELS, low=node.value, high=node.value, scalar=True, present=True)
    return Shape(NO_LABELS, scalar=True, present=True)


def _through(node: Expression, shapes: Shapes, *_: object) -> Shape:
    assert isinstance(node, MatrixSelector | Subquery | Parens)
    inner = node.vector if isinstance(node, MatrixSelector) else node.expression
    return shapes[id(inner)]


def _negated(node: Expression, shapes: Shapes, *_: object) -> Shape:
    assert isinstance(node, Unary)
    shape = shapes[id(node.operand)]
    if node.operator == "+":
        return shape
    return replace(shape, low=-shape.high, high=-shape.low, sort=Sort.OTHER)


def _selected(node: Expression, shapes: Shapes, query: Query, known: Known) -> Shape:
    assert isinstance(node, VectorSelector)
    name = node.metric_name
    sample = known.sample(name) if not name.startswith("_" * 2) else None
    if sample is None:
        return Shape(_narrowed(LabelSet(), node, query))
    metric = sample.metric
    names = set(metric.labels)
    if sample.part == "bucket":
        names.add("le")
    if sample.part == "quantile":
        names.add("quantile")
    own_targets = frozenset() if metric.recorded or metric.origin == "prometheus" else ALWAYS_THERE
    labels = LabelSet(
        possible=frozenset(names) | (frozenset() if metric.recorded else known.target_labels)
        if metric.complete
        else None,
        certain=frozenset(names) | own_targets,
        values={
            label.name: label.values for label in metric.labels.values() if label.values is not None
        },
    )
    low, high = metric.bounds or ((0.0, inf) if sample.cumulative else (-inf, inf))
    return Shape(
        labels=_narrowed(labels, node, query),
        sort=_sort_of(sample),
        unit=_unit_of(sample, name),
        low=low,
        high=high,
        nan=metric.may_be_nan,
        metrics=(metric,),
    )


def _narrowed(labels: LabelSet, node: VectorSelector, query: Query) -> LabelSet:
    """Return what matchers leave of the values of labels."""
    values = dict(labels.values)
    certain = set(labels.certain)
    for matcher in node.matchers:
        if matcher.name == METRIC_NAME or query.is_open(matcher):
            continue
        if matcher.name in values:
            values[matcher.name] = allowed(values[matcher.name], matcher)
        elif matcher.operator is MatchOperator.EQUAL and matcher.value:
            values[matcher.name] = frozenset({matcher.value})
        if matcher.operator is MatchOperator.EQUAL and matcher.value:
            certain.add(matcher.name)
    return replace(labels, values=values, certain=frozenset(certain))


def allowed(values: frozenset[str], matcher: Matcher) -> frozenset[str]:
    """Return those of the values that fulfil a matcher."""
    try:
        holds = predicate(matcher)
    except ValueError:
        return values
    return frozenset(value for value in values if holds(value))


def _sort_of(sample: KnownSample) -> Sort:
    if sample.metric.recorded:
        return Sort.COUNTER if sample.cumulative else Sort.OTHER
    if sample.part == "bucket":
        return Sort.BUCKET
    if sample.part == "quantile":
        return Sort.QUANTILE
    if sample.cumulative:
        return Sort.COUNTER
    return Sort.GAUGE if sample.metric.type is MetricType.GAUGE else Sort.OTHER


def _unit_of(sample: KnownSample, name: str) -> Unit | None:
    if sample.part in ("bucket", "count"):
        return Unit(COUNT)
    by_name = unit_by_name(name)
    if by_name == TIMESTAMP:
        return Unit(TIMESTAMP)
    unit = sample.metric.unit or by_name
    if unit:
        return Unit(unit)
    return Unit(COUNT) if sample.cumulative and sample.part != "sum" else None


def _aggregated(node: Expression, shapes: Shapes, *_: object) -> Shape:
    assert isinstance(node, Aggregate)
    inner = shapes[id(node.expression)]
    labels = _grouped_labels(node, inner.labels)
    shape = replace(inner, labels=labels, grouped=True)
    if node.operator in _SELECTING:
        return replace(shape, labels=inner.labels, grouped=inner.grouped)
    if node.operator in _PARTS:
        return replace(shape, nan=shape.nan and node.operator not in ("min", "max"))
    if node.operator == "sum":
        low = inner.low if inner.low >= 0 else -inf
        return replace(shape, low=low, high=inf if inner.high > 0 else 0.0)
    if node.operator == "group":
        return replace(shape, low=1.0, high=1.0, unit=Unit(COUNT), sort=Sort.OTHER)
    if node.operator in ("count", "count_values"):
        return replace(shape, low=1.0, high=inf, unit=Unit(COUNT), sort=Sort.OTHER)
    return replace(shape, low=0.0, high=inf, sort=Sort.OTHER, unit=None)


def _grouped_labels(node: Aggregate, labels: LabelSet) -> LabelSet:
    kept = labels.drop(node.grouping) if node.without else labels.keep(node.grouping)
    if node.operator == "count_values" and isinstance(node.parameter, String):
        return kept.add(node.parameter.value)
    return kept


def _called(node: Expression, shapes: Shapes, query: Query, known: Known) -> Shape:
    assert isinstance(node, Call)
    special = _FUNCTIONS.get(node.name)
    if special is not None:
        return special(node, shapes)
    vectors = [one for one in node.arguments if not shapes[id(one)].scalar]
    inner = shapes[id(vectors[0])] if vectors else Shape(NO_LABELS)
    is_scalar = FUNCTIONS[node.name].result is SCALAR
    if node.name in _SAME:
        return replace(inner, scalar=is_scalar, labels=NO_LABELS if is_scalar else inner.labels)
    plain = replace(inner, sort=Sort.OTHER, unit=None, low=-inf, high=inf, scalar=is_scalar)
    if node.name in _COUNTS:
        return replace(plain, unit=Unit(COUNT), low=0.0)
    return plain


def _rate(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    unit = inner.unit
    if unit is not None:
        unit = unit.total() if node.name == "increase" else unit.rate()
    sort = Sort.BUCKET if inner.sort is Sort.BUCKET else Sort.RATE
    return replace(inner, sort=sort, unit=unit, low=0.0, high=inf)


def _growth(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    unit = inner.unit
    if unit is not None:
        unit = unit.rate() if node.name == "deriv" else unit.total()
    return replace(inner, sort=Sort.OTHER, unit=unit, low=-inf, high=inf)


def _quantile(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[1])]
    metric = inner.metrics[0] if len(inner.metrics) == 1 else None
    unit = None
    if metric is not None:
        name = metric.unit or unit_by_name(metric.name)
        unit = Unit(name) if name else None
    buckets = metric.buckets if metric is not None else ()
    return replace(
        inner,
        labels=inner.labels.drop({"le"}),
        sort=Sort.QUANTILE,
        unit=unit,
        low=0.0 if buckets and buckets[0] > 0 else -inf,
        high=buckets[-1] if buckets else inf,
    )


def _mean(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    sort = inner.sort if inner.sort is Sort.QUANTILE else Sort.GAUGE
    return replace(inner, sort=sort)


def _over_time(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    low = inner.low if inner.low >= 0 else -inf
    return replace(inner, sort=Sort.OTHER, low=low, high=inf if inner.high > 0 else 0.0)


def _one(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    argument = node.arguments[0]
    if isinstance(argument, MatrixSelector):
        argument = argument.vector
    labels = inner.labels if node.name == "present_over_time" else NO_LABELS
    if isinstance(argument, VectorSelector) and node.name != "present_over_time":
        equal = frozenset(
            matcher.name
            for matcher in argument.matchers
            if matcher.operator is MatchOperator.EQUAL and matcher.name != METRIC_NAME
        )
        labels = LabelSet(possible=equal, certain=equal)
    return Shape(labels, unit=Unit(COUNT), low=1.0, high=1.0, filtered=True)


def _time(node: Call, shapes: Shapes) -> Shape:
    return Shape(NO_LABELS, unit=Unit(TIMESTAMP), low=_NOW, high=inf, scalar=True, present=True)


def _timestamp(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    return replace(inner, sort=Sort.OTHER, unit=Unit(TIMESTAMP), low=0.0, high=inf)


def _vector(node: Call, shapes: Shapes) -> Shape:
    return replace(shapes[id(node.arguments[0])], scalar=False, present=True)


def _scalar(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    return replace(inner, labels=NO_LABELS, scalar=True, present=True, grouped=True)


def _relabelled(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    target = node.arguments[1]
    name = target.value if isinstance(target, String) else ""
    labels = inner.labels.add(name)
    return replace(inner, labels=replace(labels, certain=inner.labels.certain - {name}))


def _clamped(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    least = Shape(low=-inf, high=-inf)
    most = Shape(low=inf, high=inf)
    if node.name != "clamp_max":
        least = shapes[id(node.arguments[1])]
    if node.name != "clamp_min":
        most = shapes[id(node.arguments[-1])]
    low = min(max(inner.low, least.low), most.low)
    high = min(max(inner.high, least.high), most.high)
    return replace(inner, sort=Sort.OTHER, low=low, high=high)


def _absolute(node: Call, shapes: Shapes) -> Shape:
    return replace(shapes[id(node.arguments[0])], sort=Sort.OTHER, low=0.0, high=inf)


def _rounded(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[0])]
    if len(node.arguments) > 1:
        return replace(inner, low=-inf, high=inf)
    low = floor(inner.low) if isfinite(inner.low) else inner.low
    return replace(inner, low=low, high=ceil(inner.high) if isfinite(inner.high) else inner.high)


def _calendar(node: Call, shapes: Shapes) -> Shape:
    if not node.arguments:
        return Shape(NO_LABELS, low=0.0, high=9999.0, present=True)
    return replace(shapes[id(node.arguments[0])], unit=None, sort=Sort.OTHER, low=0.0, high=9999.0)


def _fraction(node: Call, shapes: Shapes) -> Shape:
    inner = shapes[id(node.arguments[2])]
    labels = inner.labels.drop({"le"})
    return replace(inner, labels=labels, sort=Sort.OTHER, unit=Unit("ratio"), low=0.0, high=1.0)


_FUNCTIONS: dict[str, Callable[[Call, Shapes], Shape]] = {
    **dict.fromkeys(RATES, _rate),
    **dict.fromkeys(("delta", "idelta", "deriv"), _growth),
    **dict.fromkeys(_ONES, _one),
    **dict.fromkeys(("label_replace", "label_join"), _relabelled),
    **dict.fromkeys(("clamp", "clamp_max", "clamp_min"), _clamped),
    **dict.fromkeys(
        [
            "day_of_month",
            "day_of_week",
            "day_of_year",
            "days_in_month",
            "hour",
            "minute",
            "month",
            "year",
        ],
        _calendar,
    ),
    "histogram_quantile": _quantile,
    "histogram_fraction": _fraction,
    "avg_over_time": _mean,
    "sum_over_time": _over_time,
    "time": _time,
    "timestamp": _timestamp,
    "vector": _vector,
    "scalar": _scalar,
    **dict.fromkeys(("ceil", "floor", "round"), _rounded),
    "abs": _absolute,
}


def _combined(node: Expression, shapes: Shapes, query: Query, known: Known) -> Shape:
    assert isinstance(node, Binary)
    return binary_shape(node, shapes[id(node.left)], shapes[id(node.right)])


_Inferred = Callable[[Expression, Shapes, Query, Known], Shape]
_SHAPES: dict[type, _Inferred] = {
    Number: _leaf,
    String: _leaf,
    VectorSelector: _selected,
    MatrixSelector: _through,
    Subquery: _through,
    Parens: _through,
    Unary: _negated,
    Binary: _combined,
    Call: _called,
    Aggregate: _aggregated,
}
