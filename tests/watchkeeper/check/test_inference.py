"""What is said of an expression beforehand holds for what the engine then gives."""

from math import isnan

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchkeeper.check.inference import infer
from watchkeeper.check.known import Known, KnownLabel, KnownMetric
from watchkeeper.check.query import Role, query_of
from watchkeeper.check.shape import Sort
from watchkeeper.check.source import Source, Text
from watchkeeper.check.unit import Unit
from watchkeeper.errors import QueryError
from watchkeeper.model import METRIC_NAME, MetricType, SampleBatch, labels
from watchkeeper.promql import Engine
from watchkeeper.storage.memory_metrics import MemoryMetricStore
from watchkeeper.testing import FakeClock

BUCKETS = (0.1, 1.0, 10.0)
NOW_MS = 1_700_000_000_000
STEP_MS = 15_000
SAMPLES = 40


def label(name: str, *values: str) -> KnownLabel:
    return KnownLabel(name, frozenset(values) if values else None)


KNOWN = Known(
    (
        KnownMetric(
            "requests_total",
            MetricType.COUNTER,
            {"code": label("code", "200", "500"), "path": label("path")},
        ),
        KnownMetric(
            "wait_seconds",
            MetricType.HISTOGRAM,
            {"path": label("path")},
            unit="seconds",
            buckets=BUCKETS,
        ),
        KnownMetric("depth", MetricType.GAUGE, {"queue": label("queue", "a", "b")}),
        KnownMetric("held_bytes", MetricType.GAUGE, {}, unit="bytes"),
    ),
    closed=True,
)


def store() -> MemoryMetricStore:
    """Forty scrapes of two instances, the second restarted half-way."""
    chance = np.random.default_rng(7)
    kept = MemoryMetricStore()
    targets = [{"job": "shop", "instance": one} for one in ("x", "y")]
    rows: list[tuple[dict[str, str], np.ndarray]] = []
    for target in targets:
        for code in ("200", "500"):
            for path in ("/", "/cart"):
                grown = chance.integers(0, 5, SAMPLES).cumsum().astype(float)
                if target["instance"] == "y":
                    grown[SAMPLES // 2 :] -= grown[SAMPLES // 2]
                own = {METRIC_NAME: "requests_total", "code": code, "path": path}
                rows.append(({**target, **own}, grown))
        for path in ("/", "/cart"):
            total = chance.integers(1, 6, SAMPLES).cumsum().astype(float)
            for bound, share in (("0.1", 0.3), ("1", 0.6), ("10", 0.9), ("+Inf", 1.0)):
                own = {METRIC_NAME: "wait_seconds_bucket", "path": path, "le": bound}
                rows.append(({**target, **own}, np.floor(total * share)))
            for part, factor in (("count", 1.0), ("sum", 0.7)):
                own = {METRIC_NAME: f"wait_seconds_{part}", "path": path}
                rows.append(({**target, **own}, total * factor))
        for queue in ("a", "b"):
            own = {METRIC_NAME: "depth", "queue": queue}
            rows.append(({**target, **own}, chance.normal(0, 20, SAMPLES)))
        rows.append(({**target, METRIC_NAME: "held_bytes"}, chance.normal(1e6, 1e5, SAMPLES)))
        rows.append(({**target, METRIC_NAME: "up"}, chance.integers(0, 2, SAMPLES).astype(float)))
    times = NOW_MS - STEP_MS * np.arange(SAMPLES)[::-1]
    for pairs, values in rows:
        kept.append(SampleBatch([labels(pairs)] * SAMPLES, times.astype(np.int64), values))
    return kept


ENGINE = Engine(store(), clock=FakeClock())
COUNTERS = (
    "requests_total",
    'requests_total{code="500"}',
    'requests_total{code=~"5..", path="/"}',
    "wait_seconds_count",
    "wait_seconds_bucket",
    "wait_seconds_sum",
)
GAUGES = ("depth", 'depth{queue="a"}', "held_bytes", "up", 'up{job="gone"}')
GROUPINGS = ("", "by (path)", "by (code, job)", "by (le)", "without (code)", "by (queue)")
NUMBERS = st.sampled_from(["0", "1", "2", "100", "0.5", "-3"])


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds(
            lambda operator, grouping, one: f"{operator} {grouping} ({one})",
            st.sampled_from(["sum", "avg", "min", "max", "count", "group", "stddev"]),
            st.sampled_from(GROUPINGS),
            inner,
        ),
        st.builds(lambda one: f"topk(1, {one})", inner),
        st.builds(
            lambda left, operator, right: f"({left}) {operator} ({right})",
            inner,
            st.sampled_from(OPERATORS),
            inner | NUMBERS,
        ),
        st.builds(
            lambda name, one: f"{name}({one})",
            st.sampled_from(["abs", "ceil", "absent", "timestamp", "sort", "scalar"]),
            inner,
        ),
        st.builds(
            lambda limits, one: limits.format(one),
            st.sampled_from(["clamp({}, 1, 5)", "clamp_min({}, 2)", "clamp_max({}, 3)"]),
            inner,
        ),
        st.builds(
            lambda name, one: f"{name}(({one})[2m:15s])",
            st.sampled_from(["avg_over_time", "max_over_time", "sum_over_time", "count_over_time"]),
            inner,
        ),
        st.builds(lambda one: f'label_replace({one}, "path", "$1", "job", "(.*)")', inner),
    )


OPERATORS = (
    *("+", "-", "*", "/", "%", "^", ">", "<", ">= bool", "==", "and", "or", "unless"),
    *("/ on (job)", "and on (path)", "* on (instance) group_left ()", "/ ignoring (code)"),
)
LEAVES = (
    st.builds(
        lambda name, one: f"{name}({one}[1m])",
        st.sampled_from(["rate", "increase", "irate", "changes"]),
        st.sampled_from(COUNTERS),
    )
    | st.builds(
        lambda name, one: f"{name}({one}[1m])",
        st.sampled_from(["delta", "deriv", "avg_over_time", "min_over_time"]),
        st.sampled_from(GAUGES),
    )
    | st.sampled_from(COUNTERS + GAUGES)
    | st.sampled_from(["vector(0)", "vector(time())", "time()", 'absent(up{job="gone"})'])
    | st.just("histogram_quantile(0.9, sum by (le, path) (rate(wait_seconds_bucket[1m])))")
    | st.just('sum(rate(requests_total{code="500"}[1m])) / sum(rate(requests_total[1m]))')
)
EXPRESSIONS = st.recursive(LEAVES, deeper, max_leaves=6)


def shape_and_result(expression: str):
    source = Source("query", expression)
    query = query_of(Text(expression, source, 0, len(expression)), Role.QUERY, "query")
    if query.tree is None:
        return None
    try:
        result = ENGINE.instant(expression, NOW_MS)
    except QueryError:
        return None
    return infer(query, KNOWN)[id(query.tree)], result


@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(EXPRESSIONS)
def test_labels_and_bounds_hold_for_what_the_engine_gives(expression):
    both = shape_and_result(expression)
    if both is None:
        return
    shape, result = both
    for pairs, row, present in zip(result.labels, result.values, result.present, strict=True):
        if not present[0]:
            continue
        found = {name: value for name, value in pairs if name != METRIC_NAME}
        assert all(shape.labels.may_have(name) for name in found), (found, shape)
        assert shape.labels.certain <= found.keys(), (found, shape)
        for name, values in shape.labels.values.items():
            assert found.get(name, "") in values | {""}, (found, shape)
        value = float(row[0])
        if isnan(value):
            continue
        slack = 1e-9 * max(1.0, abs(value))
        assert shape.low - slack <= value <= shape.high + slack, (value, shape)
    if shape.present:
        assert len(result.labels) > 0, shape


def root(expression: str):
    both = shape_and_result(expression)
    assert both is not None
    return both[0]


def test_a_part_of_a_whole_is_a_ratio_from_0_to_1():
    shape = root('sum(rate(requests_total{code="500"}[1m])) / sum(rate(requests_total[1m]))')
    assert (shape.low, shape.high, shape.unit) == (0.0, 1.0, Unit("ratio"))


def test_units_are_followed_through_arithmetic():
    assert root("rate(wait_seconds_sum[1m]) / rate(wait_seconds_count[1m])").unit == Unit("seconds")
    assert root("held_bytes / 1024 / 1024").unit == Unit("mebibytes")
    assert root("rate(requests_total[1m])").unit == Unit("1", per_second=True)
    assert root("held_bytes / held_bytes * 100").unit == Unit("percent")
    assert root("held_bytes + depth").unit is None


def test_a_quantile_lies_below_the_largest_bucket():
    shape = root("histogram_quantile(0.9, sum by (le) (rate(wait_seconds_bucket[1m])))")
    assert (shape.sort, shape.high, shape.unit) == (Sort.QUANTILE, 10.0, Unit("seconds"))


def test_traffic_that_may_be_zero_makes_a_ratio_that_may_be_no_number():
    ratio = "sum(rate(requests_total[1m])) / sum(rate(wait_seconds_count[1m]))"
    assert root(ratio).nan
    assert not root(f"({ratio}) > 0").nan
    assert not root(ratio.replace("[1m]))", "[1m])) > 0", 2)).nan
