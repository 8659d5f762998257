"""The ids of traces and spans: bytes in OTLP, lower-case hex in the model."""

from __future__ import annotations

from watchkeeper.errors import DecodeError

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8


def trace_id(value: bytes) -> str:
    """Return a trace's id as hex. Raises DecodeError unless it has 16 bytes."""
    return _checked(value, TRACE_ID_BYTES, "trace id")


def span_id(value: bytes) -> str:
    """Return a span's id as hex. Raises DecodeError unless it has 8 bytes."""
    return _checked(value, SPAN_ID_BYTES, "span id")


def _checked(value: bytes, size: int, what: str) -> str:
    if len(value) != size:
        raise DecodeError(f"OTLP: a {what} has {len(value)} bytes, not {size}")
    return value.hex()
