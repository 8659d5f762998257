from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.promql import Expression, format, format_duration_ms, parse, pretty
from watchkeeper.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    DurationBinary,
    DurationCall,
    DurationLiteral,
    DurationParens,
    Matching,
    MatrixSelector,
    Number,
    Parens,
    Subquery,
    VectorSelector,
    Window,
)

NAMES = st.sampled_from(["up", "x_total", "job:x:rate5m", "sum", "offset", "bool", "inf", "ü.b"])
LABELS = st.sampled_from(["job", "code", "le", "k8s.pod", "by"])
TEXTS = st.text(max_size=6)
MATCHERS = st.builds(
    Matcher, LABELS, st.sampled_from([MatchOperator.EQUAL, MatchOperator.NOT_EQUAL]), TEXTS
)
LITERALS = st.builds(DurationLiteral, st.integers(1, 10**9).map(lambda ms: ms / 1000)) | st.builds(
    DurationLiteral, st.integers(1, 10**6).map(float), st.just(False)
)
DURATIONS = LITERALS | st.builds(
    DurationParens,
    st.builds(
        DurationBinary, st.sampled_from("+*"), LITERALS, st.just(DurationCall("step")) | LITERALS
    ),
)
MOMENTS = (
    st.none()
    | st.builds(At, st.integers(-(10**9), 10**10).map(float))
    | st.builds(At, bound=st.sampled_from(["start", "end"]))
)
VECTORS = st.builds(
    VectorSelector,
    NAMES,
    st.just(()) | st.tuples(MATCHERS) | st.tuples(MATCHERS, MATCHERS),
    st.none() | DURATIONS,
    MOMENTS,
)
MATRICES = st.builds(
    MatrixSelector,
    st.builds(
        VectorSelector,
        NAMES,
        offset=st.none() | DURATIONS,
        at=MOMENTS,
        window=st.sampled_from([Window.PLAIN, Window.ANCHORED]),
    ),
    DURATIONS,
)
NUMBERS = st.builds(
    Number,
    st.floats(allow_nan=False).map(abs) | st.just(math.nan) | st.integers(0, 10**6).map(float),
)
GROUPINGS = st.sampled_from([(), ("job",), ("code", "k8s.pod"), ("by", "le")])
MATCHINGS = st.just(Matching()) | st.builds(
    Matching,
    st.booleans(),
    GROUPINGS.filter(bool),
    st.sampled_from(["", "left"]),
    st.just(()),
    st.none() | st.just(0.5),
)


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    wrapped = st.builds(Parens, inner)
    side = inner | wrapped
    return (
        wrapped
        | st.builds(Aggregate, st.just("sum"), side, st.none(), GROUPINGS, st.booleans())
        | st.builds(Aggregate, st.just("topk"), side, st.builds(Number, st.just(3.0)), GROUPINGS)
        | st.builds(
            Binary,
            st.sampled_from(["+", "/", "^", ">"]),
            st.builds(Parens, inner) | VECTORS,
            st.builds(Parens, inner) | VECTORS,
            MATCHINGS,
        )
        | st.builds(Call, st.just("abs"), st.tuples(side))
        | st.builds(
            Call,
            st.just("max_over_time"),
            st.tuples(
                st.builds(
                    Subquery,
                    st.builds(Parens, inner),
                    DURATIONS,
                    st.none() | DURATIONS,
                    st.none() | DURATIONS,
                    MOMENTS,
                )
            ),
        )
        | st.builds(Binary, st.just("*"), st.builds(Parens, inner), NUMBERS)
    )


TREES = st.recursive(
    VECTORS | st.builds(Call, st.just("rate"), st.tuples(MATRICES)), grown, max_leaves=8
)


@given(TREES)
def test_printing_and_parsing_gives_the_same_tree(tree: Expression) -> None:
    assert parse(format(tree)) == tree


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("sum(rate(x[300s]))by(job)", "sum by (job) (rate(x[5m]))"),
        ("a/ignoring(b)c", "a / ignoring (b) c"),
        ('{"a b"}', '{"a b"}'),
        ("x[5m:]", "x[5m:]"),
        ("x offset 90m", "x offset 1h30m"),
        ("1e21", "1e+21"),
        ("0.1", "0.1"),
    ],
)
def test_queries_are_printed_in_one_way(text: str, printed: str) -> None:
    assert format(parse(text)) == printed


@given(st.integers(0, 9 * 10**12))
def test_durations_read_back(milliseconds: int) -> None:
    tree = parse(f"x[{format_duration_ms(milliseconds)}]")
    assert isinstance(tree, MatrixSelector)
    assert isinstance(tree.range, DurationLiteral)
    assert round(tree.range.seconds * 1000) == milliseconds


@given(TREES, st.integers(10, 60))
def test_laying_out_and_parsing_gives_the_same_tree(tree: Expression, width: int) -> None:
    assert parse(pretty(tree, width=width)) == tree


def test_a_long_query_is_opened_where_it_is_long() -> None:
    query = (
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) "
        '> 1 and on () sum(rate(http_requests_total{status_code=~"5.."}[5m])) > 0.5'
    )
    assert pretty(parse(query), width=70) == (
        "histogram_quantile(\n"
        "  0.95,\n"
        "  sum by (le) (rate(http_request_duration_seconds_bucket[5m]))\n"
        ")\n"
        "> 1\n"
        'and on () sum(rate(http_requests_total{status_code=~"5.."}[5m])) > 0.5'
    )


def test_an_infinity_under_a_power_keeps_no_sign_that_would_take_the_power() -> None:
    tree = parse("x + Inf ^ 3")
    assert format(tree) == "x + Inf ^ 3"
    assert parse(format(tree)) == tree
    assert parse(pretty(tree, width=3)) == tree


def test_nan_reads_back_as_an_equal_tree_whatever_its_sign() -> None:
    tree = parse("x - ---NaN")
    assert format(tree) == "x - NaN"
    assert parse(format(tree)) == tree
