import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.server.prometheus_json import (
    matrix_json,
    number_text,
    time_text,
    times_json,
    vector_json,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0, "-0"),
        (0.25, "0.25"),
        (1e16, "10000000000000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.00001, "0.00001"),
        (1e-6, "0.000001"),
        (9.5e-7, "9.5e-07"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_a_number_is_written_as_go_writes_it(value: float, text: str) -> None:
    assert number_text(value) == text


def test_a_time_has_three_digits_where_it_is_not_whole() -> None:
    assert [time_text(ms) for ms in (1000, 1010, 1781)] == ["1", "1.010", "1.781"]


@given(st.lists(st.floats()))
def test_many_numbers_are_written_as_each_alone(values: list[float]) -> None:
    times = list(range(0, 1000 * len(values), 1000))
    body = matrix_json([((("job", "a"),), times_json(times), np.array(values))])
    (series,) = json.loads(body)
    assert series["metric"] == {"job": "a"}
    assert [text for _, text in series["values"]] == [number_text(value) for value in values]
    assert [time for time, _ in series["values"]] == list(range(len(values)))


def test_a_vector_has_one_value_a_series() -> None:
    body = vector_json([((("__name__", "up"), ("job", 'a"b')), 1500, 1.0)])
    assert json.loads(body) == [{"metric": {"__name__": "up", "job": 'a"b'}, "value": [1.5, "1"]}]
