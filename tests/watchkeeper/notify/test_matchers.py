"""Matchers, written in every way that Alertmanager takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.notify import Matchers, matcher, matchers_of, parse_matchers

EQUAL, NOT_EQUAL, REGEX, NOT_REGEX = MatchOperator


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a="b"', [("a", EQUAL, "b")]),
        ("a=b", [("a", EQUAL, "b")]),
        ("a = b c ", [("a", EQUAL, "b c")]),
        ('{a="b", c!~"d.*",}', [("a", EQUAL, "b"), ("c", NOT_REGEX, "d.*")]),
        ('a="b,c",d!=e', [("a", EQUAL, "b,c"), ("d", NOT_EQUAL, "e")]),
        (r'a="\"x\"\\n"', [("a", EQUAL, '"x"\\n')]),
        ('a=~"b|c"', [("a", REGEX, "b|c")]),
        ("a=", [("a", EQUAL, "")]),
        ("{}", []),
    ],
)
def test_matchers_are_read(text: str, expected: list[tuple[str, MatchOperator, str]]) -> None:
    assert parse_matchers(text) == tuple(Matcher(*each) for each in expected)


@pytest.mark.parametrize("text", ["a", "a=~(", '{a="b"', 'a="b"c', "=b", 'a==""b'])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"matcher|error parsing regexp|quotes"):
        parse_matchers(text)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True),
            st.sampled_from([EQUAL, NOT_EQUAL]),
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10),
        ),
        max_size=4,
    )
)
def test_matchers_read_back_what_they_write(items: list[tuple[str, MatchOperator, str]]) -> None:
    matchers = matchers_of(Matcher(*item) for item in items)
    assert parse_matchers(str(matchers)) == matchers.items


def test_a_missing_label_is_empty_and_regexes_are_anchored() -> None:
    assert Matchers((matcher("a", EQUAL, ""),)).matches({})
    assert Matchers((matcher("a", NOT_EQUAL, "b"),)).matches({})
    assert not Matchers((matcher("a", REGEX, "b"),)).matches({"a": "abc"})
    assert Matchers((matcher("a", NOT_REGEX, "b"),)).matches({"a": "abc"})
