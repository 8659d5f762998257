"""The protobuf exposition means what the text formats mean, and carries native histograms."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.errors import DecodeError
from watchkeeper.model import CounterReset, Exemplar, MetricMetadata, MetricType, NativeHistogram
from watchkeeper.wire import exposition
from watchkeeper.wire.native_histogram import EXPOSITION
from watchkeeper.wire.protobuf import varint
from watchkeeper.wire.protobuf_parse import HistogramChoice
from watchkeeper.wire.series import SeriesCache

from .native_messages import double, field, native, number

TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"
NATIVE = NativeHistogram(schema=3, count=3, sum=4.5, zero_threshold=1e-3, positive={-1: 1, 2: 2})
BUCKETS = b"".join(
    field(3, number(1, count) + double(2, bound)) for bound, count in ((0.5, 1), (2.0, 3))
)


def family(name, kind, *metrics, unit=""):
    head = field(1, name.encode()) + field(2, b"What it is.") + number(3, kind)
    body = head + b"".join(field(4, metric) for metric in metrics) + field(5, unit.encode())
    return varint(len(body)) + body


def pair(name, value):
    return field(1, field(1, name.encode()) + field(2, value.encode()))


def exemplar(value, *, at=None):
    time = b"" if at is None else field(3, number(1, at) + number(2, 500_000_000))
    return field(1, field(1, b"trace_id") + field(2, b"ab")) + double(2, value) + time


def parse(body, series=None, **choice):
    return exposition.parse(body, TYPE, 7_000, series, HistogramChoice(**choice))


def rows(found):
    return {
        " ".join(text for _, text in series): value
        for series, value in zip(found.labels, found.values, strict=True)
    }


def test_numbers_are_read_with_their_labels_times_and_metadata():
    counter = field(3, double(1, 5.0) + field(2, exemplar(0.5, at=3)) + field(3, number(1, 2)))
    body = family("hits_total", 0, pair("code", "200") + counter, unit="hits")
    body += family("heat", 1, field(2, double(1, -1.5)) + number(6, 6_000))
    body += family("odd", 3, field(5, double(1, 2.0)))
    found = parse(body)
    assert rows(found) == {"hits_total 200": 5.0, "heat": -1.5, "odd": 2.0}
    assert found.timestamps_ms == [7_000, 6_000, 7_000]
    assert (found.timed, found.starts_ms, found.received) == ([1], {0: 2_000}, 3)
    assert found.exemplars == [(found.labels[0], Exemplar((("trace_id", "ab"),), 0.5, 3_500))]
    assert found.metadata[0] == MetricMetadata(
        "hits_total", MetricType.COUNTER, "What it is.", "hits"
    )


def test_summaries_and_classic_histograms_become_their_series():
    quantile = field(3, double(1, 0.5) + double(2, 0.25))
    body = family("size", 2, field(4, number(1, 2) + double(2, 3.0) + quantile))
    body += family("wait", 4, field(7, number(1, 3) + double(2, 4.5) + BUCKETS))
    assert rows(parse(body)) == {
        "size_count": 2.0,
        "size_sum": 3.0,
        "size 0.5": 0.25,
        "wait_count": 3.0,
        "wait_sum": 4.5,
        "wait_bucket 0.5": 1.0,
        "wait_bucket 2.0": 3.0,
        "wait_bucket +Inf": 3.0,
    }


@pytest.mark.parametrize(
    ("choice", "kinds"),
    [
        ({}, {"wait"}),
        ({"native": False}, {"wait_count", "wait_sum", "wait_bucket"}),
        ({"classic_too": True}, {"wait", "wait_count", "wait_sum", "wait_bucket"}),
    ],
)
def test_a_histogram_is_taken_in_the_form_that_is_wanted(choice, kinds):
    found = parse(family("wait", 4, field(7, BUCKETS + native(NATIVE, EXPOSITION))), **choice)
    assert {dict(series)["__name__"] for series in found.labels} == kinds
    histograms = [found.histograms[row] for row in found.histograms]
    assert histograms == ([NATIVE] if "wait" in kinds else [])


def test_a_native_histogram_has_the_exemplars_that_say_when_they_were():
    content = native(NATIVE, EXPOSITION) + field(16, exemplar(0.25, at=4)) + field(16, exemplar(9))
    found = parse(family("wait", 4, field(7, content)))
    assert [(each.value, each.timestamp_ms) for _, each in found.exemplars] == [(0.25, 4_500)]
    buckets = field(3, number(1, 1) + double(2, 1.0) + field(3, exemplar(0.5, at=4)))
    found = parse(family("wait", 4, field(7, native(NATIVE, EXPOSITION) + buckets)))
    assert [each.value for _, each in found.exemplars] == [0.5]


def test_a_gauge_histogram_says_that_it_may_fall():
    found = parse(family("wait", 5, field(7, native(NATIVE, EXPOSITION))))
    assert found.histograms[0].reset is CounterReset.GAUGE


def test_what_series_mean_is_remembered_and_what_is_dropped_is_left_out():
    asked = []

    def transform(labels):
        asked.append(labels)
        return None if dict(labels)["__name__"] == "b" else labels

    series = SeriesCache(transform)
    body = b"".join(family(name, 1, field(2, double(1, 1.0))) for name in "ab")
    for _ in range(2):
        found = parse(body, series)
        assert (rows(found), found.received) == ({"a": 1.0}, 2)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (family("a", 1, field(2, double(1, 1.0)))[:-1], "ends inside a family"),
        (family("a", 9), "9 is no type"),
        (family("", 1), "no name"),
        (family("a", 1, pair("x", "1") * 2 + field(2, b"")), "given twice"),
        (
            family("a", 4, field(7, native(NATIVE, EXPOSITION) + number(1, 9))),
            "counts 9, and its buckets 3",
        ),
    ],
)
def test_what_cannot_be_meant_refuses_the_body(body, reason):
    with pytest.raises(DecodeError, match=reason):
        parse(body)


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 200), st.binary(max_size=3))
def test_broken_bodies_are_decode_errors_and_nothing_else(noise, cut, byte):
    content = native(NATIVE, EXPOSITION) + BUCKETS + field(16, exemplar(0.25, at=4))
    whole = family("wait", 4, pair("a", "b") + field(7, content))
    for body in (noise, whole[:cut], whole[:cut] + byte + whole[cut:]):
        with contextlib.suppress(DecodeError):
            parse(body, classic_too=True)
