"""OTLP is acknowledged once it is stored, and refused without a trace of it otherwise."""

import gzip
import json
import tracemalloc
import zlib

import numpy as np
import pytest
import zstandard
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from watchkeeper.errors import DecodeError, OverloadError, StoreFullError
from watchkeeper.ingest import IngestLimits, OtlpReceiver, Quotas, Refusal, Signal
from watchkeeper.ingest.limits import TenantLimits
from watchkeeper.model import LogRecord, Severity, SpanKind, SpanRecord
from watchkeeper.testing import NEW_YEAR_2026_NS
from watchkeeper.wire import otlp

PROTOBUF = otlp.PROTOBUF_CONTENT_TYPE
SPAN = SpanRecord("ab" * 16, "cd" * 8, "", "work", SpanKind.INTERNAL, 1, 2, "api")
LOG = LogRecord(0, Severity.INFO, "hello", "api")


class RememberingStore:
    def __init__(self):
        self.records = []
        self.failure = None

    def append(self, records):
        if self.failure is not None:
            raise self.failure
        self.records += records


@pytest.fixture
def logs():
    return RememberingStore()


@pytest.fixture
def spans():
    return RememberingStore()


def quotas_of(**limits):
    return Quotas(IngestLimits(default=TenantLimits(**limits)))


@pytest.fixture
def receiver(sink, logs, spans, clock):
    quotas = quotas_of(body_size=100_000, records=10)
    return OtlpReceiver(sink, logs, spans, clock=clock, quotas=quotas)


def points(count, temporality=2):
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="n")
    metric.sum.aggregation_temporality = temporality
    for number in range(count):
        metric.sum.data_points.add(time_unix_nano=(number + 1) * 1_000_000, as_int=number)
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("", bytes),
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("GZIP", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    ],
)
def test_spans_are_stored_and_acknowledged(receiver, spans, encoding, compress):
    body = compress(otlp.encode_spans([SPAN]))
    assert receiver.receive_traces(body, PROTOBUF, encoding) == (b"", PROTOBUF)
    assert spans.records == [SPAN]
    assert receiver.statistics().received == {Signal.SPANS: 1}


def test_json_is_answered_in_json(receiver):
    answer, content_type = receiver.receive_traces(b'{"resourceSpans": []}', "application/json")
    assert (json.loads(answer), content_type) == ({}, "application/json")


def test_a_log_record_without_a_time_gets_the_present(receiver, logs):
    receiver.receive_logs(otlp.encode_logs([LOG]), PROTOBUF)
    assert logs.records[0].timestamp_ns == NEW_YEAR_2026_NS


def test_points_become_samples(receiver, sink):
    assert receiver.receive_metrics(points(2), PROTOBUF) == (b"", PROTOBUF)
    (batch,) = sink.batches
    assert batch.values.tolist() == [0.0, 1.0]
    assert batch.timestamps_ms.tolist() == [1, 2]
    assert (batch.values.dtype, batch.timestamps_ms.dtype) == (np.float64, np.int64)


def test_points_that_are_not_taken_are_told_in_the_protocols_words(receiver, sink):
    answer, _ = receiver.receive_metrics(points(3, temporality=0), PROTOBUF)
    partial = ExportMetricsServiceResponse.FromString(answer).partial_success
    assert partial.rejected_data_points == 3
    assert "neither cumulative nor delta" in partial.error_message
    assert sink.batches == []
    assert receiver.statistics().refused == {(Signal.SAMPLES, Refusal.UNSUPPORTED): 3}


def test_increases_become_running_totals(receiver, sink):
    assert receiver.receive_metrics(points(3, temporality=1), PROTOBUF) == (b"", PROTOBUF)
    assert sink.batches[0].values.tolist() == [0.0, 1.0, 3.0]


def test_an_increase_that_is_sent_again_is_added_once(receiver, sink):
    receiver.receive_metrics(points(2, temporality=1), PROTOBUF)
    answer, _ = receiver.receive_metrics(points(3, temporality=1), PROTOBUF)
    assert sink.batches[1].values.tolist() == [3.0]
    partial = ExportMetricsServiceResponse.FromString(answer).partial_success
    assert partial.rejected_data_points == 2


def test_an_increase_that_was_not_stored_is_not_added(receiver, sink):
    sink.failure = StoreFullError("no room")
    with pytest.raises(StoreFullError):
        receiver.receive_metrics(points(2, temporality=1), PROTOBUF)
    sink.failure = None
    receiver.receive_metrics(points(2, temporality=1), PROTOBUF)
    assert sink.batches[0].values.tolist() == [0.0, 1.0]


def exponential(time_ms, counts, scale=0):
    request = ExportMetricsServiceRequest()
    data = request.resource_metrics.add().scope_metrics.add().metrics.add(name="n")
    data.exponential_histogram.aggregation_temporality = 1
    point = data.exponential_histogram.data_points.add(
        time_unix_nano=time_ms * 1_000_000, count=sum(counts), sum=1.0, scale=scale
    )
    point.positive.bucket_counts.extend(counts)
    return request.SerializeToString()


def test_histograms_of_increases_are_added_up_at_the_lower_resolution(receiver, sink):
    receiver.receive_metrics(exponential(1, [1, 2, 4, 8], scale=1), PROTOBUF)
    receiver.receive_metrics(exponential(2, [1, 1]), PROTOBUF)
    first, second = (batch.histograms[0] for batch in sink.batches)
    assert (first.schema, first.positive) == (1, {1: 1, 2: 2, 3: 4, 4: 8})
    assert (second.schema, second.count, second.sum) == (0, 17, 2.0)
    assert second.positive == {1: 4, 2: 13}
    assert sink.batches[1].values.tolist() == [2.0]


@pytest.mark.parametrize("temporality", [1, 2])
def test_labels_beyond_the_limits_are_told_and_counted(sink, logs, spans, clock, temporality):
    receiver = OtlpReceiver(sink, logs, spans, quotas=quotas_of(label_name_length=7))
    answer, _ = receiver.receive_metrics(points(2, temporality), PROTOBUF)
    partial = ExportMetricsServiceResponse.FromString(answer).partial_success
    assert partial.rejected_data_points == 2
    assert "its name is longer than 7 bytes" in partial.error_message
    assert sink.batches == []
    assert receiver.statistics().refused == {(Signal.SAMPLES, Refusal.LABEL_LIMIT): 2}


def test_samples_that_the_store_refuses_are_told_too(receiver, sink):
    sink.refuses = 1
    answer, _ = receiver.receive_metrics(points(2), PROTOBUF)
    partial = ExportMetricsServiceResponse.FromString(answer).partial_success
    assert partial.rejected_data_points == 1
    assert receiver.statistics().received == {Signal.SAMPLES: 1}


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"garbage", ""),
        (b"garbage", "gzip"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "gzip"),
        (b"garbage", "deflate"),
        (b"garbage", "zstd"),
        (b"", "br"),
    ],
)
def test_garbage_is_a_decode_error_and_counted(receiver, body, encoding):
    with pytest.raises(DecodeError):
        receiver.receive_logs(body, PROTOBUF, encoding)
    assert receiver.statistics().refused == {(Signal.LOGS, Refusal.MALFORMED): 1}


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("", bytes),
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
def test_a_bomb_is_refused_and_never_opened_whole(receiver, encoding, compress):
    bomb = compress(bytes(20_000_000))
    tracemalloc.start()
    with pytest.raises(OverloadError, match="100000 bytes"):
        receiver.receive_traces(bomb, PROTOBUF, encoding)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2_000_000
    assert receiver.statistics().refused == {(Signal.SPANS, Refusal.BODY_LIMIT): 1}


def test_too_many_records_in_one_request_are_refused(receiver, spans):
    with pytest.raises(OverloadError, match="11 spans in one request, 10 are allowed"):
        receiver.receive_traces(otlp.encode_spans([SPAN] * 11), PROTOBUF)
    assert spans.records == []


def test_a_full_store_is_not_acknowledged(receiver, spans):
    spans.failure = StoreFullError("disk full")
    with pytest.raises(StoreFullError):
        receiver.receive_traces(otlp.encode_spans([SPAN]), PROTOBUF)
    assert receiver.statistics().refused == {(Signal.SPANS, Refusal.STORE_FULL): 1}
