"""Attributes that are read by what spans of a name begin with are the same attributes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.model import SpanKind, SpanRecord
from watchkeeper.wire import otlp, otlp_runs
from watchkeeper.wire.otlp_pair import read_pair
from watchkeeper.wire.otlp_runs import MOST_RUNS, AttributeRuns

values = st.sampled_from(["GET", "POST", "x" * 200]) | st.integers(0, 3) | st.booleans()
attributes = st.dictionaries(st.sampled_from("abcdef"), values)
FIELD = bytes((74, 7, 10, 1, 97, 18, 2, 24))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["GET /", "POST /", "a" * 200]), attributes)))
def test_spans_of_one_name_are_read_as_they_were_written(found):
    records = [
        SpanRecord("ab" * 16, "cd" * 8, "ef" * 8, name, SpanKind.SERVER, 1, 2, "s", attributes=each)
        for name, each in found
    ]
    for _ in range(3):
        assert otlp.decode_spans(otlp.encode_spans(records)) == records


def test_a_beginning_is_learned_from_two_that_share_it():
    runs = AttributeRuns(74, read_pair)
    one, two = FIELD + b"\x01", FIELD.replace(b"a", b"b") + b"\x02"
    runs.learn(b"name", one + two + FIELD + b"\x03", 0)
    assert runs.known == {}
    runs.learn(b"name", one + two + FIELD + b"\x04", 0)
    assert runs.known == {b"name": [(one + two, {"a": 1, "b": 2})]}


@pytest.fixture
def varied():
    """Return a message whose first two attributes stand in two of many forms."""

    def make(number):
        one = FIELD + bytes((number // 2 % 100,))
        return one + one + FIELD + bytes((100 + number % 20,))

    return make


def test_of_one_name_few_are_remembered(varied):
    runs = AttributeRuns(74, read_pair)
    for number in range(20):
        runs.learn(b"name", varied(number), 0)
    assert len(runs.known[b"name"]) == MOST_RUNS


def test_names_without_end_take_no_memory_without_end(varied):
    runs = AttributeRuns(74, read_pair)
    for number in range(3 * otlp_runs.MOST_NAMES):
        runs.learn(str(number).encode(), varied(0), 0)
        runs.learn(str(number).encode(), varied(0), 0)
    assert len(runs.known) <= otlp_runs.MOST_NAMES
