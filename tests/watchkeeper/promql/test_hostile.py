"""Queries that mean harm, or ask too much: a clear error, within limits, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest

from watchkeeper.errors import QueryError, QueryLimitError, QuerySyntaxError
from watchkeeper.matching import matches
from watchkeeper.model import Matcher, Series, labels
from watchkeeper.promql import Engine, QueryLimits, parse
from watchkeeper.series_columns import SeriesColumns

HOUR_MS = 3_600_000
MOMENTS = np.arange(0, HOUR_MS, 18_000)
LIMITS = QueryLimits(samples=300_000, steps=11_000, label_characters=1_000_000, seconds=600.0)
MOST_BYTES = 80_000_000
"""What a query may need beside its 300,000 samples: some arrays of them, and their labels."""


class Crowd:
    """Three hundred gauges, and as many series that take turns under one job."""

    def __init__(self) -> None:
        numbers = np.random.default_rng(2)
        self.series = [
            Series(
                labels({"__name__": "x", "n": str(n), "long": "a" * 2000 + "!"}),
                MOMENTS,
                numbers.random(len(MOMENTS)),
            )
            for n in range(300)
        ]
        self.series += [
            Series(labels({"__name__": "turn", "n": str(n)}), MOMENTS[n : n + 1], np.ones(1))
            for n in range(len(MOMENTS))
        ]

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        found = []
        for one in self.series:
            inside = (one.timestamps_ms >= start_ms) & (one.timestamps_ms <= end_ms)
            if inside.any() and matches(one.labels, tuple(matchers)):
                found.append(Series(one.labels, one.timestamps_ms[inside], one.values[inside]))
        return SeriesColumns.of(found)


CROWD = Crowd()


def refusal(query: str, *, step_ms: int = 18_000) -> str:
    """Return why a range query is refused; fails if that takes much memory."""
    engine = Engine(CROWD, limits=LIMITS, lookback_ms=18_000)
    tracemalloc.start()
    try:
        with pytest.raises(QueryError) as error:
            engine.range(query, 0, HOUR_MS, step_ms)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES, f"{peak} bytes"
    return str(error.value)


def doubled(query: str, function: str, times: int) -> str:
    for _ in range(times):
        query = function % query
    return query


@pytest.mark.parametrize(
    "query",
    [
        "(" * 100_000,
        "(" * 100_000 + "x" + ")" * 100_000,
        "-" * 100_000 + "x",
        "abs(" * 50_000 + "x" + ")" * 50_000,
        "x[" * 50_000,
        "x[" + "(" * 50_000 + "5m" + ")" * 50_000 + "]",
        "sum by (a) (" * 20_000,
        "x" + "[1h:1m]" * 10_000,
        "2" + " ^ 2" * 50_000,
    ],
    ids=lambda one: one[:12],
)
def test_deep_nesting_is_refused_by_its_depth(query: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse(query)


@pytest.mark.parametrize(
    "query",
    ["x" + " + x" * 100_000, "x{" + ",".join(['a="b"'] * 50_000) + "}", "sum(x)#" + "-" * 10**6],
    ids=lambda one: one[:12],
)
def test_a_query_may_be_long_where_it_is_not_deep(query: str) -> None:
    parse(query)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("x[1h:1ms]", "must be Scalar or instant Vector"),
        ("max_over_time(x[1h:1ms])", "more than 300000 samples"),
        ("max_over_time(x[290y:1ms])", "more than 300000 samples"),
        ("sum_over_time(max_over_time(x[1h:1s])[1h:1s])", "more than 300000 samples"),
        ("x + x + x + x + x + x", "more than 300000 samples"),
        ("x[290y", "1:7: parse error"),
        ("sum_over_time(x[300y])", "duration out of range"),
        ("x offset 300y", "duration out of range"),
        ("rate(x[1e300])", "out of range"),
        ("x @ 1e300", "out of bounds"),
        ("x ^ " * 400 + "x", "nested more than"),
        ('count_values("v", x)', "more than 300000 samples"),
        ("turn * on () group_left () turn", "more than 300000 samples"),
        ("histogram_quantiles(x, 'q'" + ", 0.5" * 50 + ")", "at most 12 argument(s)"),
        (doubled("x", 'label_replace(%s, "n", "$1$1", "n", "(.*)")', 25), "1000000 characters"),
        (doubled("x", 'label_join(%s, "n", "", "n", "n")', 25), "1000000 characters"),
        ('label_replace(x, "n", "' + "$1" * 50_000 + '", "long", "(.*)")', "1000000 characters"),
        ('x{long=~"((a{0,1000}){0,1000}){0,1000}"}', "error parsing regexp"),
        ('label_replace(x, "n", "", "n", "(")', "invalid regular expression"),
    ],
    ids=lambda one: one[:40],
)
def test_too_much_is_refused_in_words(query: str, reason: str) -> None:
    assert reason in refusal(query)


def test_what_is_the_same_at_every_step_counts_at_every_step() -> None:
    assert "more than 300000 samples" in refusal("x @ 1800", step_ms=400)


def test_a_million_steps_are_refused() -> None:
    assert "3600001 steps, more than the limit of 11000" in refusal("x", step_ms=1)


def test_a_selector_of_too_many_series_is_refused() -> None:
    engine = Engine(CROWD, limits=QueryLimits(series=100))
    with pytest.raises(QueryLimitError, match="300 series, more than the limit of 100"):
        engine.instant("x", 0)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}", "(a*)*b"])
def test_a_regex_takes_time_by_the_length_of_its_text_alone(pattern: str) -> None:
    engine = Engine(CROWD, limits=LIMITS)
    assert engine.instant(f'x{{long=~"{pattern}"}}', 60_000).labels == []
    replaced = engine.instant(f'label_replace(x, "m", "$1", "long", "{pattern}")', 60_000)
    assert len(replaced.labels) == 300


class Rushing:
    """A clock on which all time has passed after a few looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def time_ns(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        self.looks -= 1
        return 0 if self.looks >= 0 else 10**12


@pytest.mark.parametrize(
    ("query", "looks"),
    [
        ("stddev_over_time(x[1h])", 4),
        ("quantile_over_time(0.5, x[1h])", 5),
        ("rate(x[1h])", 4),
        ("predict_linear(x[1h], 60)", 5),
        ("stddev_over_time(abs(x)[1h:18s])", 6),
    ],
)
def test_walking_through_windows_is_stopped_by_time(query: str, looks: int) -> None:
    """The looks are those at the start, at each expression and at what is read."""
    with pytest.raises(QueryLimitError, match="took more than"):
        Engine(CROWD, clock=Rushing(looks)).range(query, 0, HOUR_MS, 18_000)
