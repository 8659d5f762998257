"""Faults of the instrumentation itself: counted, logged once, kept from the service."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

LOGGER = logging.getLogger("watchkeeper.instrument")


class Faults:
    """Where every guarded entry brings the error that it caught.

    `loud` raises it instead: a test shall see it. Otherwise the first fault of a place is
    logged with its traceback and all are counted, through `count(where)` once that is set.
    """

    def __init__(self, *, loud: bool = False) -> None:
        self.loud = loud
        self.seen: dict[str, int] = {}
        self.count: Callable[[str], None] | None = None

    def note(self, where: str, error: BaseException) -> None:
        """Keep `error` from the service; raise it if loud."""
        if self.loud:
            raise error
        first = where not in self.seen
        self.seen[where] = self.seen.get(where, 0) + 1
        if self.count is not None:
            with suppress(Exception):
                self.count(where)
        if first:
            with suppress(Exception):
                LOGGER.error("fault in %s; further ones are only counted", where, exc_info=error)
