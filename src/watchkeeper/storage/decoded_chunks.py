"""Columns of numbers that were read before, so that rules and dashboards decode them once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from watchkeeper.storage import chunk
from watchkeeper.storage.chunk import Float64Array, Int64Array

_ENTRY_BYTES = 400
"""About what an entry takes besides its numbers and the bytes of its chunk."""


class DecodedChunks:
    """Decodes chunks and remembers the last used ones, at most `maximum_bytes` of them.

    Safe from several threads. A chunk is known by its own bytes, so what is remembered is true
    for good, whatever becomes of the file. Arrays are shared, and therefore read-only.
    """

    def __init__(self, maximum_bytes: int) -> None:
        self.held_bytes = 0
        self._maximum_bytes = maximum_bytes
        self._lock = threading.Lock()
        self._columns: OrderedDict[tuple[str, bytes], NDArray[Any]] = OrderedDict()

    def times(self, blob: bytes) -> Int64Array:
        """Return what `chunk.decode_times` does. Raises StoreDamagedError."""
        return self._column("times", blob, chunk.decode_times)

    def values(self, blob: bytes) -> Float64Array:
        """Return what `chunk.decode_values` does. Raises StoreDamagedError."""
        return self._column("values", blob, chunk.decode_values)

    def _column(
        self, kind: str, blob: bytes, decode: Callable[[bytes], NDArray[Any]]
    ) -> NDArray[Any]:
        key = kind, blob
        with self._lock:
            known = self._columns.get(key)
            if known is not None:
                self._columns.move_to_end(key)
                return known
        column = decode(blob)
        column.flags.writeable = False
        with self._lock:
            if key not in self._columns:
                self._columns[key] = column
                self.held_bytes += _size(blob, column)
            while self.held_bytes > self._maximum_bytes:
                (_, oldest), forgotten = self._columns.popitem(last=False)
                self.held_bytes -= _size(oldest, forgotten)
        return column


def _size(blob: bytes, column: NDArray[Any]) -> int:
    return len(blob) + column.nbytes + _ENTRY_BYTES
