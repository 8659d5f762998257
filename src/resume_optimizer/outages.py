"""Outages: a dependency that does not answer, told apart from every other error.

`failure_of` turns what a client library raises into the Failure that people see, so that no
caller has to know the exceptions of three libraries.
"""

from __future__ import annotations

import obstore.exceptions
import redis.exceptions

from resume_optimizer.failures import Failure

CACHE_DOWN = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.BusyLoadingError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.AuthenticationError,
)


def failure_of(error: BaseException) -> Failure | None:
    """Return the failure that stands for `error`, or None when it is a fault of this program."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, CACHE_DOWN):
        return Failure("cache_unavailable")
    if isinstance(error, obstore.exceptions.BaseError):
        return Failure("objects_unavailable")
    return None
