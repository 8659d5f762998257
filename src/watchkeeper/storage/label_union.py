"""Label sets of several origins as one table, in order, worked out with numbers alone.

To sort and hash a hundred thousand label sets as objects keeps every other thread waiting for
most of a second; here only the distinct pairs of name and value are sorted, and series are
compared by the ranks of theirs, in whole columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.storage.column_codec import Ints, positions, row_starts
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.sample_columns import Ids

Pair = tuple[str, str]
_KEY_BITS = 62


@dataclass(frozen=True, slots=True, eq=False)
class LabelColumns:
    """Label sets as numbers of pairs, in the order of their names: those of set `i` are from
    `starts[i]` up to `starts[i + 1]`. Every number of a pair has one meaning in `pairs`."""

    pairs: Sequence[Pair]
    starts: Ints
    pair_ids: Ids

    def take(self, ids: Ints) -> LabelColumns:
        """Return some of the sets."""
        own = self.pair_ids[positions(self.starts, ids)]
        return LabelColumns(self.pairs, row_starts(np.diff(self.starts)[ids]), own)


def ordered(columns: LabelColumns) -> tuple[LabelTable, Ints]:
    """Return the distinct label sets as a table, and the row of each set that was given."""
    pairs, ranks = _ranked(columns)
    lengths = np.diff(columns.starts)
    keys = _keys(ranks, columns.starts[:-1], lengths, len(pairs))
    order = np.lexsort(keys[::-1])
    is_new = np.zeros(len(lengths), np.bool_)
    is_new[:1] = True
    for key in keys:
        placed = key[order]
        is_new[1:] |= placed[1:] != placed[:-1]
    rows = np.empty(len(lengths), np.int64)
    rows[order] = np.cumsum(is_new) - 1
    first = order[is_new]
    own = ranks[positions(columns.starts, first)]
    return LabelTable(pairs, lengths[first].astype(np.uint16), own.astype(np.int32)), rows


def unite(tables: Sequence[LabelTable]) -> tuple[LabelTable, list[Ints]]:
    """Return the label sets of all tables, at least one, as one, and the rows of each in it."""
    # Files of one time share their tables: each is looked at once.
    distinct = list(dict.fromkeys(tables))
    first = distinct[0]
    if all(one.equals(first) for one in distinct[1:]):
        return first, [np.arange(len(first)) for _ in tables]
    numbers: dict[Pair, int] = {}
    pair_ids = []
    for one in distinct:
        joint = [numbers.setdefault(pair, len(numbers)) for pair in one.pairs]
        pair_ids.append(np.array(joint, np.int32)[one.pair_ids])
    lengths = np.concatenate([np.diff(one.starts) for one in distinct])
    table, rows = ordered(
        LabelColumns(list(numbers), row_starts(lengths), np.concatenate(pair_ids))
    )
    ends = np.cumsum([len(one) for one in distinct])
    rows_of = dict(zip(distinct, np.split(rows, ends[:-1]), strict=True))
    return table, [rows_of[one] for one in tables]


def _ranked(columns: LabelColumns) -> tuple[list[Pair], Ints]:
    """Return the pairs that are used, in order, and for each pair of a set its place among them."""
    used = np.bincount(columns.pair_ids, minlength=len(columns.pairs))
    by_name: dict[str, list[tuple[str, int]]] = {}
    for number in np.flatnonzero(used).tolist():
        name, value = columns.pairs[number]
        by_name.setdefault(name, []).append((value, number))
    # Name by name, so that no single sort is long.
    order = [(name, pair) for name in sorted(by_name) for pair in sorted(by_name[name])]
    rank = np.zeros(len(columns.pairs), np.int64)
    rank[[number for _, (_, number) in order]] = np.arange(len(order))
    return [(name, value) for name, (value, _) in order], rank[columns.pair_ids]


def _keys(ranks: Ints, first: Ints, lengths: Ints, pairs: int) -> list[NDArray[np.int64]]:
    """Return columns by which sets are in order, the first one first: as many ranks in each as
    fit, and a set that ends goes before those that go on."""
    bits = max(pairs.bit_length(), 1)
    at_once = max(1, _KEY_BITS // bits)
    keys: list[NDArray[np.int64]] = [np.zeros(len(lengths), np.int64)]
    for place in range(int(lengths.max(initial=0))):
        if place and place % at_once == 0:
            keys.append(np.zeros(len(lengths), np.int64))
        keys[-1] <<= bits
        there = lengths > place
        keys[-1][there] |= ranks[first[there] + place] + 1
    return keys
