"""One segment file of samples in the place of several: smaller on disk, quicker to ask.

A window of two hours is read for so many series at a time as memory should hold, put together
as a reader would see it, and written. What is damaged is left out; its file is put aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from watchkeeper.errors import StoreDamagedError
from watchkeeper.model import Exemplar
from watchkeeper.storage import label_union
from watchkeeper.storage.decoded_blocks import DecodedBlocks
from watchkeeper.storage.gate import Turn
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.label_tables import LabelTables
from watchkeeper.storage.part import PartName
from watchkeeper.storage.sample_file import SampleFile
from watchkeeper.storage.sample_files import SampleFiles
from watchkeeper.storage.sample_flush import series_at_once, stretches, write_rows
from watchkeeper.storage.sample_layers import Layer
from watchkeeper.storage.sample_reading import SampleReader
from watchkeeper.storage.sample_window import WINDOW_MS
from watchkeeper.storage.sample_writing import SampleFileWriter, WrittenFile

_DECODED_BYTES = 8 << 20


def write_merged(
    files: SampleFiles, some: Sequence[SampleFile], tables: LabelTables, turn: Turn
) -> WrittenFile:
    """Write one file of neighbours of one period, from old to new, a stretch of series a turn.

    Raises OSError, and StoreDamagedError if the label sets of a file cannot be read, which is
    set aside then; nothing is left.
    """
    merging = _Merging(files, some, tables)
    name = PartName(some[0].name.start_ns, some[0].name.first_sequence, some[-1].name.last_sequence)
    writer = SampleFileWriter(files.directory, name, merging.labels, files.disk)
    try:
        for start_ms in merging.windows():
            merging.write_window(writer, start_ms, turn)
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


class _Merging:
    """Files that become one, and which of its series theirs are."""

    def __init__(self, files: SampleFiles, some: Sequence[SampleFile], tables: LabelTables) -> None:
        self._some = some
        self._reader = SampleReader(DecodedBlocks(_DECODED_BYTES), tables, files.report)
        self.labels, self._own = label_union.unite([self._table(file) for file in some])

    def windows(self) -> list[int]:
        """Return the beginnings of the windows that have something, in order."""
        return sorted({place.start_ms for file in self._some for place in file.contents.windows})

    def write_window(self, writer: SampleFileWriter, start_ms: int, turn: Turn) -> None:
        """Write what all files have of a window."""
        window = writer.window(start_ms)
        end_ms = start_ms + WINDOW_MS - 1
        for begin, end in stretches(len(self.labels), self._series_at_once(start_ms)):
            with turn():
                layers = self._layers(begin, end, start_ms, end_ms)
                write_rows(window.add, end - begin, layers, begin)
                del layers
        writer.end_window(window, list(self._exemplars(start_ms, end_ms)))

    def _layers(self, begin: int, end: int, start_ms: int, end_ms: int) -> list[Layer]:
        """Return what all files have of a stretch of series in a range."""
        layers: list[Layer] = []
        for file, rows in zip(self._some, self._own, strict=True):
            own = np.arange(*np.searchsorted(rows, (begin, end)))
            inside = rows[own] - begin
            layers += self._reader.layers(file, own, inside, start_ms, end_ms)
        return layers

    def _table(self, file: SampleFile) -> LabelTable:
        table = self._reader.labels(file)
        if table is None:
            raise StoreDamagedError(f"the label sets of {file.path} cannot be read")
        return table

    def _series_at_once(self, start_ms: int) -> int:
        places = [
            place
            for file in self._some
            for place in file.contents.windows
            if place.start_ms == start_ms
        ]
        longest = max(place.rows for place in places)
        samples = sum(place.samples for place in places)
        return series_at_once(longest, samples)

    def _exemplars(self, start_ms: int, end_ms: int) -> Iterator[tuple[int, Exemplar]]:
        for file, rows in zip(self._some, self._own, strict=True):
            for number, exemplar in self._reader.exemplars(file, start_ms, end_ms):
                yield int(rows[number]), exemplar
