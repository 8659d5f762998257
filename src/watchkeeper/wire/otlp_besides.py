"""What OTLP says of a span in fields that our records lack: it is kept among the attributes.

Names are those of OpenTelemetry's mapping to formats without such fields, which Jaeger shows too.
Passed over are what has no name there: flags, and a scope's schema URL and own attributes.
"""

from __future__ import annotations

from watchkeeper.model import Scope
from watchkeeper.wire import protobuf
from watchkeeper.wire.protobuf import LENGTH, VARINT, key, read_fields

TRACE_STATE = "w3c.tracestate"
SCOPE_VERSION = "otel.scope.version"
DROPPED_ATTRIBUTES = "otel.dropped_attributes_count"
DROPPED = {
    10: DROPPED_ATTRIBUTES,
    12: "otel.dropped_events_count",
    14: "otel.dropped_links_count",
}
"""By the number of the field in a Span."""

BESIDES = (TRACE_STATE, SCOPE_VERSION, *DROPPED.values())
"""What a span may have more than its attributes."""

MASK_32 = (1 << 32) - 1
"""Counts of what was dropped are of 32 bits."""

DROPPED_KEYS = {key(number, VARINT): name for number, name in DROPPED.items()}

_NAME = key(1, LENGTH)
_VERSION = key(2, LENGTH)


def read_scope(message: bytes) -> Scope:
    """Return the name and the version that an InstrumentationScope message says."""
    said = dict(read_fields(message))
    return Scope(protobuf.text(said.get(_NAME, b"")), protobuf.text(said.get(_VERSION, b"")))
