"""Which parts are open: on demand, the last used stay so, up to a number."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from watchkeeper.storage.engine import Engine, EngineError
from watchkeeper.storage.part import Part
from watchkeeper.storage.part_files import PartFiles


class OpenParts:
    """Opens parts for questions. Safe from several threads."""

    def __init__(self, engine: Engine, files: PartFiles, at_most: int) -> None:
        self._engine, self._files, self._at_most = engine, files, at_most
        self._lock = threading.Lock()
        # The longest unused comes first.
        self._opened: dict[Part, int] = {}

    @contextmanager
    def use(self, part: Part) -> Iterator[str]:
        """Hold a part open, by the name of its catalog. Raises EngineError, StoreDamagedError."""
        with self._lock:
            users = self._opened.pop(part, 0)
            if not part.catalog:
                self._open(part)
            self._opened[part] = users + 1
        try:
            yield part.catalog
        finally:
            with self._lock:
                self._opened[part] -= 1
                self._close_idle()

    def close(self, part: Part) -> None:
        """Close a part that nobody uses."""
        with self._lock:
            self._opened.pop(part, None)
            self._detach(part)

    def count(self) -> int:
        """Return how many are open."""
        with self._lock:
            return len(self._opened)

    def _open(self, part: Part) -> None:
        part.catalog = self._engine.attach(part.path, read_only=True)
        try:
            with self._engine.cursor() as cursor:
                self._files.check(cursor, part.catalog)
        except BaseException:
            self._detach(part)
            raise

    def _close_idle(self) -> None:
        idle = [part for part, users in self._opened.items() if not users]
        for part in idle[: max(0, len(self._opened) - self._at_most)]:
            del self._opened[part]
            self._detach(part)

    def _detach(self, part: Part) -> None:
        catalog, part.catalog = part.catalog, ""
        if catalog:
            try:
                self._engine.detach(catalog)
            except EngineError:
                # Damaged parts cannot always be closed; their names are not used again.
                return
