"""The samples that are not in a segment yet: columns in memory, by series once they are many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.storage.sample_columns import Ids, SampleColumns, joined

_SEAL_AT_SAMPLES = 1 << 18
_FOLD_AT_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """Samples and their range. `in_order` says that they go by series, then by time."""

    columns: SampleColumns
    start_ms: int
    end_ms: int
    in_order: bool = False

    @classmethod
    def of(cls, columns: SampleColumns, *, in_order: bool = False) -> SampleBlock:
        """Return a block of samples; there must be some."""
        times = columns.times_ms
        return cls(columns, int(times.min()), int(times.max()), in_order)

    def __len__(self) -> int:
        return len(self.columns)


class HotSamples:
    """Blocks in the order of their coming: of one series, later samples are in later blocks.

    A block never changes, so a reader may go on with the tuple that `blocks` gave it.
    """

    def __init__(self) -> None:
        self._blocks: tuple[SampleBlock, ...] = ()
        self._recent = 0
        self._recent_samples = 0

    def add(self, columns: SampleColumns) -> None:
        """Take samples in, each later than what its series has."""
        if not len(columns):
            return
        blocks = (*self._blocks, SampleBlock.of(columns))
        self._recent += 1
        self._recent_samples += len(columns)
        if self._recent_samples >= _SEAL_AT_SAMPLES:
            self._blocks = (*blocks[: -self._recent], in_order(blocks[-self._recent :]))
            self._recent = self._recent_samples = 0
        elif self._recent >= _FOLD_AT_BLOCKS:
            folded = joined([block.columns for block in blocks[-self._recent :]])
            self._blocks = (*blocks[: -self._recent], SampleBlock.of(folded))
            self._recent = 1
        else:
            self._blocks = blocks

    def blocks(self) -> tuple[SampleBlock, ...]:
        """Return all blocks, oldest first."""
        return self._blocks


def in_order(blocks: tuple[SampleBlock, ...]) -> SampleBlock:
    """Return the samples of several blocks in one, by series and, within it, by time."""
    columns = joined([block.columns for block in blocks])
    order = np.argsort(columns.ids, kind="stable")
    start_ms = min(block.start_ms for block in blocks)
    end_ms = max(block.end_ms for block in blocks)
    return SampleBlock(columns.take(order), start_ms, end_ms, in_order=True)


def select(
    blocks: tuple[SampleBlock, ...], ids: Ids, start_ms: int, end_ms: int
) -> SampleBlock | None:
    """Return the samples of some series (`ids` ascending) in a range, by series and time."""
    parts = []
    for block in blocks:
        if block.end_ms < start_ms or block.start_ms > end_ms:
            continue
        part = block.columns.take(_of_series(block, ids))
        if start_ms > block.start_ms or end_ms < block.end_ms:
            part = part.take((part.times_ms >= start_ms) & (part.times_ms <= end_ms))
        if len(part):
            parts.append(SampleBlock.of(part, in_order=block.in_order))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 and parts[0].in_order else in_order(tuple(parts))


def _of_series(block: SampleBlock, ids: Ids) -> NDArray[np.int64]:
    """Return where the samples of some series are."""
    own = block.columns.ids
    if not block.in_order:
        wanted = np.zeros(max(int(own.max()), int(ids[-1])) + 1, np.bool_)
        wanted[ids] = True
        return np.flatnonzero(wanted[own])
    begins = np.searchsorted(own, ids, "left")
    counts = np.searchsorted(own, ids, "right") - begins
    # The positions of all stretches: each begins where the one before it left off.
    shift = np.repeat(begins - np.cumsum(counts) + counts, counts)
    chosen: NDArray[np.int64] = np.arange(counts.sum()) + shift
    return chosen
