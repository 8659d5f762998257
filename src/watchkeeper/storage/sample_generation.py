"""Samples of one stretch between two flushes, with the index that numbers their series."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchkeeper.model import Exemplar, Labels
from watchkeeper.storage import hot_samples
from watchkeeper.storage.exemplars import SeriesExemplar
from watchkeeper.storage.hot_samples import HotSamples, SampleBlock
from watchkeeper.storage.sample_segment import HotPart
from watchkeeper.storage.series_index import SeriesIndex


@dataclass(eq=False, slots=True)
class SampleGeneration:
    """What was appended since a flush. Generations MAY share an index."""

    index: SeriesIndex
    samples: HotSamples = field(default_factory=HotSamples)
    exemplars: list[SeriesExemplar] = field(default_factory=list)
    logged: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class FrozenSamples:
    """A generation that takes no more: its samples by period (by the period's start)."""

    index: SeriesIndex
    blocks: dict[int, SampleBlock]
    exemplars: dict[int, list[SeriesExemplar]]

    @classmethod
    def of(cls, generation: SampleGeneration, period_ms: int) -> FrozenSamples:
        """Return a generation cut by period."""
        blocks: dict[int, SampleBlock] = {}
        found = generation.samples.blocks()
        if found:
            whole = hot_samples.in_order(found)
            first, last = whole.start_ms // period_ms, whole.end_ms // period_ms
            if first == last:
                blocks[first * period_ms] = whole
            else:
                blocks = _cut(whole, period_ms)
        exemplars: dict[int, list[tuple[Labels, Exemplar]]] = {}
        for labels, exemplar in generation.exemplars:
            start = exemplar.timestamp_ms // period_ms * period_ms
            exemplars.setdefault(start, []).append((labels, exemplar))
        return cls(generation.index, blocks, exemplars)

    def periods(self) -> set[int]:
        """Return the starts of the periods that are still here."""
        return self.blocks.keys() | self.exemplars.keys()

    def part(self, start_ms: int) -> list[HotPart]:
        """Return what is to be written into the file of a period."""
        block = self.blocks.get(start_ms)
        return [] if block is None else [HotPart(block, self.index)]

    def leave(self, start_ms: int) -> None:
        """Forget a period: its file has it."""
        self.blocks.pop(start_ms, None)
        self.exemplars.pop(start_ms, None)


def _cut(whole: SampleBlock, period_ms: int) -> dict[int, SampleBlock]:
    starts = whole.columns.times_ms // period_ms * period_ms
    blocks: dict[int, SampleBlock] = {}
    for start in set(starts.tolist()):
        within = starts == start
        blocks[start] = SampleBlock.of(whole.columns.take(within), in_order=True)
    return blocks
