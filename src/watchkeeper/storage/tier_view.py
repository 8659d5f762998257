"""What readers of a signal see: hot tables and parts, changed all at once.

Who reads holds what was there when he began; what was taken out meanwhile is disposed of when
the last of its readers has left. So nobody waits: neither readers for a flush nor it for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from watchkeeper.storage.part import Part


@dataclass(eq=False, slots=True)
class HotTable:
    """A table of the engine's memory."""

    name: str
    users: int = 0
    retired: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Hot tables, newest first (rows are inserted into the first one), and parts."""

    hot: tuple[HotTable, ...]
    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[HotTable | Part]:
        yield from self.hot
        yield from self.parts


class TierView:
    """Holds the current view. `dispose` is called with what no reader has any more."""

    def __init__(self, view: View, dispose: Callable[[HotTable | Part], None]) -> None:
        self._lock = threading.Lock()
        self._view = view
        self._dispose = dispose

    @property
    def current(self) -> View:
        """The view as it is now; nobody holds its parts for the caller."""
        return self._view

    @contextmanager
    def held(self) -> Iterator[View]:
        """Hold everything that is there now until the end."""
        with self._lock:
            view = self._view
            for one in view:
                one.users += 1
        try:
            yield view
        finally:
            with self._lock:
                for one in view:
                    one.users -= 1
                leaving = [one for one in view if one.retired and not one.users]
            for one in leaving:
                self._dispose(one)

    def add_hot(self, table: HotTable) -> None:
        """Put a new table before the others."""
        with self._lock:
            self._view = View((table, *self._view.hot), self._view.parts)

    def replace(self, old: Iterable[HotTable | Part], new: Iterable[Part]) -> bool:
        """Take some out and put parts in; return False, and do nothing, if one is gone already."""
        with self._lock:
            taken = set(old)
            view = self._view
            if not taken <= set(view):
                return False
            for one in taken:
                one.retired = True
            self._view = View(
                tuple(table for table in view.hot if table not in taken),
                (*(part for part in view.parts if part not in taken), *new),
            )
            leaving = [one for one in taken if not one.users]
        for one in leaving:
            self._dispose(one)
        return True
