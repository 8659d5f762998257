"""What every protocol that brings data shares: how much at once, and when to send it again."""

from __future__ import annotations

from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.server.answers import Failure, failure_of

MAX_BODY_BYTES = 16 << 20
RETRY_SECONDS = 5.0
"""How long a sender waits for room on the disk."""


def not_taken(error: Exception, *, overload_status: int = 429) -> Failure:
    """Return why data was not taken: 413 what will never fit, 503 while the disk is full.

    `overload_status` is the one by which the protocol's senders know to come back later.
    """
    if isinstance(error, StoreFullError):
        return Failure(503, "store_full", str(error), RETRY_SECONDS)
    if isinstance(error, OverloadError):
        if not error.retry_after_seconds:
            return Failure(413, "too_large", str(error))
        return Failure(overload_status, "overload", str(error), error.retry_after_seconds)
    return failure_of(error)
