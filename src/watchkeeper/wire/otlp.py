"""OTLP: what exporters send and the receiver reads, in protobuf or JSON.

    encode_spans(spans: Sequence[SpanRecord]) -> bytes       ExportTraceServiceRequest
    encode_logs(records: Sequence[LogRecord]) -> bytes       ExportLogsServiceRequest

Encoded requests are sent as PROTOBUF_CONTENT_TYPE.
"""

from watchkeeper.wire.otlp_encode import encode_logs, encode_spans

PROTOBUF_CONTENT_TYPE = "application/x-protobuf"
JSON_CONTENT_TYPE = "application/json"

__all__ = ["JSON_CONTENT_TYPE", "PROTOBUF_CONTENT_TYPE", "encode_logs", "encode_spans"]
