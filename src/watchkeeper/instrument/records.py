"""What waits in the queue between the work that is observed and the pump that observes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from watchkeeper.instrument.span import LiveSpan
from watchkeeper.model import Severity


class RequestRecord(NamedTuple):
    """One request that was answered, or not. Lengths in nanoseconds; `status` is 0 for a
    websocket that was never accepted."""

    span: LiveSpan
    duration_ns: int
    method: str
    template: str
    path: str
    scheme: str
    client: str
    user_agent: str
    status: int
    error_type: str
    websocket: bool
    quiet: bool = False


class ErrorDetails(NamedTuple):
    """An exception as a log line tells it."""

    type: str
    message: str
    stack: str


class PendingLog(NamedTuple):
    """A log line before redaction. Ids are 0 outside of any span."""

    timestamp_ns: int
    severity: Severity
    logger: str
    message: str
    fields: Mapping[str, Any]
    trace_id: int
    span_id: int
    error: ErrorDetails | None = None
