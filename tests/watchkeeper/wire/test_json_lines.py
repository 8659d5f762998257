"""Lines read together are what they are one by one, however broken they are."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.wire.json_lines import read_objects

PIECES = [
    '{"a":1}',
    '{"a":[1',
    "2]}",
    '{"b":2},{"c":3}',
    "[1]",
    "7",
    "",
    " ",
    "]",
    "[",
    "null",
    "é",
]


def by_itself(line):
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


@given(st.lists(st.sampled_from(PIECES).map(str.encode) | st.binary(max_size=8), max_size=8))
def test_each_line_is_read_by_itself(lines):
    assert read_objects(lines) == [by_itself(line) for line in lines]


@pytest.mark.parametrize(
    "lines",
    [
        [b'{"a":[1', b"2]}", b'{"x":1},{"y":2}'],
        [b'{"a":1},{"b":2}', b'{"c":3}'],
        [b'{"a":1}],[{"b":2}'],
        [b'{"a":1},0,{"b":2}', b'{"c":[0', b"0]}"],
    ],
)
def test_lines_that_would_be_whole_together_are_not(lines):
    assert read_objects(lines) == [by_itself(line) for line in lines]
    assert None in read_objects(lines)
