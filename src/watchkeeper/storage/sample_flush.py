"""Moving samples from memory into a segment file, which is there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from watchkeeper.model import Exemplar
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import hot_samples, label_union
from watchkeeper.storage.column_codec import Ints
from watchkeeper.storage.part import PartName
from watchkeeper.storage.sample_columns import Ids
from watchkeeper.storage.sample_files import SampleFiles
from watchkeeper.storage.sample_generation import FrozenSamples
from watchkeeper.storage.sample_layers import Layer, assemble_rows
from watchkeeper.storage.sample_window import WINDOW_MS
from watchkeeper.storage.sample_writing import SampleFileWriter, WrittenFile

_NS_PER_MS = 1_000_000
_SAMPLES_AT_ONCE = 1 << 18


def write_period(
    files: SampleFiles, start_ms: int, frozen: Sequence[FrozenSamples], sequence: int
) -> WrittenFile:
    """Write what memory has of a period, which is all up to `sequence`; return the new file.

    Raises OSError; nothing is left then.
    """
    sources = [_Source(one, start_ms) for one in frozen if start_ms in one.periods()]
    labels, rows = label_union.unite([one.labels for one in sources])
    period_ns = start_ms * _NS_PER_MS
    name = PartName(period_ns, files.watermark(period_ns) + 1, sequence)
    samples = sum(one.samples for one in sources)
    at_once = series_at_once(len(labels), samples)
    writer = SampleFileWriter(files.directory, name, labels, files.disk)
    try:
        for window_ms in _windows(sources):
            end_ms = window_ms + WINDOW_MS - 1
            window = writer.window(window_ms)
            for begin, end in stretches(len(labels), at_once):
                layers = [
                    layer
                    for one, own in zip(sources, rows, strict=True)
                    for layer in one.layers(own, begin, end, window_ms, end_ms)
                ]
                write_rows(window.add, end - begin, layers, begin)
            exemplars = [
                found
                for one, own in zip(sources, rows, strict=True)
                for found in one.exemplars(own, window_ms, end_ms)
            ]
            writer.end_window(window, exemplars)
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


def series_at_once(series: int, samples: int) -> int:
    """Return how many of so many series, with so many samples in all, are put together at once."""
    return max(1, _SAMPLES_AT_ONCE * series // max(samples, 1))


def stretches(series: int, at_once: int) -> Iterator[tuple[int, int]]:
    """Give all of so many series, from one number up to another, a few of them at a time."""
    for begin in range(0, series, at_once):
        yield begin, min(begin + at_once, series)


def write_rows(
    add: Callable[[Ints, SeriesColumns], None],
    series: int,
    layers: Sequence[Layer],
    first: int = 0,
) -> None:
    """Put layers together and add the rows of those of so many series that have samples.

    `first` is the number of the first of the series in the file.
    """
    there, columns = assemble_rows(series, layers)
    add(there + first, columns)


class _Source:
    """What a generation has of a period, with the label sets of its series."""

    def __init__(self, frozen: FrozenSamples, start_ms: int) -> None:
        self._blocks = frozen.blocks.get(start_ms, ())
        ids = [np.zeros(0, np.int32), *(block.stretches.ids for block in self._blocks)]
        self._ids: Ids = np.unique(np.concatenate(ids))
        self._found = [
            (identity, exemplar)
            for labels, exemplar in frozen.exemplars.get(start_ms, ())
            if (identity := frozen.index.get(labels)) is not None
        ]
        of_exemplars = np.array([identity for identity, _ in self._found], np.int32)
        self._every = np.union1d(self._ids, of_exemplars).astype(np.int64)
        self.labels, self._rows = label_union.ordered(frozen.index.columns().take(self._every))

    def windows(self) -> set[int]:
        """Return the numbers of the windows that have something."""
        numbers = {exemplar.timestamp_ms // WINDOW_MS for _, exemplar in self._found}
        for block in self._blocks:
            numbers.update(range(block.start_ms // WINDOW_MS, block.end_ms // WINDOW_MS + 1))
        return numbers

    @property
    def samples(self) -> int:
        """How many there are."""
        return sum(map(len, self._blocks))

    def layers(self, rows: Ints, begin: int, end: int, start_ms: int, end_ms: int) -> list[Layer]:
        """Return the samples of a range and of a stretch of the file's series.

        `rows` are those of `labels` in the file.
        """
        own = rows[self._rows[self._every.searchsorted(self._ids)]]
        inside = (own >= begin) & (own < end)
        ids = self._ids[inside]
        return hot_samples.layers(self._blocks, ids, own[inside] - begin, start_ms, end_ms)

    def exemplars(self, rows: Ints, start_ms: int, end_ms: int) -> list[tuple[int, Exemplar]]:
        """Return the exemplars of a range by the number of their series in the file."""
        return [
            (int(rows[self._rows[self._every.searchsorted(identity)]]), exemplar)
            for identity, exemplar in self._found
            if start_ms <= exemplar.timestamp_ms <= end_ms
        ]


def _windows(sources: Sequence[_Source]) -> list[int]:
    """Return the beginnings of the windows that have something, in order."""
    numbers = set[int]().union(*(one.windows() for one in sources))
    return [number * WINDOW_MS for number in sorted(numbers)]
