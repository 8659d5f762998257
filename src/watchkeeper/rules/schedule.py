"""When a group is evaluated: at moments that stay the same from one start to the next."""

from __future__ import annotations

import hashlib


def offset_ns(file: str, name: str, interval_ns: int) -> int:
    """Return how far a group's moments lie from the multiples of its interval.

    It is a hash, so that groups spread over the interval and keep their places.
    """
    digest = hashlib.sha256(f"{file};{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % interval_ns


def next_slot_ns(now_ns: int, interval_ns: int, offset: int) -> int:
    """Return the first moment of the group that is not before `now_ns`."""
    return now_ns + (offset - now_ns) % interval_ns
