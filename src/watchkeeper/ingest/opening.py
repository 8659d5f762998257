"""The start of every pushed request: its tenant's rates, its body opened and read, its size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from watchkeeper.errors import DecodeError, OverloadError
from watchkeeper.ingest.quota import Quota
from watchkeeper.ingest.statistics import Refusal, Signal, Tally
from watchkeeper.wire.limits import Limit

Content = TypeVar("Content")
Open = Callable[[bytes, int], bytes]
"""Returns a body decompressed, as far as a number of bytes. Raises DecodeError, OverloadError."""


def read_request(
    body: bytes,
    *,
    signal: Signal,
    quota: Quota,
    tally: Tally,
    unpack: Open,
    decode: Callable[[bytes], Content],
) -> Content:
    """Return what a request holds; count it where it is refused.

    Raises OverloadError (the rate is used up, the body is too large) and DecodeError.
    """
    try:
        quota.admit(signal, len(body))
    except OverloadError:
        tally.refused(signal, Refusal.RATE_LIMIT)
        raise
    try:
        return decode(unpack(body, quota.limits.body_size or 1 << 62))
    except DecodeError:
        tally.refused(signal, Refusal.MALFORMED)
        raise
    except OverloadError:
        tally.refused(signal, Refusal.BODY_LIMIT)
        quota.exceeded(Limit.BODY, str(signal))
        raise


def take(count: int, *, signal: Signal, quota: Quota, tally: Tally) -> None:
    """Charge a request's records to its tenant. Raises OverloadError if they are too many."""
    try:
        quota.take(signal, count)
    except OverloadError:
        tally.refused(signal, Refusal.LIMIT, count)
        raise
