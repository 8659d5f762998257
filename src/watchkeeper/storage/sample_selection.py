"""A selector's samples from everywhere: the files of a store and what is still in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from watchkeeper.model import Matcher
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import hot_samples
from watchkeeper.storage.chosen_series import Chosen, Unions
from watchkeeper.storage.hot_samples import SampleBlock
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.sample_file import SampleFile
from watchkeeper.storage.sample_layers import Layer, assemble
from watchkeeper.storage.sample_reading import SampleReader
from watchkeeper.storage.series_index import SeriesIndex


@dataclass(frozen=True, slots=True)
class MemorySource:
    """Blocks in memory and the index that their ids are of."""

    index: SeriesIndex
    blocks: tuple[SampleBlock, ...]

    def has(self, start_ms: int, end_ms: int) -> bool:
        """Tell whether there may be samples of a range."""
        return any(one.start_ms <= end_ms and one.end_ms >= start_ms for one in self.blocks)


@dataclass(frozen=True, slots=True)
class Sources:
    """All that a store has at one moment, oldest first. `indexing` guards indexes of memory."""

    files: Sequence[SampleFile]
    memory: Sequence[MemorySource]
    indexing: threading.Lock


class SampleSelection:
    """Selects from sources; remembers which label sets selectors chose."""

    def __init__(self, reader: SampleReader) -> None:
        self._reader = reader
        self._unions = Unions()

    def select(
        self, sources: Sources, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> SeriesColumns:
        """Return the series that fulfil every matcher and have samples in a range."""
        chosen = list(self._chosen(sources, matchers, start_ms, end_ms))
        union = self._unions.of([one for _, one in chosen])
        layers: list[Layer] = []
        for (source, one), rows in zip(chosen, union.rows, strict=True):
            if isinstance(source, SampleFile):
                ids = one.ids.astype(np.int64)
                layers += self._reader.layers(source, ids, rows, start_ms, end_ms)
            else:
                layers += hot_samples.layers(source.blocks, one.ids, rows, start_ms, end_ms)
        return assemble(union.labels, layers)

    def choices(
        self, sources: Sources, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[Chosen]:
        """Return what matchers choose of every source that has something in a range."""
        return [one for _, one in self._chosen(sources, matchers, start_ms, end_ms)]

    def indexes(
        self, sources: Sources, start_ms: int, end_ms: int
    ) -> Iterator[SeriesIndex | LabelTable]:
        """Give the index of every source that has something in a range, each once."""
        for file in sources.files:
            if file.overlaps(start_ms, end_ms):
                table = self._reader.labels(file)
                if table is not None:
                    yield table
        seen: list[SeriesIndex] = []
        for source in sources.memory:
            if source.has(start_ms, end_ms) and not any(source.index is one for one in seen):
                seen.append(source.index)
                with sources.indexing:
                    yield source.index

    def _chosen(
        self, sources: Sources, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> Iterator[tuple[SampleFile | MemorySource, Chosen]]:
        for file in sources.files:
            if file.overlaps(start_ms, end_ms):
                table = self._reader.labels(file)
                if table is not None and len(chosen := table.chosen(matchers)):
                    yield file, chosen
        for source in sources.memory:
            if source.has(start_ms, end_ms):
                with sources.indexing:
                    chosen = source.index.chosen(matchers)
                if len(chosen):
                    yield source, chosen
