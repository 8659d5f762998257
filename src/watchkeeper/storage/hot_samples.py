"""The samples that are not in a segment yet: columns in memory, by series once they are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from watchkeeper.storage import time_groups
from watchkeeper.storage.column_codec import Ints, row_starts
from watchkeeper.storage.sample_columns import Ids, SampleColumns, joined
from watchkeeper.storage.sample_layers import Layer, Rows, within

_MANY_BATCHES = 32
_FEW_BATCHES = 8
"""So many batches, and then so many blocks of one level, become one of the next: a sample is
sorted once a level, and a reader meets a few blocks a level."""
_FEW_OF = 16
"""One in so many of the series of a block are few."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """Where each series of a block in order is: its number, and where its samples begin; at last,
    where all end."""

    ids: Ids
    starts: Ids


@dataclass(frozen=True)
class SampleBlock:
    """Samples and their ranges. From level 1 on they go by series, then by time."""

    columns: SampleColumns
    start_ms: int
    end_ms: int
    lowest_id: int
    highest_id: int
    level: int = 0

    @classmethod
    def of(cls, columns: SampleColumns, *, level: int = 0) -> SampleBlock:
        """Return a block of samples; there must be some."""
        times, ids = columns.times_ms, columns.ids
        return cls(
            columns, int(times.min()), int(times.max()), int(ids.min()), int(ids.max()), level
        )

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def stretches(self) -> Stretches:
        """The series of a block in order, ascending."""
        ids = self.columns.ids
        first = np.concatenate(([0], np.flatnonzero(ids[1:] != ids[:-1]) + 1))
        # Kept for as long as the block, so as narrow as it goes.
        return Stretches(ids[first], np.append(first, len(ids)).astype(np.int32))

    @cached_property
    def _groups(self) -> Ids:
        times, starts = self.columns.times_ms, self.stretches.starts.astype(np.int64)
        return time_groups.group(times, np.diff(starts)).astype(np.int32)

    def groups_of(self, rows: Ints) -> Ints:
        """Return which of some series, by their rows in `stretches`, have the same times."""
        own = self.stretches
        if len(rows) * _FEW_OF > len(own.ids):
            return self._groups[rows].astype(np.int64)
        # Of few, it takes less to look at theirs than at those of all series once.
        first = own.starts[rows].astype(np.int64)
        counts = own.starts[rows + 1] - first
        ahead = np.repeat(first - row_starts(counts)[:-1], counts)
        return time_groups.group(self.columns.times_ms[ahead + np.arange(len(ahead))], counts)


class HotSamples:
    """Blocks in the order of their coming: of one series, later samples are in later blocks.

    A block never changes, so a reader may go on with the tuple that `blocks` gave it.
    """

    def __init__(self) -> None:
        self._blocks: tuple[SampleBlock, ...] = ()

    def add(self, columns: SampleColumns) -> None:
        """Take samples in, each later than what its series has."""
        if not len(columns):
            return
        blocks = [*self._blocks, SampleBlock.of(columns)]
        level = 0
        while len(some := _last_of(level, blocks)) >= (_FEW_BATCHES if level else _MANY_BATCHES):
            blocks[-len(some) :] = [in_order(some)]
            level += 1
        self._blocks = tuple(blocks)

    def blocks(self) -> tuple[SampleBlock, ...]:
        """Return all blocks, oldest first."""
        return self._blocks


def in_order(blocks: Sequence[SampleBlock]) -> SampleBlock:
    """Return the samples of several blocks in one, by series and, within it, by time."""
    if len(blocks) == 1 and blocks[0].level:
        return blocks[0]
    columns = joined([block.columns for block in blocks])
    order = np.argsort(columns.ids, kind="stable")
    return SampleBlock(
        columns.take(order),
        min(block.start_ms for block in blocks),
        max(block.end_ms for block in blocks),
        min(block.lowest_id for block in blocks),
        max(block.highest_id for block in blocks),
        1 + max(block.level for block in blocks),
    )


def all_in_order(blocks: Sequence[SampleBlock]) -> list[SampleBlock]:
    """Return blocks, those that came last as one, so that each goes by series."""
    recent = _last_of(0, blocks)
    older = list(blocks[: len(blocks) - len(recent)])
    return [*older, in_order(recent)] if recent else older


def _last_of(level: int, blocks: Sequence[SampleBlock]) -> Sequence[SampleBlock]:
    """Return the blocks at the end that are of one level."""
    begin = len(blocks)
    while begin and blocks[begin - 1].level == level:
        begin -= 1
    return blocks[begin:]


def layers(
    blocks: tuple[SampleBlock, ...], ids: Ids, series: Ints, start_ms: int, end_ms: int
) -> list[Layer]:
    """Return what blocks have of some series in a range; `series` are their rows in the result."""
    if not len(ids):
        return []
    if (ids[1:] < ids[:-1]).any():
        order = np.argsort(ids)
        ids, series = ids[order], series[order]
    found: list[Layer] = []
    recent: list[SampleColumns] = []
    lowest, highest = int(ids[0]), int(ids[-1])
    for block in blocks:
        if block.end_ms < start_ms or block.start_ms > end_ms:
            continue
        if block.highest_id < lowest or block.lowest_id > highest:
            continue
        if block.level:
            found.append(_layer(block, ids, series, start_ms, end_ms))
            continue
        part = _of_series(block, ids)
        if len(part):
            recent.append(part)
    if recent:
        sorted_block = in_order([SampleBlock.of(joined(recent))])
        found.append(_layer(sorted_block, ids, series, start_ms, end_ms))
    return [layer for layer in found if layer]


def _of_series(block: SampleBlock, ids: Ids) -> SampleColumns:
    columns = block.columns
    if len(ids) == 1:
        return columns.take(columns.ids == ids[0])
    wanted = np.zeros(max(block.highest_id, int(ids[-1])) + 1, np.bool_)
    wanted[ids] = True
    return columns.take(wanted[columns.ids])


def _layer(block: SampleBlock, ids: Ids, series: Ints, start_ms: int, end_ms: int) -> Layer:
    own = block.stretches
    at = own.ids.searchsorted(ids)
    np.minimum(at, len(own.ids) - 1, out=at)
    there = own.ids[at] == ids
    if not there.all():
        at, series = at[there], series[there]
        if not len(at):
            return ()
    first = own.starts[at].astype(np.int64)
    counts, groups = own.starts[at + 1] - first, block.groups_of(at)
    columns = block.columns
    if start_ms > block.start_ms or end_ms < block.end_ms:
        first, counts = within(columns.times_ms, first, counts, groups, start_ms, end_ms)
    return (
        Rows(
            series, counts, groups, columns.values, first, columns.times_ms, first,
            columns.starts_ms, columns.histograms,
        ),
    )  # fmt: skip
