"""Both exposition formats are written as others read them, and read as they were written."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Histogram,
    Info,
    ProcessCollector,
    Summary,
)
from prometheus_client import generate_latest as text_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from watchkeeper.errors import DecodeError
from watchkeeper.model import Exemplar, MetricType, labels
from watchkeeper.wire import exposition
from watchkeeper.wire.family import FamilySample, MetricFamily, format_bound, format_number

REQUESTS = MetricFamily(
    "http_requests",
    MetricType.COUNTER,
    "Requests,\nby \\ route.",
    samples=(
        FamilySample(
            "_total",
            (("method", "GET"), ("route", 'a"b\\c\nd')),
            3.0,
            exemplar=Exemplar((("trace_id", "ab"),), 0.25, 1_500),
            created_seconds=12.5,
        ),
    ),
)
DURATION = MetricFamily(
    "wait_seconds",
    MetricType.HISTOGRAM,
    "Waits.",
    "seconds",
    (
        FamilySample("_bucket", (("le", "0.5"),), 1.0),
        FamilySample("_bucket", (("le", "+Inf"),), 2.0),
        FamilySample("_count", (), 2.0),
        FamilySample("_sum", (), 1.75),
    ),
)

TEXT = r"""# HELP http_requests_total Requests,\nby \\ route.
# TYPE http_requests_total counter
http_requests_total{method="GET",route="a\"b\\c\nd"} 3
# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_count 2
wait_seconds_sum 1.75
"""
OPENMETRICS = r"""# TYPE http_requests counter
# HELP http_requests Requests,\nby \\ route.
http_requests_total{method="GET",route="a\"b\\c\nd"} 3 # {trace_id="ab"} 0.25 1.5
http_requests_created{method="GET",route="a\"b\\c\nd"} 12.5
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
# HELP wait_seconds Waits.
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_count 2
wait_seconds_sum 1.75
# EOF
"""


def test_text_is_written_to_the_letter():
    assert exposition.encode_text([REQUESTS, DURATION]).decode() == TEXT


def test_openmetrics_is_written_to_the_letter():
    assert exposition.encode_openmetrics([REQUESTS, DURATION]).decode() == OPENMETRICS


def test_prometheus_client_reads_what_is_written():
    (requests, duration) = text_string_to_metric_families(
        exposition.encode_openmetrics([REQUESTS, DURATION]).decode()
    )
    assert requests.samples[0].labels == {"method": "GET", "route": 'a"b\\c\nd'}
    assert requests.samples[0].exemplar.labels == {"trace_id": "ab"}
    assert duration.unit == "seconds"
    assert [family.name for family in text_families(TEXT)] == ["http_requests", "wait_seconds"]


def test_what_prometheus_client_writes_is_read_in_both_formats():
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    Counter("hits", "Hits.", ["route"], registry=registry).labels("/").inc(2, {"trace_id": "ab"})
    Histogram("wait_seconds", "Waits.", unit="seconds", registry=registry).observe(0.3)
    Summary("size", "Sizes.", registry=registry).observe(3)
    Info("build", "Build.", registry=registry).info({"version": "1"})
    Enum("phase", "Phase.", states=["on", "off"], registry=registry).state("off")
    plain = exposition.parse(text_latest(registry), "text/plain", 0)
    strict = exposition.parse(openmetrics_latest(registry), exposition.OPENMETRICS_CONTENT_TYPE, 0)
    assert (("__name__", "hits_total"), ("route", "/")) in strict.labels
    assert {labels for labels in plain.labels if "process" not in labels[0][1]} == {
        labels for labels in strict.labels if "process" not in labels[0][1]
    }
    assert strict.exemplars[0][1].labels == (("trace_id", "ab"),)


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3",
            True,
        ),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.9", False),
        ("application/openmetrics-text; q=0, text/plain", False),
        ("application/openmetrics-text; q=none", False),
        ("Application/OpenMetrics-Text", True),
    ],
)
def test_the_accept_header_decides_the_format(accept, openmetrics):
    body, content_type = exposition.encode([REQUESTS], accept)
    assert content_type.startswith("application/openmetrics-text") is openmetrics
    assert body.endswith(b"# EOF\n") is openmetrics


@pytest.mark.parametrize(
    ("value", "number", "bound"),
    [
        (1.0, "1", "1.0"),
        (0.25, "0.25", "0.25"),
        (1e300, "1e+300", "1e+300"),
        (float("inf"), "+Inf", "+Inf"),
        (float("-inf"), "-Inf", "-Inf"),
        (float("nan"), "NaN", "NaN"),
        (-3.0, "-3", "-3.0"),
    ],
)
def test_numbers_are_written_as_prometheus_writes_them(value, number, bound):
    assert format_number(value) == number
    assert format_bound(value) == bound


names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}\Z", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=12)
samples = st.lists(
    st.tuples(
        st.dictionaries(names, texts.filter(bool), max_size=3),
        st.floats(allow_nan=False),
    ),
    max_size=5,
    unique_by=lambda item: tuple(sorted(item[0].items())),
)


@given(names.map("m_{}".format), texts, samples)
@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text"])
def test_what_was_written_is_read_back(accept, name, help_text, pairs):
    family = MetricFamily(
        name,
        MetricType.GAUGE,
        help_text,
        samples=tuple(FamilySample("", labels(found), value) for found, value in pairs),
    )
    parsed = exposition.parse(*exposition.encode([family], accept), 7_000)
    assert list(zip(parsed.labels, parsed.values, strict=True)) == [
        (labels({**found, "__name__": name}), value) for found, value in pairs
    ]
    assert parsed.timestamps_ms == [7_000] * len(pairs)
    assert parsed.metadata[0].help == help_text


@given(st.binary(max_size=200) | st.text('a{}="1,# \\\n.eE+-NaTYPH').map(str.encode))
@pytest.mark.parametrize("content_type", ["text/plain", "application/openmetrics-text"])
def test_garbage_is_a_decode_error_and_nothing_else(content_type, body):
    with contextlib.suppress(DecodeError):
        exposition.parse(body + b"\n# EOF\n", content_type, 0)
