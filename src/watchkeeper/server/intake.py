"""What every protocol that brings data shares: whose it is, how much at once, and when again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from watchkeeper.errors import OverloadError, QuotaError, StoreFullError
from watchkeeper.ingest import Quotas
from watchkeeper.ingest.quota import DEFAULT_TENANT
from watchkeeper.server.answers import Failure, failure_of
from watchkeeper.server.arguments import body
from watchkeeper.server.threads import Threads

Result = TypeVar("Result")

MAX_BODY_BYTES = 16 << 20
RETRY_SECONDS = 5.0
"""How long a sender waits for room on the disk."""
TENANT = "watchkeeper.tenant"
"""Where in a request's scope the guard leaves the name of its tenant."""


class Intake:
    """The way in: a place in the tenant's queue, the body, and a thread that stores it."""

    def __init__(self, threads: Threads, quotas: Quotas) -> None:
        self._threads = threads
        self._quotas = quotas

    async def read(self, request: Request, receive: Callable[[bytes, str], Result]) -> Result:
        """Return what `receive` makes of a request's body and tenant; raise what it raises.

        Raises OverloadError where the queue is full, Refusal 413.
        """
        tenant = request.scope.get(TENANT, DEFAULT_TENANT)
        with self._quotas.of(tenant).place():
            data = await body(request, MAX_BODY_BYTES)
            return await self._threads.run(partial(receive, data, tenant))

    async def run(
        self, data: bytes, tenant: str, receive: Callable[[bytes, str], Result]
    ) -> Result:
        """Do the same with a body that is there already."""
        with self._quotas.of(tenant).place():
            return await self._threads.run(partial(receive, data, tenant))


def not_taken(error: Exception, *, overload_status: int = 429) -> Failure:
    """Return why data was not taken: 413 what will never fit, 429 beyond the sender's limits, 503
    while the disk is full.

    `overload_status` is the one by which the protocol's senders know to come back later when it
    is not their own limit.
    """
    if isinstance(error, StoreFullError):
        return Failure(503, "store_full", str(error), RETRY_SECONDS)
    if isinstance(error, OverloadError):
        if not error.retry_after_seconds:
            return Failure(413, "too_large", str(error))
        status = 429 if isinstance(error, QuotaError) else overload_status
        return Failure(status, "overload", str(error), error.retry_after_seconds)
    return failure_of(error)
