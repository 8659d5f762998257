"""Regular expressions are anchored RE2, and say the same each time they are asked."""

from __future__ import annotations

import pytest
from tests.watchkeeper.storage.conftest import where

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.matching import predicate


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("pod-(1|2)", "pod-1", True),
        ("pod-(1|2)", "pod-12", False),
        ("pod-(1|2)", "a pod-1", False),
        ("z.rich", "zürich", True),
        ("z..rich", "zürich", False),
        ("a.b", "a\nb", True),
        (".*", "", True),
        (".+", "", False),
    ],
)
def test_a_regular_expression_matches_whole_values_the_second_time_too(
    pattern: str, value: str, matches: bool
):
    for _ in range(2):
        assert predicate(where("pod", "=~", pattern))(value) is matches
        assert predicate(where("pod", "!~", pattern))(value) is not matches


@pytest.mark.parametrize("operator", ["=~", "!~"])
def test_what_is_not_re2_is_refused_before_any_value_is_seen(operator: str):
    for _ in range(2):
        with pytest.raises(QuerySyntaxError, match="error parsing regexp"):
            predicate(where("pod", operator, "(?=a)"))
