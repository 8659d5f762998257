"""What several sources chose is put together once, and remembered within bounds."""

from __future__ import annotations

import numpy as np
import pytest

from watchkeeper.model import labels
from watchkeeper.storage import chosen_series
from watchkeeper.storage.chosen_series import Chosen, Unions


def chosen(*names: str) -> Chosen:
    sets = [labels({"__name__": name}) for name in names]
    return Chosen(np.arange(len(sets), dtype=np.int32), sets)


def test_a_union_has_each_label_set_once_in_order_and_says_where_those_of_each_source_are():
    union = Unions().of([chosen("b", "c"), chosen("a", "c")])
    assert [dict(one)["__name__"] for one in union.labels] == ["a", "b", "c"]
    assert [rows.tolist() for rows in union.rows] == [[1, 2], [0, 2]]


def test_the_same_choices_are_put_together_once():
    unions, choices = Unions(), [chosen("a"), chosen("b")]
    assert unions.of(choices) is unions.of(list(choices))
    assert unions.of([chosen("a"), chosen("b")]) is not unions.of(choices)


def test_unions_of_many_series_push_older_ones_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chosen_series, "_MOST_UNITED", 5)
    unions, first, second = Unions(), [chosen("a", "b")], [chosen("a", "b", "c")]
    before = unions.of(first)
    unions.of(second)
    assert unions.of(first) is before
    unions.of([chosen("d")])
    assert unions.series == 4
    assert unions.of(first) is not before
    unions.of([chosen(*map(str, range(9)))])
    assert unions.series == 9
