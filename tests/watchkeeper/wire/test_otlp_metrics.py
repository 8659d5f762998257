"""OTLP metrics become the samples that Prometheus would make of them."""

import math
import struct

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from watchkeeper.model import MetricMetadata, MetricType, NativeHistogram
from watchkeeper.wire import otlp
from watchkeeper.wire.otlp_names import label_pairs, metric_name

CUMULATIVE, DELTA = 2, 1
AT_NS = 5_000_000_000


def request():
    made = ExportMetricsServiceRequest()
    group = made.resource_metrics.add()
    for key, value in (
        ("service.name", "api"),
        ("service.namespace", "shop"),
        ("service.instance.id", "one"),
        ("host.name", "h1"),
    ):
        group.resource.attributes.add(key=key).value.string_value = value
    return made, group.scope_metrics.add()


def decode(made):
    found = otlp.decode_metrics(made.SerializeToString())
    rows = zip(found.labels, found.values, strict=True)
    return found, {
        " ".join(value for name, value in series if name not in ("job", "instance")): number
        for series, number in rows
    }


def test_a_monotonic_sum_is_a_counter_of_its_service():
    made, scope = request()
    metric = scope.metrics.add(name="http.requests", description="Requests.", unit="{request}")
    metric.sum.aggregation_temporality = CUMULATIVE
    metric.sum.is_monotonic = True
    point = metric.sum.data_points.add(time_unix_nano=AT_NS, as_int=7)
    point.attributes.add(key="http.route").value.string_value = "/jobs"
    point.exemplars.add(time_unix_nano=AT_NS, as_double=0.5, trace_id=b"\xab" * 16)
    found, _ = decode(made)
    assert found.labels[0] == (
        ("__name__", "http_requests_total"),
        ("http_route", "/jobs"),
        ("instance", "one"),
        ("job", "shop/api"),
    )
    assert (found.values[0], found.timestamps_ms[0]) == (7.0, 5_000)
    assert found.metadata == [MetricMetadata("http_requests", MetricType.COUNTER, "Requests.")]
    assert found.exemplars[0][1].labels == (("trace_id", "ab" * 16),)
    assert dict(found.labels[1])["__name__"] == "target_info"
    assert dict(found.labels[1])["host_name"] == "h1"


def test_a_histogram_is_cumulated_and_its_bounds_are_labels():
    made, scope = request()
    metric = scope.metrics.add(name="wait", unit="s")
    metric.histogram.aggregation_temporality = CUMULATIVE
    metric.histogram.data_points.add(
        time_unix_nano=AT_NS, count=6, sum=9.5, bucket_counts=[1, 2, 3], explicit_bounds=[0.5, 1]
    )
    _, rows = decode(made)
    del rows["target_info h1"]
    assert rows == {
        "wait_seconds_bucket 0.5": 1.0,
        "wait_seconds_bucket 1.0": 3.0,
        "wait_seconds_bucket +Inf": 6.0,
        "wait_seconds_sum": 9.5,
        "wait_seconds_count": 6.0,
    }


def test_gauges_and_summaries_are_taken_as_they_are():
    made, scope = request()
    gauge = scope.metrics.add(name="memory.use", unit="By").gauge
    gauge.data_points.add(time_unix_nano=AT_NS, as_double=1.5)
    point = scope.metrics.add(name="size").summary.data_points.add(
        time_unix_nano=AT_NS, count=2, sum=3
    )
    point.quantile_values.add(quantile=0.5, value=1.25)
    _, rows = decode(made)
    del rows["target_info h1"]
    assert rows == {
        "memory_use_bytes": 1.5,
        "size 0.5": 1.25,
        "size_sum": 3.0,
        "size_count": 2.0,
    }


def test_increases_are_kept_apart():
    made, scope = request()
    delta = scope.metrics.add(name="d").histogram
    delta.aggregation_temporality = DELTA
    delta.data_points.add(
        time_unix_nano=AT_NS, explicit_bounds=[1.0], bucket_counts=[1, 2], count=3, sum=4.0
    )
    found, rows = decode(made)
    assert list(rows) == ["target_info h1"]
    assert found.deltas.values == [1.0, 3.0, 4.0, 3.0]


def test_points_without_temporality_are_rejected_with_a_reason():
    made, scope = request()
    scope.metrics.add(name="d").sum.data_points.add(as_int=1)
    found, rows = decode(made)
    assert rows == {}
    assert found.rejected_points == 1
    assert "neither cumulative nor delta" in found.rejection


def exponential(scope, temporality=CUMULATIVE, **point):
    data = scope.metrics.add(name="wait", unit="s").exponential_histogram
    data.aggregation_temporality = temporality
    return data.data_points.add(**{"time_unix_nano": AT_NS, "count": 7, "sum": 9.5, **point})


def test_an_exponential_histogram_becomes_a_native_one():
    made, scope = request()
    point = exponential(scope, scale=2, zero_count=1, start_time_unix_nano=10**9)
    point.positive.offset = -2
    point.positive.bucket_counts.extend([1, 0, 3])
    point.negative.bucket_counts.append(2)
    point.exemplars.add(time_unix_nano=AT_NS, as_double=0.5, trace_id=b"\xab" * 16)
    found, _ = decode(made)
    assert found.histograms == {
        0: NativeHistogram(
            schema=2,
            count=7,
            sum=9.5,
            zero_threshold=1e-128,
            zero_count=1,
            positive={-1: 1, 1: 3},
            negative={1: 2},
        )
    }
    assert dict(found.labels[0])["__name__"] == "wait_seconds"
    assert (found.values[0], found.timestamps_ms[0], found.starts_ms[0]) == (9.5, 5_000, 1_000)
    assert found.exemplars[0][0] == found.labels[0]
    del point.exemplars[:]
    body = MessageToJson(made).encode()
    assert otlp.decode_metrics(body, otlp.JSON_CONTENT_TYPE).histograms == found.histograms


def test_a_scale_that_is_too_fine_is_lowered_and_one_too_coarse_rejected():
    made, scope = request()
    fine = exponential(scope, scale=9, count=7, zero_threshold=0.5)
    fine.positive.bucket_counts.extend([1, 2, 4])
    coarse = exponential(scope, scale=-5)
    coarse.positive.bucket_counts.append(7)
    found, _ = decode(made)
    (lowered,) = found.histograms.values()
    assert (lowered.schema, lowered.positive) == (8, {1: 3, 2: 4})
    assert lowered.zero_threshold == 0.5
    assert (found.rejected_points, "scale -5" in found.rejection) == (1, True)


def test_exponential_increases_are_kept_apart():
    made, scope = request()
    exponential(scope, DELTA, count=1).positive.bucket_counts.append(1)
    found, _ = decode(made)
    assert found.histograms == {}
    assert found.deltas.histograms[0].positive == {1: 1}
    assert found.deltas.starts_ms == {}


def test_a_point_without_a_value_is_a_stale_marker():
    made, scope = request()
    scope.metrics.add(name="g").gauge.data_points.add(time_unix_nano=AT_NS, flags=1)
    found, _ = decode(made)
    assert math.isnan(found.values[0])
    assert struct.pack("<d", found.values[0]) == (0x7FF0000000000002).to_bytes(8, "little")


def test_json_means_the_same_as_protobuf():
    made, scope = request()
    metric = scope.metrics.add(name="wait", unit="s")
    metric.histogram.aggregation_temporality = CUMULATIVE
    metric.histogram.data_points.add(
        time_unix_nano=AT_NS, count=3, sum=9.5, bucket_counts=[1, 2], explicit_bounds=[0.5]
    )
    read = otlp.decode_metrics(MessageToJson(made).encode(), "application/json")
    assert read == otlp.decode_metrics(made.SerializeToString())


@pytest.mark.parametrize(
    ("name", "unit", "kind", "wanted"),
    [
        ("http.server.duration", "s", {}, "http_server_duration_seconds"),
        ("wait_seconds", "s", {}, "wait_seconds"),
        ("io", "By/s", {}, "io_bytes_per_second"),
        ("use", "1", {"gauge": True}, "use_ratio"),
        ("use", "1", {}, "use"),
        ("hits", "1", {"counter": True}, "hits_total"),
        ("hits.total", "", {"counter": True}, "hits_total"),
        ("calls", "{call}", {"counter": True}, "calls_total"),
        ("5xx rate", "%", {}, "_5xx_rate_percent"),
        ("job:rate", "", {}, "job:rate"),
    ],
)
def test_names_and_units_are_spelt_as_prometheus_spells_them(name, unit, kind, wanted):
    assert metric_name(name, unit, **kind) == wanted


def test_attributes_become_labels_and_none_is_lost():
    assert label_pairs(
        {"a.b": "1", "a_b": "2", "0": True, "list": ("x", "y"), "n": 1.5}.items()
    ) == {"a_b": "1;2", "key_0": "true", "list": '["x","y"]', "n": "1.5"}
