from __future__ import annotations

import pytest

from watchkeeper.errors import QueryError
from watchkeeper.promql.series_notation import parse_series


def test_a_line_gives_labels_and_one_value_a_step() -> None:
    found = parse_series('up{job="api"} 1+2x2 _x2 -0.5')
    assert found.labels == (("__name__", "up"), ("job", "api"))
    assert found.values == (1, 3, 5, None, None, -0.5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x 1x2000000", "repeated at most 1000000 times"),
        ("x _x99999999999999999999", "repeated at most 1000000 times"),
        ("x {{count:1}}x2000000", "repeated at most 1000000 times"),
        ("x {{schema:one}}", "not a histogram"),
        ("x {{counter_reset_hint:sometimes}}", "not a histogram"),
        ("x one", "not a series value: 'one'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(line: str, reason: str) -> None:
    with pytest.raises(QueryError, match=reason):
        parse_series(line)
