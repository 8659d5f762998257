"""What was read from segment files before, so that rules and dashboards decode it once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from typing import TypeVar

T = TypeVar("T")


Key = tuple[int, *tuple[Hashable, ...]]
"""The number of a file, and what of it."""


class DecodedBlocks:
    """Remembers the last used results of reading, about `maximum_bytes` of them at most.

    Safe from several threads. What it is asked for MUST never change under its key.
    """

    def __init__(self, maximum_bytes: int) -> None:
        self.held_bytes = 0
        self._maximum_bytes = maximum_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, tuple[object, int]] = OrderedDict()

    def get(self, key: Key, kind: type[T]) -> T | None:
        """Return what is known under a key."""
        with self._lock:
            known = self._known.get(key)
            if known is None:
                return None
            self._known.move_to_end(key)
            return known[0] if isinstance(known[0], kind) else None

    def put(self, key: Key, value: object, size_bytes: int) -> None:
        """Remember what was read, and what it takes; the longest unused goes if need be."""
        with self._lock:
            if key not in self._known:
                self._known[key] = value, size_bytes
                self.held_bytes += size_bytes
            while self.held_bytes > self._maximum_bytes:
                _, (_, forgotten_bytes) = self._known.popitem(last=False)
                self.held_bytes -= forgotten_bytes

    def once(self, key: Key, kind: type[T], read: Callable[[], tuple[T, int]]) -> T:
        """Return what is known under a key, or what reading gives."""
        known = self.get(key, kind)
        if known is None:
            known, size_bytes = read()
            self.put(key, known, size_bytes)
        return known

    def keep_only(self, numbers: Collection[int]) -> None:
        """Forget what was read from all files but some, by their numbers."""
        with self._lock:
            for key in [key for key in self._known if key[0] not in numbers]:
                _, forgotten_bytes = self._known.pop(key)
                self.held_bytes -= forgotten_bytes
