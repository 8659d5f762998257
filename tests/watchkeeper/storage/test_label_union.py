"""Label sets put together as numbers are in the order, and as few, as the sets themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model import Labels, labels
from watchkeeper.storage import label_table, label_union
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.series_index import SeriesIndex

TEXTS = st.text(min_size=1, max_size=3) | st.sampled_from("abc")
SETS = st.dictionaries(TEXTS, TEXTS, max_size=4).map(labels)
SERIES = st.lists(SETS, max_size=20)


def all_of(table: LabelTable) -> list[Labels]:
    return [table.labels(number) for number in range(len(table))]


@given(SERIES, st.sampled_from([62, 4]))
def test_the_series_of_an_index_come_in_order_each_with_its_row(series: list[Labels], bits: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_union, "_KEY_BITS", bits)
        index = SeriesIndex(series)
        table, rows = label_union.ordered(index.columns())
    assert all_of(table) == sorted(set(series))
    assert [table.labels(row) for row in rows.tolist()] == [
        index.labels(number) for number in range(len(index))
    ]


@given(SERIES, st.sets(st.integers(0, 19)))
def test_of_some_series_only_theirs_are_in_the_table(series: list[Labels], numbers: set[int]):
    index = SeriesIndex(series)
    chosen = {one for one in numbers if one < len(index)}
    ids = np.array(sorted(chosen), np.int64)
    table, rows = label_union.ordered(index.columns().take(ids))
    wanted = [index.labels(one) for one in sorted(chosen)]
    assert all_of(table) == sorted(wanted)
    assert [table.labels(row) for row in rows.tolist()] == wanted
    assert set(table.pairs) == {pair for one in wanted for pair in one}


@given(st.lists(SERIES.map(lambda some: sorted(set(some))), min_size=1, max_size=4))
def test_tables_are_united_as_their_sets_would_be(sets: list[list[Labels]]):
    tables = [label_table.of(some) for some in sets]
    # Several files may share one.
    tables, sets = [*tables, tables[0]], [*sets, sets[0]]
    united, rows = label_union.unite(tables)
    assert all_of(united) == sorted({one for some in sets for one in some})
    for some, own in zip(sets, rows, strict=True):
        assert [united.labels(row) for row in own.tolist()] == some


@given(SERIES.map(lambda some: sorted(set(some))))
def test_a_table_comes_back_from_its_bytes(series: list[Labels]):
    table = label_table.of(series)
    assert all_of(label_table.decode(table.encode())) == series
    assert table.equals(label_table.decode(table.encode()))
