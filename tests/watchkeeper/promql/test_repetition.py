from __future__ import annotations

import pytest

from watchkeeper.promql import Engine, parse
from watchkeeper.promql.repetition import repeated_parts

MINUTE = 60_000


@pytest.mark.parametrize(
    ("query", "parts", "nodes"),
    [
        ("rate(a[5m]) / rate(a[5m])", 1, 2),
        ("sum(rate(a[5m])) / (1 - sum(rate(a[5m])))", 2, 4),
        ("rate(a[5m]) / rate(b[5m])", 0, 0),
        ("rate(a[5m]) / rate(a[10m])", 0, 0),
        ("sum by (x) (a) / sum by (y) (a)", 0, 0),
        ("a / a", 0, 0),
        ("1 + 1", 0, 0),
    ],
)
def test_calls_and_aggregations_that_stand_twice_are_found(query, parts, nodes) -> None:
    found = repeated_parts(parse(query))
    assert (len(set(found.values())), len(found)) == (parts, nodes)


def test_what_stands_twice_is_computed_once(shelf) -> None:
    shelf.put([0, MINUTE, 2 * MINUTE], [1, 5, 9], name="a_total")
    engine = Engine(shelf)
    once = engine.instant("sum(rate(a_total[2m]))", 2 * MINUTE)
    twice = engine.instant("sum(rate(a_total[2m])) + sum(rate(a_total[2m]))", 2 * MINUTE)
    assert twice.values.tolist() == [[2 * once.values[0, 0]]]
    assert twice.samples_touched == once.samples_touched + 1  # the addition


def test_what_stands_twice_at_other_moments_is_computed_for_each(shelf) -> None:
    shelf.put([0, MINUTE, 2 * MINUTE, 3 * MINUTE], [1, 2, 4, 8], name="a")
    query = "sum(a) - max_over_time(sum(a)[2m:1m] offset 1m)"
    assert Engine(shelf).instant(query, 3 * MINUTE).values.tolist() == [[4.0]]


def test_what_is_said_of_it_names_both_places(shelf) -> None:
    shelf.put([0, MINUTE], [1, 5], name="a")
    result = Engine(shelf).instant("rate(a[2m]) + rate(a[2m])", MINUTE)
    assert [info[-6:] for info in result.infos] == ["(1:20)", " (1:6)"]
