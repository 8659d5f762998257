from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model import NativeHistogram, Series
from watchkeeper.promql import Engine, encode
from watchkeeper.promql.encode import encode_pieces, format_seconds, format_times, format_values


def test_a_vector_is_encoded_as_prometheus_does(shelf) -> None:
    shelf.put([1500], [0.25], name="x", job="a")
    assert json.loads(encode(Engine(shelf).instant("x", 1500))) == {
        "resultType": "vector",
        "result": [{"metric": {"__name__": "x", "job": "a"}, "value": [1.5, "0.25"]}],
    }


def test_a_matrix_leaves_out_what_is_absent(shelf) -> None:
    shelf.put([0, 2000], [1, 2], name="x")
    body = encode(Engine(shelf, lookback_ms=1000).range("x", 0, 2000, 1000))
    assert json.loads(body)["result"] == [
        {"metric": {"__name__": "x"}, "values": [[0, "1"], [2, "2"]]}
    ]


def test_scalars_and_strings_are_pairs(shelf) -> None:
    engine = Engine(shelf)
    assert encode(engine.instant("1/0", 1000)) == b'{"resultType":"scalar","result":[1,"+Inf"]}'
    assert (
        encode(engine.instant('"é"', 1000)) == '{"resultType":"string","result":[1,"é"]}'.encode()
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, b"0"),
        (-0.0, b"-0"),
        (1.0, b"1"),
        (1e15, b"1000000000000000"),
        (1.2345678901234567e20, b"123456789012345670000"),
        (1e21, b"1e+21"),
        (0.000001, b"0.000001"),
        (1e-7, b"1e-07"),
        (math.nan, b"NaN"),
        (-math.inf, b"-Inf"),
        (0.1 + 0.2, b"0.30000000000000004"),
    ],
)
def test_values_are_written_in_the_shortest_way(value: float, text: bytes) -> None:
    assert format_values(np.array([value])) == [text]


@given(st.lists(st.floats(), max_size=20))
def test_values_read_back_the_same(values: list[float]) -> None:
    read = [float(text) for text in format_values(np.array(values, dtype=np.float64))]
    assert all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(values, read, strict=True)
    )


@given(st.integers(-(10**15), 10**15))
def test_seconds_read_back_the_same(milliseconds: int) -> None:
    assert round(float(format_seconds(milliseconds)) * 1000) == milliseconds


@given(st.lists(st.integers(-(10**15), 10**15).map(lambda one: one * 500)))
def test_times_are_written_alike_alone_and_together(times: list[int]) -> None:
    assert format_times(np.array(times, dtype=np.int64)) == list(map(format_seconds, times))


def test_many_series_are_given_one_by_one_and_read_back_the_same(shelf) -> None:
    numbers = np.random.default_rng(3)
    moments = np.arange(0, 300_000, 1000)
    for place in range(120):
        kept = numbers.random(len(moments)) < (1 if place % 2 else 0.8)
        values = numbers.choice([0.0, -0.0, 1e-9, 3e20, math.inf, 1.5, 7.0], len(moments))
        shelf.put(moments[kept], values[kept], name="x", place=f"{place:03d}")
    result = Engine(shelf, lookback_ms=1).range("x", 0, 299_000, 1000)
    pieces = list(encode_pieces(result))
    assert len(pieces) >= 120
    answer = json.loads(b"".join(pieces))["result"]
    assert [one["metric"]["place"] for one in answer] == [f"{n:03d}" for n in range(120)]
    for one, series in zip(answer, shelf.series, strict=True):
        expected = list(zip(series.timestamps_ms.tolist(), series.values.tolist(), strict=True))
        assert [(at * 1000, float(text)) for at, text in one["values"]] == expected


def test_native_histograms_show_their_buckets(shelf) -> None:
    histogram = NativeHistogram(
        count=4.0, sum=3.0, zero_threshold=0.5, zero_count=1.0, positive={1: 2.0}, negative={1: 1.0}
    )
    shelf.series.append(
        Series((("__name__", "x"),), np.array([0]), np.array([math.nan]), [histogram])
    )
    expected = {
        "count": "4",
        "sum": "3",
        "buckets": [[1, "-2", "-1", "1"], [3, "-0.5", "0.5", "1"], [0, "1", "2", "2"]],
    }
    engine = Engine(shelf)
    instant = json.loads(encode(engine.instant("x", 0)))["result"]
    assert instant == [{"metric": {"__name__": "x"}, "histogram": [0, expected]}]
    matrix = json.loads(encode(engine.range("x", 0, 1000, 1000)))["result"]
    assert matrix == [{"metric": {"__name__": "x"}, "histograms": [[0, expected], [1, expected]]}]
