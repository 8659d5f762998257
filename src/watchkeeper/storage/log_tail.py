"""Who follows a log store: told of records once they are kept, by the thread that kept them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from watchkeeper.model import LogRecord
from watchkeeper.ports import LogListener, LogQuery
from watchkeeper.storage.log_matching import fulfils

LOGGER = logging.getLogger(__name__)


class LogTail:
    """The followers of one store. Safe from several threads."""

    def __init__(self) -> None:
        # Replaced whole, so that whoever tells needs no lock.
        self._followers: tuple[tuple[LogQuery, LogListener], ...] = ()
        self._changing = threading.Lock()

    def follow(self, query: LogQuery, listener: LogListener) -> Callable[[], None]:
        """Begin to tell of records that fulfil a query; return how to end it."""
        follower = (query, listener)
        with self._changing:
            self._followers = (*self._followers, follower)

        def leave() -> None:
            with self._changing:
                self._followers = tuple(one for one in self._followers if one is not follower)

        return leave

    def tell(self, records: Sequence[LogRecord]) -> None:
        """Tell of records that were just kept. Never raises: they are kept, whoever fails here."""
        for query, listener in self._followers:
            found = [record for record in records if fulfils(record, query)]
            try:
                if found:
                    listener(found)
            except Exception:
                LOGGER.exception("a follower of the logs failed; the records are kept")
