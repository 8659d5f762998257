"""What is written in protobuf is read as it was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model import Exemplar, MetricType, NativeHistogram
from watchkeeper.wire import exposition
from watchkeeper.wire.family import FamilySample, MetricFamily
from watchkeeper.wire.protobuf_parse import HistogramChoice

ACCEPT = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"
)
SEEN = Exemplar((("trace_id", "ab"),), 0.25, 1_500)
NATIVE = NativeHistogram(
    schema=3, count=6, sum=4.5, zero_threshold=1e-3, zero_count=1, positive={-1: 1, 0: 2, 7: 2}
)
LABELS = (("route", "ä/{x}"),)
BUCKETS = (
    FamilySample("_bucket", (*LABELS, ("le", "0.5")), 2, SEEN),
    FamilySample("_bucket", (*LABELS, ("le", "+Inf")), 6),
    FamilySample("_count", LABELS, 6, None, 12.5),
    FamilySample("_sum", LABELS, 4.5),
)


def read(*families, **choice):
    body, content_type = exposition.encode(families, ACCEPT)
    assert content_type.startswith("application/vnd.google.protobuf; proto=")
    return exposition.parse(body, content_type, 7_000, None, HistogramChoice(**choice))


def rows(found):
    return [
        (dict(labels)["__name__"], dict(labels).get("le", ""), value)
        for labels, value in zip(found.labels, found.values, strict=True)
    ]


def test_numbers_keep_their_names_times_and_exemplars():
    found = read(
        MetricFamily(
            "requests",
            MetricType.COUNTER,
            "Requests.",
            samples=(FamilySample("_total", LABELS, 3.0, SEEN, 12.5),),
        ),
        MetricFamily("doors", MetricType.GAUGE, samples=(FamilySample("", (), -0.5),)),
        MetricFamily(
            "odd", MetricType.UNKNOWN, samples=(FamilySample("", (), 1.0, timestamp_ms=-5),)
        ),
    )
    assert rows(found) == [("requests_total", "", 3.0), ("doors", "", -0.5), ("odd", "", 1.0)]
    assert found.starts_ms == {0: 12_500}
    assert [exemplar for _, exemplar in found.exemplars] == [SEEN]
    assert found.timestamps_ms == [7_000, 7_000, -5]
    assert [each.type for each in found.metadata] == [
        MetricType.COUNTER,
        MetricType.GAUGE,
        MetricType.UNKNOWN,
    ]
    assert found.metadata[0].help == "Requests."


def test_a_summary_keeps_its_quantiles():
    samples = (
        FamilySample("", (*LABELS, ("quantile", "0.5")), 0.2),
        FamilySample("_count", LABELS, 4),
        FamilySample("_sum", LABELS, 1.5),
    )
    found = read(MetricFamily("wait", MetricType.SUMMARY, samples=samples))
    assert sorted(found.values) == [0.2, 1.5, 4]


def test_a_histogram_is_classic_unless_it_is_native_too():
    classic = MetricFamily("wait_seconds", MetricType.HISTOGRAM, "Wait.", "seconds", BUCKETS)
    assert rows(read(classic)) == [
        ("wait_seconds_count", "", 6),
        ("wait_seconds_sum", "", 4.5),
        ("wait_seconds_bucket", "0.5", 2),
        ("wait_seconds_bucket", "+Inf", 6),
    ]
    both = MetricFamily(
        "wait_seconds", MetricType.HISTOGRAM, "Wait.", "seconds", BUCKETS, {LABELS: NATIVE}
    )
    found = read(both)
    assert found.histograms == {0: NATIVE}
    assert rows(found) == [("wait_seconds", "", 4.5)]
    assert found.starts_ms == {0: 12_500}
    assert [exemplar for _, exemplar in found.exemplars] == [SEEN]
    assert len(read(both, classic_too=True).values) == 5


@given(
    st.dictionaries(st.integers(-2_000, 2_000), st.integers(1, 2**40), max_size=40),
    st.integers(0, 2**40),
    st.integers(0, 8),
)
def test_every_native_histogram_comes_back(positive, zero, schema):
    native = NativeHistogram(
        schema=schema,
        count=sum(positive.values()) + zero,
        sum=1.5,
        zero_threshold=1e-6,
        zero_count=zero,
        positive=positive,
    )
    count = FamilySample("_count", LABELS, native.count)
    family = MetricFamily(
        "w",
        MetricType.HISTOGRAM,
        samples=(count, FamilySample("_sum", LABELS, 1.5)),
        native={LABELS: native},
    )
    assert read(family).histograms == {0: native}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        (ACCEPT, "application/vnd.google.protobuf"),
        ("application/vnd.google.protobuf", "application/vnd.google.protobuf"),
        ("application/vnd.google.protobuf;encoding=text", "text/plain"),
        ("application/vnd.google.protobuf;proto=other.Message", "text/plain"),
        ("application/vnd.google.protobuf;q=0.1,text/plain;q=0.2", "text/plain"),
        ("application/openmetrics-text", "application/openmetrics-text"),
        ("application/openmetrics-text;q=0.5,text/plain;q=0.5", "application/openmetrics-text"),
        ("application/vnd.google.protobuf;q=nonsense", "text/plain"),
    ],
)
def test_the_format_is_the_one_that_is_ranked_highest(accept, content_type):
    assert exposition.encode((), accept)[1].partition(";")[0] == content_type
