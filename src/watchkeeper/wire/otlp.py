"""OTLP: what exporters send and the receiver reads, in protobuf or JSON.

    encode_spans(spans: Sequence[SpanRecord]) -> bytes       ExportTraceServiceRequest
    encode_logs(records: Sequence[LogRecord]) -> bytes       ExportLogsServiceRequest
    decode_spans(body, content_type) -> list[SpanRecord]
    decode_logs(body, content_type) -> list[LogRecord]
    decode_metrics(body, content_type) -> DecodedMetrics
    read_spans(body, content_type, limits) -> Decoded[SpanRecord], those beyond limits apart
    read_logs(body, content_type, limits) -> Decoded[LogRecord]

Encoded requests are protobuf. Decoding raises DecodeError and nothing else; the body is already
decompressed.
"""

from __future__ import annotations

from watchkeeper.errors import DecodeError
from watchkeeper.model import LogRecord, SpanRecord
from watchkeeper.wire import otlp_decode, otlp_json, otlp_metrics
from watchkeeper.wire.limits import AttributeLimits
from watchkeeper.wire.otlp_decode import Decoded
from watchkeeper.wire.otlp_encode import encode_logs, encode_spans
from watchkeeper.wire.otlp_metrics import DecodedMetrics

__all__ = [
    "JSON_CONTENT_TYPE",
    "PROTOBUF_CONTENT_TYPE",
    "Decoded",
    "DecodedMetrics",
    "decode_logs",
    "decode_metrics",
    "decode_spans",
    "encode_logs",
    "encode_spans",
    "is_json",
    "read_logs",
    "read_spans",
]

PROTOBUF_CONTENT_TYPE = "application/x-protobuf"
JSON_CONTENT_TYPE = "application/json"


def decode_spans(body: bytes, content_type: str = PROTOBUF_CONTENT_TYPE) -> list[SpanRecord]:
    """Return the spans of a request."""
    return list(read_spans(body, content_type, None).records)


def decode_logs(body: bytes, content_type: str = PROTOBUF_CONTENT_TYPE) -> list[LogRecord]:
    """Return the log records of a request; `timestamp_ns` is 0 where the sender gave none."""
    return list(read_logs(body, content_type, None).records)


def read_spans(
    body: bytes, content_type: str, limits: AttributeLimits | None
) -> Decoded[SpanRecord]:
    """Return the spans of a request, and what was left out as beyond the limits."""
    return otlp_decode.decode_spans(_protobuf(body, content_type, otlp_json.TRACES), limits)


def read_logs(body: bytes, content_type: str, limits: AttributeLimits | None) -> Decoded[LogRecord]:
    """Return the log records of a request, as `decode_logs`, and what was left out."""
    return otlp_decode.decode_logs(_protobuf(body, content_type, otlp_json.LOGS), limits)


def decode_metrics(body: bytes, content_type: str = PROTOBUF_CONTENT_TYPE) -> DecodedMetrics:
    """Return the samples of a request, named as Prometheus names them."""
    return otlp_metrics.decode_metrics(_protobuf(body, content_type, otlp_json.METRICS))


def is_json(content_type: str) -> bool:
    """Return whether a content type means OTLP/JSON. Raises DecodeError if it is not OTLP's."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in (PROTOBUF_CONTENT_TYPE, JSON_CONTENT_TYPE):
        accepted = f"{PROTOBUF_CONTENT_TYPE} or {JSON_CONTENT_TYPE}"
        raise DecodeError(f"OTLP: content type {media_type!r}: send {accepted}")
    return media_type == JSON_CONTENT_TYPE


def _protobuf(body: bytes, content_type: str, shape: otlp_json.Shape) -> bytes:
    return otlp_json.to_protobuf(body, shape) if is_json(content_type) else body
