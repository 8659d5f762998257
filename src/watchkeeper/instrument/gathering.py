"""Messages of one signal on their way into a request: by scope, so many at the most."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.model import Scope
from watchkeeper.wire.otlp_encode import Messages


class Gathering:
    """What makes the next request. `records` says how many there are."""

    __slots__ = ("_most", "_scopes", "records")

    def __init__(self, most: int) -> None:
        self._most = most
        self._scopes: dict[str | Scope, list[bytes]] = {}
        self.records = 0

    def take(self, messages: Messages) -> Iterator[tuple[Messages, int]]:
        """Take messages in; yield a request's and their number whenever there are enough."""
        for scope, new in messages.items():
            taken = 0
            while taken < len(new):
                part = new[taken : taken + self._most - self.records]
                taken += len(part)
                self.records += len(part)
                self._scopes.setdefault(scope, []).extend(part)
                if self.records == self._most:
                    yield self.leave()

    def leave(self) -> tuple[Messages, int]:
        """Return what is there and how many, and begin anew."""
        left = self._scopes, self.records
        self._scopes, self.records = {}, 0
        return left
