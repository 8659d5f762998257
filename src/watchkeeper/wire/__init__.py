"""Formats, encoding and decoding side by side: exposition, otlp, traceparent.

Use the modules: `from watchkeeper.wire import exposition, otlp, traceparent`.
"""

__all__ = ["exposition", "family", "otlp", "protobuf", "traceparent"]

from watchkeeper.wire import exposition, family, otlp, protobuf, traceparent
