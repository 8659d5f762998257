"""The label sets of segment files, decoded: those that are the same are shared."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Collection

from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.sample_file import SampleFile


class LabelTables:
    """Remembers the last used tables, about `maximum_bytes` of them at most, but always one.

    Safe from several threads.
    """

    def __init__(self, maximum_bytes: int) -> None:
        self.held_bytes = 0
        self._maximum_bytes = maximum_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[int, LabelTable] = OrderedDict()
        self._files_of: Counter[LabelTable] = Counter()
        self._last: LabelTable | None = None

    def of(self, file: SampleFile) -> LabelTable:
        """Return a file's label sets. Raises StoreDamagedError."""
        with self._lock:
            known = self._known.get(file.number)
            if known is not None:
                self._known.move_to_end(file.number)
                return known
        return self.keep(file, file.labels())

    def keep(self, file: SampleFile, table: LabelTable) -> LabelTable:
        """Remember a file's label sets; return those of the file before it if they are the same."""
        last = self._last
        if last is not None and last.equals(table):
            table = last
        self._last = table
        with self._lock:
            self._drop(file.number)
            self._known[file.number] = table
            self._files_of[table] += 1
            if self._files_of[table] == 1:
                self.held_bytes += table.size_bytes
            while self.held_bytes > self._maximum_bytes and len(self._files_of) > 1:
                self._drop(next(iter(self._known)))
        return table

    def keep_only(self, numbers: Collection[int]) -> None:
        """Forget the label sets of all files but some, by their numbers."""
        with self._lock:
            for number in self._known.keys() - numbers:
                self._drop(number)

    def _drop(self, number: int) -> None:
        table = self._known.pop(number, None)
        if table is None:
            return
        self._files_of[table] -= 1
        if not self._files_of[table]:
            del self._files_of[table]
            self.held_bytes -= table.size_bytes
