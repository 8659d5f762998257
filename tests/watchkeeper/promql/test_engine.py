from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest

from watchkeeper.errors import QueryError, QueryLimitError, QuerySyntaxError
from watchkeeper.promql import Engine, QueryLimits, ResultType, parse
from watchkeeper.promql import format as format_expression
from watchkeeper.promql.selection import is_stale
from watchkeeper.promql.series_notation import STALE

MINUTE = 60_000
Ask = Callable[[str, int], dict[str, float]]


class Stopwatch:
    """A clock that goes on by `step_ns` each time it is read."""

    def __init__(self, step_ns: int) -> None:
        self.now, self.step_ns = 0, step_ns

    def time_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        self.now += self.step_ns
        return self.now


def test_a_result_tells_absence_from_nan(shelf) -> None:
    shelf.put([0, MINUTE, 20 * MINUTE], [1, math.nan, 3], name="x")
    result = Engine(shelf, lookback_ms=90_000).range("x", 0, 3 * MINUTE, MINUTE)
    assert result.type is ResultType.MATRIX
    assert result.present.tolist() == [[True, True, True, False]]
    assert math.isnan(result.values[0, 1])


def test_a_window_is_open_on_the_left(shelf, ask: Ask) -> None:
    shelf.put([0, MINUTE, 2 * MINUTE], [1, 10, 100], name="x")
    assert ask("sum_over_time(x[2m])", 2 * MINUTE) == {"{}": 110.0}
    assert ask("x", 2 * MINUTE + 300_000 - 1) == {'{__name__="x"}': 100.0}
    assert ask("x", 2 * MINUTE + 300_000) == {}


def test_a_stale_marker_ends_a_series_and_another_nan_does_not(shelf, ask: Ask) -> None:
    shelf.put([0, MINUTE], [1, STALE], name="gone")
    shelf.put([0, MINUTE], [1, math.nan], name="odd")
    assert ask("gone", MINUTE) == {}
    assert math.isnan(ask("odd", MINUTE)['{__name__="odd"}'])
    assert ask("count_over_time(gone[5m])", MINUTE) == {"{}": 1.0}


def test_stale_markers_are_told_by_their_bits() -> None:
    assert is_stale(np.array([STALE, math.nan, 1.0])).tolist() == [True, False, False]


def test_a_counter_that_fell_goes_on_from_zero(shelf, ask: Ask) -> None:
    shelf.put([0, 15_000, 30_000, 45_000, 60_000], [100, 130, 10, 40, 70], name="x_total")
    assert ask("increase(x_total[1m])", MINUTE) == pytest.approx({"{}": 70 * 60 / 45})
    assert ask("resets(x_total[1m])", MINUTE) == {"{}": 1.0}


def test_a_selector_is_read_once_however_often_it_stands(shelf, ask: Ask) -> None:
    shelf.put([0], [2], name="x")
    assert ask("x * x + x", 0) == {"{}": 6.0}
    assert len(shelf.asked) == 1


def test_a_query_reads_no_more_than_it_needs(shelf) -> None:
    shelf.put([0], [2], name="x")
    Engine(shelf).range("rate(x[5m] offset 1m)", 10 * MINUTE, 20 * MINUTE, MINUTE)
    assert shelf.asked[0][1:] == (4 * MINUTE + 1, 19 * MINUTE)


def test_a_tree_may_be_asked_in_place_of_its_text(shelf) -> None:
    shelf.put([0], [2], name="x")
    engine = Engine(shelf)
    assert engine.instant(parse("x + 1"), 0).values.tolist() == [[3.0]]


def test_a_scalar_is_one_element_for_a_rule(shelf, ask: Ask) -> None:
    assert ask("1 + 1", 0) == {"{}": 2.0}


def test_a_string_or_range_is_refused_for_a_rule(shelf) -> None:
    for query in ('"a"', "x[5m]"):
        with pytest.raises(QueryError, match="a rule needs a vector or a scalar"):
            Engine(shelf).vector(query, 0)


def test_a_range_vector_comes_back_as_its_samples(shelf) -> None:
    shelf.put([10, 20, 30], [1, 2, 3], name="x", i="1")
    shelf.put([15, 30], [4, 5], name="x", i="2")
    result = Engine(shelf).instant("x[20ms]", 30)
    assert result.type is ResultType.MATRIX
    assert result.timestamps_ms.tolist() == [15, 20, 30]
    assert result.present.tolist() == [[False, True, True], [True, False, True]]


def test_results_are_ordered_by_labels_except_where_order_was_asked_for(shelf) -> None:
    for number, value in (("1", 5), ("2", 9), ("3", 7)):
        shelf.put([0], [value], name="x", i=number)
    engine = Engine(shelf)
    order = [dict(labels)["i"] for labels in engine.instant("x", 0).labels]
    ranked = [dict(labels)["i"] for labels in engine.instant("sort_desc(x)", 0).labels]
    assert (order, ranked) == (["1", "2", "3"], ["2", "3", "1"])


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (QueryLimits(samples=10), "more than 10 samples"),
        (QueryLimits(series=1), "x selects 2 series, more than the limit of 1"),
        (QueryLimits(steps=5), "11 steps, more than the limit of 5"),
    ],
)
def test_a_query_over_a_limit_says_which_and_how_much(shelf, limits, message) -> None:
    for number in "12":
        shelf.put(range(0, 600_000, 15_000), range(40), name="x", i=number)
    with pytest.raises(QueryLimitError, match=message):
        Engine(shelf, limits=limits).range("x", 0, 600_000, MINUTE)


def test_a_query_that_takes_too_long_is_stopped(shelf) -> None:
    engine = Engine(shelf, limits=QueryLimits(seconds=5), clock=Stopwatch(2_000_000_000))
    with pytest.raises(QueryLimitError, match="more than 5 s"):
        engine.instant("1 + 2 + 3 + 4", 0)


def test_a_query_that_nobody_waits_for_is_stopped(shelf) -> None:
    with pytest.raises(QueryLimitError, match="cancelled"):
        Engine(shelf).instant("1 + 2", 0, cancelled=lambda: True)


def test_nonsense_in_the_range_is_refused(shelf) -> None:
    engine = Engine(shelf)
    with pytest.raises(QueryError, match="step"):
        engine.range("x", 0, 10, 0)
    with pytest.raises(QueryError, match="before its start"):
        engine.range("x", 10, 0, 1)
    with pytest.raises(QueryError, match="range vector"):
        engine.range("x[5m]", 0, 10, 1)
    with pytest.raises(QuerySyntaxError):
        engine.instant("sum(", 0)


def test_a_warning_names_its_place(shelf) -> None:
    result = Engine(shelf).instant("quantile(\n 2, x)", 0)
    assert result.warnings == (
        "PromQL warning: quantile value should be between 0 and 1, got 2 (2:2)",
    )


def test_own_timestamps_and_shared_ones_give_the_same_windows(shelf) -> None:
    rng = np.random.default_rng(7)
    times = np.arange(0, 3_600_000, 15_000)
    values = rng.random(len(times)).cumsum()
    shelf.put(times, values, name="x", i="1")
    shelf.put(times, values, name="x", i="2")
    shared = Engine(shelf).range("rate(x[2m])", 600_000, 3_000_000, 30_000)
    shelf.put(times[3:], values[3:], name="x", i="3")
    own = Engine(shelf).range("rate(x[2m])", 600_000, 3_000_000, 30_000)
    assert (own.values[:2] == shared.values).all()
    assert (own.present[:2] == shared.present).all()


def test_a_range_query_agrees_with_instant_queries_at_its_steps(shelf) -> None:
    rng = np.random.default_rng(11)
    for number in range(4):
        times = np.sort(rng.choice(np.arange(0, 1_200_000, 1000), 60, replace=False))
        shelf.put(times, rng.integers(0, 50, 60), name="x", i=str(number), j=str(number % 2))
    engine = Engine(shelf)
    for query in (
        "rate(x[3m])",
        "sum by (j) (x)",
        "topk(1, x)",
        "quantile_over_time(0.3, x[4m])",
        "stddev_over_time(x[4m])",
        "deriv(x[4m])",
        "x > on (i) group_left () (x offset 1m)",
        "max_over_time(sum by (j) (x)[5m:20s])",
    ):
        whole = engine.range(query, 300_000, 900_000, 45_000)
        for column, moment in enumerate(whole.timestamps_ms.tolist()):
            alone = engine.instant(query, moment)
            shown = {
                labels: value
                for labels, value, present in zip(
                    whole.labels, whole.values[:, column], whole.present[:, column], strict=True
                )
                if present
            }
            expected = dict(zip(alone.labels, alone.values[:, 0], strict=True))
            assert shown == pytest.approx(expected, nan_ok=True), query


@pytest.mark.parametrize(
    "query",
    [
        "max_over_time(x[100y:1ms])",
        "sum_over_time(max_over_time(x[1y:1s])[1y:1s])",
        "+".join(["x"] * 5000),
        " or ".join(["x"] * 5000),
        "x @ 9e15",
        "x offset 290y",
        "x[290y]",
        "x[1e300]",
        'label_replace(x, "a", "$1", "b", "((((a*)*)*)*)*c")',
        'x{a=~"(.*)*(.*)*(.*)*b"}',
        "x ^ x ^ x ^ 1e308",
        "x[step()]",
        "x[5m/0]",
        "quantile_over_time(2, x[290y])",
    ],
)
def test_a_hostile_query_ends_in_an_answer_or_a_clear_error(shelf, query: str) -> None:
    shelf.put([0, MINUTE], [1, 2], name="x")
    with suppress(QueryError):
        Engine(shelf).instant(query, MINUTE)
    with suppress(QueryError):
        Engine(shelf).range(query, 0, 10 * MINUTE, MINUTE)


def test_what_a_query_would_compute_counts_before_it_is_computed(shelf) -> None:
    for number in range(10):
        shelf.put([0], [1], name="x", i=str(number))
    engine = Engine(shelf, limits=QueryLimits(samples=5000))
    with pytest.raises(QueryLimitError, match="more than 5000 samples"):
        engine.range("x", 0, 1000 * 1000, 1000)


@pytest.mark.parametrize("query", ["mad_over_time(up[5m])", "limitk(1, up)", "sum(info(up))"])
def test_experimental_functions_can_be_refused(shelf, query: str) -> None:
    Engine(shelf).instant(query, 0)
    careful = Engine(shelf, limits=QueryLimits(experimental_functions=False))
    with pytest.raises(QuerySyntaxError, match=r"1:\d+: .*enable.*promql-experimental-functions"):
        careful.instant(query, 0)
    careful.instant("max_over_time(up[5m])", 0)


@pytest.mark.parametrize("operator", ["+", "or", "== bool"])
def test_a_chain_of_operators_may_be_long(shelf, operator: str) -> None:
    shelf.put([0], [1.0], name="up")
    query = f" {operator} ".join(["up"] * 2000)
    assert format_expression(parse(query)) == query
    assert Engine(shelf).vector(query, 0)[0].value == (2000 if operator == "+" else 1)


@pytest.mark.filterwarnings("error")
def test_infinities_are_values_and_no_warnings(shelf) -> None:
    shelf.put([0, 10_000, 20_000], [math.inf, 1, math.inf], name="x")
    for query in ("rate(x[1m])", "x - x", "x * 0", "sum_over_time(x[1m]) - Inf", "x ^ x % 0"):
        Engine(shelf).range(query, 0, 30_000, 10_000)
