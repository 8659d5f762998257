"""The samples that are not in a segment yet: columns in memory, by series once they are many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from watchkeeper.storage import time_groups
from watchkeeper.storage.column_codec import Ints
from watchkeeper.storage.sample_columns import Ids, SampleColumns, joined
from watchkeeper.storage.sample_layers import Layer, Rows, within

_SEAL_AT_SAMPLES = 1 << 18
_FOLD_AT_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Stretches:
    """Where each series of a block in order is: its number, first sample, count, time group."""

    ids: Ids
    first: Ints
    counts: Ints
    groups: Ints


@dataclass(frozen=True)
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

    @cached_property
    def stretches(self) -> Stretches:
        """The series of a block in order, ascending."""
        ids = self.columns.ids
        first = np.concatenate(([0], np.flatnonzero(np.diff(ids)) + 1))
        counts = np.diff(np.append(first, len(ids)))
        groups = time_groups.group(self.columns.times_ms, counts)
        return Stretches(ids[first], first, counts, groups)


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


def layers(
    blocks: tuple[SampleBlock, ...], ids: Ids, series: Ints, start_ms: int, end_ms: int
) -> list[Layer]:
    """Return what blocks have of some series in a range; `series` are their rows in the result."""
    if not len(ids):
        return []
    if (np.diff(ids) < 0).any():
        order = np.argsort(ids)
        ids, series = ids[order], series[order]
    found: list[Layer] = []
    recent: list[SampleColumns] = []
    for block in blocks:
        if block.end_ms < start_ms or block.start_ms > end_ms:
            continue
        if block.in_order:
            found.append(_layer(block, ids, series, start_ms, end_ms))
            continue
        part = _of_series(block.columns, ids)
        if len(part):
            recent.append(part)
    if recent:
        sorted_block = in_order(tuple(map(SampleBlock.of, recent)))
        found.append(_layer(sorted_block, ids, series, start_ms, end_ms))
    return [layer for layer in found if layer]


def _of_series(columns: SampleColumns, ids: Ids) -> SampleColumns:
    wanted = np.zeros(max(int(columns.ids.max()), int(ids[-1])) + 1, np.bool_)
    wanted[ids] = True
    return columns.take(np.flatnonzero(wanted[columns.ids]))


def _layer(block: SampleBlock, ids: Ids, series: Ints, start_ms: int, end_ms: int) -> Layer:
    own = block.stretches
    at = np.minimum(np.searchsorted(own.ids, ids), len(own.ids) - 1)
    there = own.ids[at] == ids
    at, series = at[there], series[there]
    if not len(at):
        return ()
    first, counts, groups = own.first[at], own.counts[at], own.groups[at]
    columns = block.columns
    if start_ms > block.start_ms or end_ms < block.end_ms:
        first, counts = within(columns.times_ms, first, counts, groups, start_ms, end_ms)
    return (
        Rows(
            series, counts, groups, columns.values, first, columns.times_ms, first,
            columns.starts_ms, columns.histograms,
        ),
    )  # fmt: skip
