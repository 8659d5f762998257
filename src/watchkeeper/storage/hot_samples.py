"""The samples that are not in a segment yet: columns in memory, by series once they are many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Times = NDArray[np.int64]
Values = NDArray[np.float64]

_SEAL_AT_SAMPLES = 1 << 18
_FOLD_AT_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class SampleBlock:
    """Columns of equal length. `in_order` says that they go by series, then by time."""

    ids: Ids
    times_ms: Times
    values: Values
    start_ms: int
    end_ms: int
    in_order: bool = False

    @classmethod
    def of(cls, ids: Ids, times_ms: Times, values: Values) -> SampleBlock:
        """Return a block of samples in the order of their coming; there must be some."""
        return cls(ids, times_ms, values, int(times_ms.min()), int(times_ms.max()))

    def __len__(self) -> int:
        return len(self.ids)


class HotSamples:
    """Blocks in the order of their coming: of one series, later samples are in later blocks.

    A block never changes, so a reader may go on with the tuple that `blocks` gave it.
    """

    def __init__(self) -> None:
        self._blocks: tuple[SampleBlock, ...] = ()
        self._recent = 0
        self._recent_samples = 0

    def add(self, ids: Ids, times_ms: Times, values: Values) -> None:
        """Take samples in, each later than what its series has."""
        if not len(ids):
            return
        blocks = (*self._blocks, SampleBlock.of(ids, times_ms, values))
        self._recent += 1
        self._recent_samples += len(ids)
        if self._recent_samples >= _SEAL_AT_SAMPLES:
            self._blocks = (*blocks[: -self._recent], in_order(blocks[-self._recent :]))
            self._recent = self._recent_samples = 0
        elif self._recent >= _FOLD_AT_BLOCKS:
            self._blocks = (*blocks[: -self._recent], joined(blocks[-self._recent :]))
            self._recent = 1
        else:
            self._blocks = blocks

    def blocks(self) -> tuple[SampleBlock, ...]:
        """Return all blocks, oldest first."""
        return self._blocks


def joined(blocks: tuple[SampleBlock, ...]) -> SampleBlock:
    """Return the samples of several blocks in one, in the order of their coming."""
    return SampleBlock.of(
        np.concatenate([block.ids for block in blocks]),
        np.concatenate([block.times_ms for block in blocks]),
        np.concatenate([block.values for block in blocks]),
    )


def in_order(blocks: tuple[SampleBlock, ...]) -> SampleBlock:
    """Return the samples of several blocks in one, by series and, within it, by time."""
    block = joined(blocks)
    order = np.argsort(block.ids, kind="stable")
    return SampleBlock(
        block.ids[order],
        block.times_ms[order],
        block.values[order],
        block.start_ms,
        block.end_ms,
        in_order=True,
    )


def select(
    blocks: tuple[SampleBlock, ...], ids: Ids, start_ms: int, end_ms: int
) -> SampleBlock | None:
    """Return the samples of some series (`ids` ascending) in a range, by series and time."""
    parts = []
    for block in blocks:
        if block.end_ms < start_ms or block.start_ms > end_ms:
            continue
        part = _of_series(block, ids)
        if start_ms > block.start_ms or end_ms < block.end_ms:
            times = part[1]
            within = (times >= start_ms) & (times <= end_ms)
            part = (part[0][within], times[within], part[2][within])
        if len(part[0]):
            parts.append(SampleBlock.of(*part))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 and parts[0].in_order else in_order(tuple(parts))


def _of_series(block: SampleBlock, ids: Ids) -> tuple[Ids, Times, Values]:
    if not block.in_order:
        wanted = np.zeros(max(int(block.ids.max()), int(ids[-1])) + 1, np.bool_)
        wanted[ids] = True
        chosen = np.flatnonzero(wanted[block.ids])
    else:
        begins = np.searchsorted(block.ids, ids, "left")
        counts = np.searchsorted(block.ids, ids, "right") - begins
        # The positions of all stretches: each begins where the one before it left off.
        shift = np.repeat(begins - np.cumsum(counts) + counts, counts)
        chosen = np.arange(counts.sum()) + shift
    return block.ids[chosen], block.times_ms[chosen], block.values[chosen]
