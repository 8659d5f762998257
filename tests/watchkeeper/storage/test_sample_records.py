"""A batch of samples comes back from the log as it was, with the label sets that are new there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model import Labels, labels
from watchkeeper.storage import sample_records
from watchkeeper.storage.sample_columns import SampleColumns
from watchkeeper.storage.sample_records import SeriesSets
from watchkeeper.storage.series_index import SeriesIndex

TEXTS = st.text(max_size=3)
SETS = st.dictionaries(TEXTS, TEXTS, max_size=4).map(labels)


@given(st.lists(SETS, unique=True, min_size=1, max_size=9), st.sets(st.integers(0, 8)))
def test_the_series_of_a_batch_come_back_with_their_ids(series: list[Labels], new: set[int]):
    index = SeriesIndex(series)
    ids = np.array(sorted(one for one in new if one < len(index)), np.int32)
    columns = SampleColumns(ids, ids.astype(np.int64) + 7, ids / 3)
    sets = SeriesSets.of(ids, index.columns())
    payload = sample_records.pack(sample_records.head_of(columns, sets, [], []), columns)
    head, found = sample_records.unpack(payload)
    assert dict(head.new_series()) == {one: index.labels(one) for one in ids.tolist()}
    assert found.ids.tolist() == ids.tolist()
    assert found.times_ms.tolist() == columns.times_ms.tolist()
    assert found.values.tolist() == columns.values.tolist()


def test_a_pair_that_many_series_have_is_spelled_out_once():
    index = SeriesIndex(labels({"job": "api" * 100, "n": str(n)}) for n in range(1000))
    ids = np.arange(1000, dtype=np.int32)
    columns = SampleColumns(ids, ids.astype(np.int64), ids / 1)
    sets = SeriesSets.of(ids, index.columns())
    payload = sample_records.pack(sample_records.head_of(columns, sets, [], []), columns)
    assert payload.count(b"api" * 100) == 1
    assert len(payload) < 45_000
