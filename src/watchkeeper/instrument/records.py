"""What waits in the queue between the work that is observed and the pump that observes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from watchkeeper.instrument.span import LiveSpan

RequestKind = tuple[str, str, int, str, str, bool]
"""Method, route template, status (0 for a websocket that was never accepted), scheme, type of the
error or '', and whether it was a websocket."""

Asking = tuple[str, bytes]
"""Who asked: address, or '', and user agent as the client sent it (Latin-1)."""

RequestRecord = tuple[
    RequestKind,
    Asking,
    str,  # the path
    int,  # trace id
    int,  # span id
    int,  # the parent's span id, or 0
    int,  # start, nanoseconds since the epoch
    int,  # end
    bool,  # whether the span is recorded
    bool,  # whether it is quiet: leaves neither a span nor an access line
    LiveSpan | None,  # the span, if the service gave it anything of its own
]
"""All that is known of a request once it was answered, or not.

A plain tuple of plain values: Python's cyclic collector lets go of such at first sight. To look
again and again through spans that wait for the pump took a tenth of all that a request cost.
"""


class ErrorDetails(NamedTuple):
    """An exception as a log line tells it."""

    type: str
    message: str
    stack: str


PendingLog = tuple[
    int,  # nanoseconds since the epoch
    int,  # the severity's number
    str,  # the logger
    str,  # the message
    Mapping[str, Any],  # the fields
    int,  # trace id, or 0 outside of any span
    int,  # span id, or 0
    bool,  # whether that span is sampled
    ErrorDetails | None,
]
"""A log line before redaction: as plain as a RequestRecord, and for the same reason. What tells one
from the other in the queue is that a request begins with a tuple."""
