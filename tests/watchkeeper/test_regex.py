"""Expressions of RE2, and what is said of those that are none."""

from __future__ import annotations

import pytest

from watchkeeper.regex import compile_regex


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(", r"error parsing regexp 'a\(': missing \): a\("),
        ("(?=a)", r"error parsing regexp .*: invalid perl operator: \(\?="),
    ],
)
def test_what_is_no_expression_is_said_in_words_and_to_the_caller_alone(pattern, reason, capfd):
    with pytest.raises(ValueError, match=f"^{reason}$"):
        compile_regex(pattern)
    assert capfd.readouterr().err == ""


def test_a_dot_is_a_newline_only_where_it_is_asked_for():
    assert compile_regex("a.b").fullmatch("a\nb")
    assert not compile_regex("a.b", dot_is_any=False).fullmatch("a\nb")
