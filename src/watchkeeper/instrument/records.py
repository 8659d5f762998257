"""What waits in the queue between the work that is observed and the pump that observes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from watchkeeper.instrument.span import LiveSpan
from watchkeeper.model import Severity


class RequestSpan(LiveSpan):
    """The span of one request, and all else that is known of it once it was answered, or not.

    `status_code` is 0 for a websocket that was never accepted. `user_agent` is as the client sent
    it (Latin-1). A `quiet` request leaves neither a span nor an access line.
    """

    __slots__ = (
        "client",
        "error_type",
        "method",
        "path",
        "quiet",
        "scheme",
        "status_code",
        "template",
        "user_agent",
        "websocket",
    )

    method: str
    template: str
    path: str
    scheme: str
    client: str
    user_agent: bytes
    status_code: int
    error_type: str
    websocket: bool
    quiet: bool


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
