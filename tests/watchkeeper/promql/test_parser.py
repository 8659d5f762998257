from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.promql import parse
from watchkeeper.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    DurationBinary,
    DurationCall,
    DurationLiteral,
    DurationUnary,
    MatrixSelector,
    Number,
    String,
    Subquery,
    Unary,
    VectorSelector,
    Window,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-1", -1.0),
        ("1_000_000", 1e6),
        ("0x1F", 31.0),
        ("017", 15.0),
        (".5", 0.5),
        ("2.", 2.0),
        ("1e-3", 0.001),
        ("Inf", float("inf")),
        ("1h30m", 5400.0),
        ("100ms", 0.1),
    ],
)
def test_a_number_may_be_written_in_many_ways(text: str, value: float) -> None:
    assert parse(text) == Number(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\\nb"', "a\nb"),
        ("'it\\'s'", "it's"),
        ("`a\\nb`", "a\\nb"),
        ('"\\x41\\u00e9\\101"', "AéA"),
    ],
)
def test_a_string_takes_go_escapes_and_backticks_take_none(text: str, value: str) -> None:
    assert parse(text) == String(value)


def test_a_selector_holds_name_matchers_and_place() -> None:
    tree = parse('  up{job="api", code!~"5.."}')
    assert tree == VectorSelector(
        "up",
        (
            Matcher("job", MatchOperator.EQUAL, "api"),
            Matcher("code", MatchOperator.NOT_REGEX, "5.."),
        ),
    )
    assert (tree.start, tree.end) == (2, 28)


def test_names_may_be_quoted_and_hold_any_character() -> None:
    tree = parse('{"service.name", "k8s.pod"="a"}')
    assert tree == VectorSelector("service.name", (Matcher("k8s.pod", MatchOperator.EQUAL, "a"),))


def test_modifiers_come_in_any_order() -> None:
    one = parse("x[5m] @ 100 offset 1m")
    assert one == parse("x[5m] offset 1m @ 100")
    assert one == MatrixSelector(
        VectorSelector("x", offset=DurationLiteral(60.0), at=At(100.0)), DurationLiteral(300.0)
    )


def test_at_takes_the_bounds_of_the_query() -> None:
    tree = parse("x @ start()")
    assert isinstance(tree, VectorSelector)
    assert tree.at == At(bound="start")


def test_an_offset_may_be_negative() -> None:
    tree = parse("x offset -5m")
    assert isinstance(tree, VectorSelector)
    assert tree.offset == DurationUnary("-", DurationLiteral(300.0))


def test_durations_may_be_computed() -> None:
    tree = parse("x[step() + 2m * 3]")
    assert isinstance(tree, MatrixSelector)
    assert tree.range == DurationBinary(
        "+",
        DurationCall("step"),
        DurationBinary("*", DurationLiteral(120.0), DurationLiteral(3.0, unit=False)),
    )


def test_a_subquery_may_leave_out_its_step() -> None:
    assert parse("x[1h:]") == Subquery(VectorSelector("x"), DurationLiteral(3600.0))


def test_ranges_may_be_anchored_or_smoothed() -> None:
    tree = parse("rate(x[5m] smoothed)")
    assert isinstance(tree, Call)
    assert isinstance(tree.arguments[0], MatrixSelector)
    assert tree.arguments[0].vector.window is Window.SMOOTHED


def test_power_binds_before_the_sign_and_groups_to_the_right() -> None:
    assert parse("-2 ^ 3 ^ 2") == Unary(
        "-", Binary("^", Number(2.0), Binary("^", Number(3.0), Number(2.0)))
    )


def test_other_operators_group_to_the_left() -> None:
    assert parse("1 - 2 - 3") == Binary("-", Binary("-", Number(1), Number(2)), Number(3))


def test_and_binds_before_or_and_comparison_before_and() -> None:
    tree = parse("a or b and c > d")
    assert isinstance(tree, Binary)
    assert tree.operator == "or"
    assert isinstance(tree.right, Binary)
    assert tree.right.operator == "and"


def test_grouping_may_stand_before_or_after() -> None:
    assert parse("sum by (job) (x)") == parse("sum(x) by (job)")


def test_an_aggregation_takes_its_parameter_first() -> None:
    tree = parse("topk(3, x)")
    assert isinstance(tree, Aggregate)
    assert tree.parameter == Number(3.0)


def test_matching_may_fill_in_what_is_missing() -> None:
    tree = parse("a + on (job) group_left (env) fill_right(0) b")
    assert isinstance(tree, Binary)
    assert tree.matching.group == "left"
    assert tree.matching.include == ("env",)
    assert tree.matching.fill_right == 0.0


def test_keywords_serve_as_names_where_nothing_else_fits() -> None:
    assert parse("sum") == VectorSelector("sum")
    assert parse("offset + by") == Binary("+", VectorSelector("offset"), VectorSelector("by"))


def test_comments_end_with_the_line() -> None:
    assert parse("up # is it?\n + 1") == Binary("+", VectorSelector("up"), Number(1.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum(", "1:5: parse error: unexpected end of input, expected an expression"),
        ("rat(x[5m])", 'unknown function with name "rat"; did you mean "rate"?'),
        ("rate(x)", "expected type range vector in call to function"),
        ("x[5m", "expected `]`"),
        ("{}", "at least one non-empty matcher"),
        ('{a=~".*"}', "at least one non-empty matcher"),
        ('x{a=~"("}', "error parsing regexp"),
        ("1 > 2", "comparisons between scalars must use BOOL modifier"),
        ("a and 1", "not allowed in binary scalar expression"),
        ("a and on () group_left () b", 'no grouping allowed for "and"'),
        ("a + bool b", "bool modifier can only be used on comparison operators"),
        ("sum(x[5m])", "expected type instant vector in aggregation expression"),
        ("topk(x)", "wrong number of arguments"),
        ("clamp(x, 1)", 'expected 3 argument(s) in call to "clamp", got 2'),
        ("x offset 1m offset 1m", "offset may not be set multiple times"),
        ("sum(x)[5m]", "ranges only allowed for vector selectors"),
        ('x{__name__="y"}', "metric name must not be set twice"),
        ("x[5m1h]", "not a valid duration"),
        ("up\n + + )", "2:6: parse error"),
        ('"open', "this string is not closed"),
        ("deriv(x[5m] smoothed)", "smoothed modifier can only be used with: delta"),
    ],
)
def test_an_error_says_where_and_what(text: str, message: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert 0 <= caught.value.start <= caught.value.end <= len(text)


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises(QuerySyntaxError, match="nested"):
        parse("(" * 5000 + "1" + ")" * 5000)
    with pytest.raises(QuerySyntaxError, match="nested"):
        parse("-" * 5000 + "x")


@given(
    st.text(max_size=40) | st.text(alphabet="abx(){}[]\"'=~!<>+-*/%^@,:0159smh. \n#", max_size=40)
)
def test_no_text_crashes_the_parser(text: str) -> None:
    with suppress(QuerySyntaxError):
        parse(text)
