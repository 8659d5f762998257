"""What a segment file of samples has of some series: its blocks, decoded and remembered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import numpy as np

from watchkeeper.errors import StoreDamagedError
from watchkeeper.model import Exemplar
from watchkeeper.storage import column_codec, histogram_rows
from watchkeeper.storage.column_codec import Ints, row_starts
from watchkeeper.storage.decoded_blocks import DecodedBlocks
from watchkeeper.storage.histogram_rows import HistogramRow
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.label_tables import LabelTables
from watchkeeper.storage.sample_columns import Objects, Times, Values
from watchkeeper.storage.sample_file import SampleFile, WindowPlace
from watchkeeper.storage.sample_layers import Layer, Rows, within
from watchkeeper.storage.sample_window import BlockPlace, SampleWindow
from watchkeeper.storage.sample_writing import WrittenFile

_READ_AT_ONCE_BYTES = 4 << 20
_FEW_OF = 4
"""When at most one in so many rows of a block is wanted, the others are not decoded."""
_HISTOGRAM_DECODER = msgspec.msgpack.Decoder(list[tuple[int, HistogramRow]])


class Damaged(Protocol):
    """Is told of every part of a file that cannot be read, and whether the rest is useless
    without it; the rest is read."""

    def __call__(self, file: SampleFile, error: StoreDamagedError, *, useless: bool) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    values: Values
    row_first: Ints
    starts_ms: Times | None
    histograms: Objects | None
    is_partial: bool = False

    @property
    def size_bytes(self) -> int:
        size = self.values.nbytes + self.row_first.nbytes + 400
        if self.starts_ms is not None:
            size += self.starts_ms.nbytes
        return size if self.histograms is None else size + 1000 * len(self.histograms)


class SampleReader:
    """Reads files; decoded blocks, directories and label sets are remembered within bounds."""

    def __init__(self, blocks: DecodedBlocks, tables: LabelTables, damaged: Damaged) -> None:
        self.tables = tables
        self._decoded = blocks
        self._damaged = damaged

    def know(self, file: SampleFile, written: WrittenFile) -> None:
        """Remember what was just written to a file, so that nobody has to wait for it."""
        self.tables.keep(file, written.labels)
        if written.newest is not None:
            offset, window = written.newest
            self._decoded.put((file.number, offset), window, window.size_bytes)

    def keep_only(self, files: Iterable[SampleFile]) -> None:
        """Forget what was read of all files but some."""
        numbers = {file.number for file in files}
        self.tables.keep_only(numbers)
        self._decoded.keep_only(numbers)

    def labels(self, file: SampleFile) -> LabelTable | None:
        """Return a file's label sets, or None if they are damaged."""
        try:
            return self.tables.of(file)
        except StoreDamagedError as error:
            self._damaged(file, error, useless=True)
            return None

    def windows(
        self, file: SampleFile, start_ms: int, end_ms: int
    ) -> Iterator[tuple[WindowPlace, SampleWindow]]:
        """Give the directories of the windows that have something in a range."""
        for place in file.contents.windows:
            if place.first_ms <= end_ms and place.last_ms >= start_ms:
                window = self._window(file, place)
                if window is not None:
                    yield place, window

    def layers(
        self, file: SampleFile, ids: Ints, series: Ints, start_ms: int, end_ms: int
    ) -> list[Layer]:
        """Return what a file has of numbered series (ascending) in a range.

        `series` are their rows in the result.
        """
        found: list[Layer] = []
        for place, window in self.windows(file, start_ms, end_ms):
            rows, there = window.rows_of(ids)
            if len(rows):
                whole = start_ms <= place.first_ms and place.last_ms <= end_ms
                bounds = None if whole else (start_ms, end_ms)
                found.append(list(self._rows(file, window, rows, series[there], bounds)))
        return found

    def exemplars(
        self, file: SampleFile, start_ms: int, end_ms: int
    ) -> Iterator[tuple[int, Exemplar]]:
        """Give a file's exemplars in a range, with the numbers of their series."""
        for _, window in self.windows(file, start_ms, end_ms):
            for number, exemplar in window.exemplars:
                if start_ms <= exemplar.timestamp_ms <= end_ms:
                    yield number, exemplar

    def _window(self, file: SampleFile, place: WindowPlace) -> SampleWindow | None:
        def read() -> tuple[SampleWindow, int]:
            window = file.window(place)
            return window, window.size_bytes

        try:
            return self._decoded.once((file.number, place.offset), SampleWindow, read)
        except StoreDamagedError as error:
            self._damaged(file, error, useless=False)
            return None

    def _rows(
        self,
        file: SampleFile,
        window: SampleWindow,
        rows: Ints,
        series: Ints,
        bounds: tuple[int, int] | None,
    ) -> Iterator[Rows]:
        """Give wanted rows of a window, those of one block at a time."""
        order = np.argsort(rows)
        rows, series = rows[order], series[order]
        numbers = window.times_of(rows)
        try:
            times, time_first = self._times(file, window, numbers)
        except StoreDamagedError as error:
            self._damaged(file, error, useless=False)
            return
        counts = window.time_lengths[numbers]
        skipped: Ints | None = None
        if bounds is not None:
            begin, counts = within(times, time_first, counts, numbers, *bounds)
            skipped = begin - time_first
            time_first = begin
        block_of = window.block_rows.searchsorted(rows, "right") - 1
        edges = [0, *(np.flatnonzero(block_of[1:] != block_of[:-1]) + 1).tolist(), len(rows)]
        wanted = [
            (block, rows[low:high] - window.block_rows[block])
            for block, low, high in zip(
                block_of[edges[:-1]].tolist(), edges, edges[1:], strict=False
            )
        ]
        found = self._blocks(file, window, wanted)
        for (_, inside), block, low, high in zip(wanted, found, edges, edges[1:], strict=False):
            if block is None:
                continue
            own = slice(low, high)
            first = block.row_first if block.is_partial else block.row_first[inside]
            yield Rows(
                series[own],
                counts[own],
                numbers[own],
                block.values,
                first if skipped is None else first + skipped[own],
                times,
                time_first[own],
                block.starts_ms,
                block.histograms,
            )

    def _times(self, file: SampleFile, window: SampleWindow, numbers: Ints) -> tuple[Times, Ints]:
        """Return columns of times end to end, and where those of some numbers begin."""
        first = window.time_starts[numbers]
        if len(window.times) == 1:
            return self._times_block(file, window, 0), first
        own = window.times_columns.searchsorted(numbers, "right") - 1
        wanted, places = np.unique(own, return_inverse=True)
        pieces = [self._times_block(file, window, block) for block in wanted.tolist()]
        ahead = row_starts(np.array([len(one) for one in pieces], np.int64))[:-1]
        block_starts = window.time_starts[window.times_columns[own]]
        return np.concatenate(pieces), first - block_starts + ahead[places]

    def _times_block(self, file: SampleFile, window: SampleWindow, block: int) -> Times:
        place = window.times[block]

        def read() -> tuple[Times, int]:
            lengths = window.time_lengths[slice(*window.times_columns[block : block + 2])]
            data = file.read(place.offset, place.size_bytes)
            times = column_codec.decode_integers(data, lengths)
            times.flags.writeable = False
            return times, times.nbytes

        return self._decoded.once((file.number, place.offset), np.ndarray, read)

    def _blocks(
        self, file: SampleFile, window: SampleWindow, wanted: Sequence[tuple[int, Ints]]
    ) -> Iterator[_Block | None]:
        """Give blocks by number, None for those that are damaged; neighbours are read at once.

        Of a block of which few rows are wanted, only those are decoded.
        """
        data, data_offset, ready = b"", 0, -1
        for at, (number, inside) in enumerate(wanted):
            place = window.blocks[number]
            whole = file.number, place.offset
            is_partial = len(inside) * _FEW_OF <= place.rows and not place.histograms_bytes
            some = (*whole, inside.tobytes())
            block = self._decoded.get(whole, _Block)
            if block is None and is_partial:
                block = self._decoded.get(some, _Block)
            if block is None:
                try:
                    if at > ready:
                        ready = self._neighbours(window, wanted, at)
                        data_offset = place.offset
                        end = window.blocks[wanted[ready][0]]
                        data = file.read(data_offset, _end(end) - data_offset)
                    block = _decoded(
                        data[place.offset - data_offset : _end(place) - data_offset],
                        place,
                        window.row_lengths(number),
                        inside if is_partial else None,
                    )
                    self._decoded.put(some if is_partial else whole, block, block.size_bytes)
                except StoreDamagedError as error:
                    self._damaged(file, error, useless=False)
            yield block

    def _neighbours(self, window: SampleWindow, wanted: Sequence[tuple[int, Ints]], at: int) -> int:
        """Return the last of the blocks that lie behind one another in the file."""
        begin = window.blocks[wanted[at][0]].offset
        while at + 1 < len(wanted):
            here, following = (window.blocks[number] for number, _ in wanted[at : at + 2])
            if following.offset != _end(here) or _end(following) - begin > _READ_AT_ONCE_BYTES:
                break
            at += 1
        return at


def read_everything(file: SampleFile) -> int:
    """Read a file from end to end, and return how many samples it has.

    Raises StoreDamagedError at the first part that is damaged.
    """

    def damaged(file: SampleFile, error: StoreDamagedError, *, useless: bool) -> None:
        raise error

    reader = SampleReader(DecodedBlocks(0), LabelTables(0), damaged)
    table = reader.labels(file)
    every = np.arange(0 if table is None else len(table))
    ever = (-(2**63), 2**63 - 2)
    layers = reader.layers(file, every, every, *ever)
    return sum(int(rows.counts.sum()) for layer in layers for rows in layer)


def _end(place: BlockPlace) -> int:
    return place.offset + place.values_bytes + place.starts_bytes + place.histograms_bytes


def _decoded(data: bytes, place: BlockPlace, lengths: Ints, rows: Ints | None) -> _Block:
    """Return a block, or only some of its rows."""
    middle = place.values_bytes
    last = middle + place.starts_bytes
    values = column_codec.decode_values(data[:middle], lengths, rows)
    values.flags.writeable = False
    starts = histograms = None
    if place.starts_bytes:
        starts = column_codec.decode_integers(data[middle:last], lengths, rows)
    if place.histograms_bytes:
        histograms = _histograms(data[last:], len(values))
    chosen = lengths if rows is None else lengths[rows]
    return _Block(values, row_starts(chosen)[:-1], starts, histograms, rows is not None)


def _histograms(data: bytes, count: int) -> Objects:
    column = np.full(count, None)
    try:
        for place, row in _HISTOGRAM_DECODER.decode(column_codec.unsqueeze(data)):
            column[place] = histogram_rows.unpack(row)
    except (msgspec.DecodeError, IndexError) as error:
        raise StoreDamagedError(f"histograms cannot be understood: {error}") from error
    return column
