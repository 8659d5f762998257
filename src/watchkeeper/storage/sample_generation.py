"""Samples of one stretch between two flushes, with the index that numbers their series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model import Exemplar, Labels
from watchkeeper.storage import hot_samples
from watchkeeper.storage.exemplars import SeriesExemplar
from watchkeeper.storage.hot_samples import HotSamples, SampleBlock
from watchkeeper.storage.sample_columns import Ids
from watchkeeper.storage.series_index import SeriesIndex

_NONE = np.empty(0, np.int32)


@dataclass(eq=False, slots=True)
class SampleGeneration:
    """What was appended since a flush. Generations MAY share an index."""

    index: SeriesIndex
    samples: HotSamples = field(default_factory=HotSamples)
    exemplars: list[SeriesExemplar] = field(default_factory=list)
    logged: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1024, np.bool_))

    def to_log(self, ids: Ids) -> Ids:
        """Return those of some series that the log knows nothing of yet."""
        highest = int(ids.max(initial=0))
        if highest >= len(self.logged):
            self.logged = np.append(self.logged, np.zeros(highest + 1024, np.bool_))
        logged = self.logged[ids]
        return _NONE if logged.all() else np.unique(ids[~logged])


@dataclass(frozen=True, slots=True)
class FrozenSamples:
    """A generation that takes no more: its samples by period (by the period's start), oldest
    first, in blocks that are in order."""

    index: SeriesIndex
    blocks: Mapping[int, tuple[SampleBlock, ...]]
    exemplars: Mapping[int, list[SeriesExemplar]]

    @classmethod
    def of(cls, generation: SampleGeneration, period_ms: int) -> FrozenSamples:
        """Return a generation cut by period."""
        blocks: dict[int, tuple[SampleBlock, ...]] = {}
        for block in hot_samples.all_in_order(generation.samples.blocks()):
            for start, own in _cut(block, period_ms):
                blocks[start] = (*blocks.get(start, ()), own)
        exemplars: dict[int, list[tuple[Labels, Exemplar]]] = {}
        for labels, exemplar in generation.exemplars:
            start = exemplar.timestamp_ms // period_ms * period_ms
            exemplars.setdefault(start, []).append((labels, exemplar))
        return cls(generation.index, blocks, exemplars)

    def periods(self) -> set[int]:
        """Return the starts of the periods that are still here."""
        return self.blocks.keys() | self.exemplars.keys()

    def without(self, start_ms: int) -> FrozenSamples:
        """Return the same without a period: its file has it."""
        return replace(
            self,
            blocks={one: blocks for one, blocks in self.blocks.items() if one != start_ms},
            exemplars={one: found for one, found in self.exemplars.items() if one != start_ms},
        )


def _cut(block: SampleBlock, period_ms: int) -> Iterator[tuple[int, SampleBlock]]:
    """Give the samples of each period."""
    first, last = block.start_ms // period_ms, block.end_ms // period_ms
    if first == last:
        yield first * period_ms, block
        return
    starts = block.columns.times_ms // period_ms * period_ms
    for start in sorted(set(starts.tolist())):
        yield start, SampleBlock.of(block.columns.take(starts == start), level=1)
