"""Documents that are read together come to the same as those that are read one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.errors import DecodeError
from watchkeeper.storage import log_rows
from watchkeeper.wire import attribute_text
from watchkeeper.wire.log_document import read_document
from watchkeeper.wire.log_documents import FEWEST_OF_A_KIND, read_documents

NOW_NS = 1_700_000_000_000_000_000
TRACE_ID = "4BF92F3577B34DA6A3CE929D0E0E4736"

names = st.sampled_from(
    [
        *("@timestamp", "time", "message", "msg", "level", "log.level", "service", "logger"),
        *("trace_id", "trace.id", "span_id", "version", "environment", "exception.stack"),
        *("log", "shelf", "user.id", "tags"),
    ]
)
values = (
    st.sampled_from(["", "text", "2026-01-02T03:04:05.678Z", "1700000000000", "ERROR", "warn"])
    | st.sampled_from([TRACE_ID, TRACE_ID[:16], 'a "quote"', "é\n", "null", "{"])
    | st.sampled_from([None, 0, 1, -1, True, False, 0.5, 1700000000000, 1 << 63, 1e300])
    | st.sampled_from([[], ["a", 1], {}, {"level": "error"}, {"file": {"path": "/x", "a": None}}])
)
documents = st.lists(st.dictionaries(names, values, max_size=5), min_size=1, max_size=3)


def together(found, most_attributes=256):
    return read_documents(found, now_ns=NOW_NS, service="shop", most_attributes=most_attributes)


def stored(records):
    """Return what a store keeps of records: attributes as they are read back."""
    rows = log_rows.columns(records)
    decoded = {
        name: list(map(attribute_text.decode, rows[name])) for name in ("attributes", "resource")
    }
    return rows | decoded


def one_by_one(found):
    return [read_document(each, now_ns=NOW_NS, service="shop") for each in found]


@settings(deadline=None)
@given(documents)
def test_documents_read_together_are_those_read_one_by_one(kinds):
    found = [{**kind, "n": n} for n in range(FEWEST_OF_A_KIND) for kind in kinds]
    columns = together(found)
    if columns is not None:
        assert stored(columns) == stored(one_by_one(found))
        assert stored(list(columns)) == stored(columns)


@pytest.mark.parametrize(
    "kinds",
    [
        [{"@timestamp": "2026-01-02T03:04:05.678Z", "message": "hello", "log": {"level": "error"}}],
        [{"time": 1700000000000, "msg": "hello", "version": "1", "environment": "", "a": 0.5}],
        [{"trace.id": TRACE_ID, "span_id": TRACE_ID[:16], "tags": ["a", "b"], "empty": None}],
        [{}],
        [{"a": 1}, {"b": 2, "service": "web"}, {"log": {"level": "debug"}, "message": 7}],
    ],
)
def test_what_shippers_send_is_read_together(kinds):
    found = [kind for _ in range(FEWEST_OF_A_KIND) for kind in kinds]
    columns = together(found)
    assert columns is not None
    assert stored(columns) == stored(one_by_one(found))


@pytest.mark.parametrize(
    "odd",
    [
        {"exception.stack": "at line 1"},
        {"trace_id": "none"},
        {"trace_id": TRACE_ID, "trace.id": TRACE_ID},
        {"version": 7},
        {"version": [7]},
    ],
)
def test_what_is_unusual_is_left_to_be_read_one_by_one(odd):
    assert together([odd] * FEWEST_OF_A_KIND) is None


def test_documents_of_many_kinds_are_left_to_be_read_one_by_one():
    assert together([{f"key {number}": 1} for number in range(FEWEST_OF_A_KIND)]) is None


def test_a_time_that_is_none_is_left_to_those_who_tell_of_it():
    found = [{"time": "yesterday"}] * FEWEST_OF_A_KIND
    assert together(found) is None
    with pytest.raises(DecodeError):
        one_by_one(found)


def test_documents_of_more_attributes_than_allowed_are_left_to_those_who_tell_of_it():
    found = [{"message": "m", "a": 1, "b": 2}] * FEWEST_OF_A_KIND
    assert together(found, most_attributes=1) is None
    assert together(found, most_attributes=2) is not None
