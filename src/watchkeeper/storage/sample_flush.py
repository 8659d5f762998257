"""Moving samples from memory into a segment file, which is there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import hot_samples
from watchkeeper.storage.column_codec import Ints
from watchkeeper.storage.exemplars import SeriesExemplar
from watchkeeper.storage.part import PartName
from watchkeeper.storage.sample_columns import Ids
from watchkeeper.storage.sample_files import SampleFiles
from watchkeeper.storage.sample_generation import FrozenSamples
from watchkeeper.storage.sample_layers import Layer, assemble
from watchkeeper.storage.sample_window import WINDOW_MS
from watchkeeper.storage.sample_writing import SampleFileWriter

_NS_PER_MS = 1_000_000


def write_period(
    files: SampleFiles, start_ms: int, frozen: Sequence[FrozenSamples], sequence: int
) -> Path:
    """Write what memory has of a period, which is all up to `sequence`; return the new file.

    Raises OSError; nothing is left then.
    """
    found = [pair for one in frozen for pair in one.exemplars.get(start_ms, ())]
    sources = [_Source(one, start_ms) for one in frozen if start_ms in one.blocks]
    labels = sorted({labels for labels, _ in found}.union(*(one.labels for one in sources)))
    numbers = {one: number for number, one in enumerate(labels)}
    rows = [np.array([numbers[label] for label in one.labels], np.int64) for one in sources]
    period_ns = start_ms * _NS_PER_MS
    name = PartName(period_ns, files.watermark(period_ns) + 1, sequence)
    writer = SampleFileWriter(files.directory, name, labels, files.disk)
    try:
        for window_ms in _windows(sources, found):
            end_ms = window_ms + WINDOW_MS - 1
            layers = [
                layer
                for one, own in zip(sources, rows, strict=True)
                for layer in hot_samples.layers((one.block,), one.ids, own, window_ms, end_ms)
            ]
            window = writer.window(window_ms)
            write_rows(window.add, labels, layers)
            inside = [
                (numbers[label], one)
                for label, one in found
                if window_ms <= one.timestamp_ms <= end_ms
            ]
            writer.end_window(window, inside)
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
    return writer.path


def write_rows(
    add: Callable[[Ints, SeriesColumns], None],
    labels: list[Labels],
    layers: Sequence[Layer],
    first: int = 0,
) -> None:
    """Put layers together and add the rows of the series that have samples.

    `first` is the number of the first of the labels in the file.
    """
    series = np.unique(np.concatenate([np.zeros(0, np.int64)] + [
        rows.series[rows.counts > 0] for layer in layers for rows in layer
    ]))  # fmt: skip
    add(series + first, assemble(labels, layers))


class _Source:
    """The block of a period, with the series that are in it."""

    def __init__(self, frozen: FrozenSamples, start_ms: int) -> None:
        self.block = frozen.blocks[start_ms]
        self.ids: Ids = self.block.stretches.ids
        self.labels = [frozen.index.labels(one) for one in self.ids.tolist()]


def _windows(sources: Sequence[_Source], found: Sequence[SeriesExemplar]) -> list[int]:
    """Return the beginnings of the windows that have something, in order."""
    numbers: set[int] = {exemplar.timestamp_ms // WINDOW_MS for _, exemplar in found}
    for one in sources:
        first, last = one.block.start_ms // WINDOW_MS, one.block.end_ms // WINDOW_MS
        numbers.update(range(first, last + 1))
    return [number * WINDOW_MS for number in sorted(numbers)]
