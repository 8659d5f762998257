"""The label sets of one segment file, and which of them matchers choose.

Series are numbered by label set, so that ascending numbers are in order. Nothing is made of a
series before it is asked for: pairs of name and value are numbered too, series are arrays of
those numbers. A matcher is a look through all of them, two milliseconds for a hundred thousand
series, where postings would first have to be sorted; what was chosen is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from watchkeeper.errors import StoreDamagedError
from watchkeeper.matching import predicate
from watchkeeper.model import Labels, Matcher
from watchkeeper.storage import column_codec
from watchkeeper.storage.chosen_series import Chosen, ChosenCache
from watchkeeper.storage.sample_columns import Ids

_PAIR_BYTES = 200
_DECODER = msgspec.msgpack.Decoder(tuple[list[tuple[str, list[str]]], bytes, bytes])


def of(series: Sequence[Labels]) -> LabelTable:
    """Return the table of label sets that are in order, none twice."""
    pairs = sorted({pair for labels in series for pair in labels})
    numbers = {pair: number for number, pair in enumerate(pairs)}
    lengths = np.array([len(labels) for labels in series], np.uint16)
    ids = np.array([numbers[pair] for labels in series for pair in labels], np.int32)
    return LabelTable(pairs, lengths, ids)


def decode(data: bytes) -> LabelTable:
    """Return what `LabelTable.encode` was called on. Raises StoreDamagedError."""
    try:
        by_name, lengths, ids = _DECODER.decode(column_codec.unsqueeze(data))
    except msgspec.DecodeError as error:
        raise StoreDamagedError(f"the labels cannot be understood: {error}") from error
    pairs = [(name, value) for name, values in by_name for value in values]
    return LabelTable(pairs, np.frombuffer(lengths, "<u2"), np.frombuffer(ids, "<i4"))


class LabelTable:
    """Label sets by number. Safe from several threads: what they work out twice is equal.

    `pairs` are in order; the numbers of those of set `i` are in `pair_ids` from `starts[i]` up
    to `starts[i + 1]`.
    """

    def __init__(
        self, pairs: list[tuple[str, str]], lengths: NDArray[np.uint16], pair_ids: Ids
    ) -> None:
        self.pairs = pairs
        self.pair_ids = pair_ids
        self.starts = column_codec.row_starts(lengths.astype(np.int64))
        self._names: dict[str, tuple[int, int]] = {}
        for number, (name, _) in enumerate(pairs):
            first, _ = self._names.get(name, (number, 0))
            self._names[name] = first, number + 1
        self._chosen = ChosenCache()

    def __len__(self) -> int:
        return len(self.starts) - 1

    def equals(self, other: LabelTable) -> bool:
        """Tell whether another table has the same label sets."""
        return (
            np.array_equal(self.pair_ids, other.pair_ids)
            and np.array_equal(self.starts, other.starts)
            and self.pairs == other.pairs
        )

    def encode(self) -> bytes:
        """Return it as bytes with a checksum."""
        by_name: dict[str, list[str]] = {}
        for name, value in self.pairs:
            by_name.setdefault(name, []).append(value)
        lengths = np.diff(self.starts).astype("<u2")
        ids = self.pair_ids.astype("<i4", copy=False)
        body = list(by_name.items()), lengths.tobytes(), ids.tobytes()
        return column_codec.squeeze(msgspec.msgpack.encode(body))

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory, before anything is chosen."""
        return self.pair_ids.nbytes + self.starts.nbytes + _PAIR_BYTES * len(self.pairs)

    def labels(self, number: int) -> Labels:
        """Return the label set of a number."""
        own = self.pair_ids[self.starts[number] : self.starts[number + 1]]
        return tuple(map(self.pairs.__getitem__, own.tolist()))

    def chosen(self, matchers: Sequence[Matcher]) -> Chosen:
        """Return the series that fulfil every matcher. Raises QuerySyntaxError."""
        key = tuple(matchers)
        known = self._chosen.last(key)
        if known is not None:
            return known[0]
        ids = self.select(matchers)
        chosen = Chosen(ids, self._many(ids))
        self._chosen.put(key, chosen, len(self))
        return chosen

    def select(self, matchers: Sequence[Matcher]) -> Ids:
        """Return the numbers of the series that fulfil every matcher, ascending."""
        kept = np.ones(len(self), np.bool_)
        for matcher in matchers:
            test = predicate(matcher)
            first, after = self._names.get(matcher.name, (0, 0))
            # A missing label is the empty string, so then those with a wrong one are left out.
            without = test("")
            marked = np.zeros(len(self.pairs), np.bool_)
            marked[first:after] = [
                test(self.pairs[one][1]) != without for one in range(first, after)
            ]
            kept &= self._having(marked) != without
        return np.flatnonzero(kept).astype(np.int32)

    def label_names(self, matchers: Sequence[Matcher]) -> set[str]:
        """Return the label names on the series that fulfil every matcher."""
        if not matchers:
            return set(self._names)
        return {name for labels in self.chosen(matchers).labels for name, _ in labels}

    def label_values(self, name: str, matchers: Sequence[Matcher]) -> set[str]:
        """Return the values of one label on the series that fulfil every matcher."""
        first, after = self._names.get(name, (0, 0))
        if not matchers:
            return {self.pairs[one][1] for one in range(first, after)}
        chosen = self.select(matchers).astype(np.int64)
        used = np.unique(self.pair_ids[column_codec.positions(self.starts, chosen)])
        own = used[slice(*used.searchsorted((first, after)))]
        return {self.pairs[one][1] for one in own.tolist()}

    def _many(self, ids: Ids) -> list[Labels]:
        starts, pair_ids = self.starts.tolist(), self.pair_ids
        pair = self.pairs.__getitem__
        return [
            tuple(map(pair, pair_ids[starts[one] : starts[one + 1]].tolist()))
            for one in ids.tolist()
        ]

    def _having(self, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which series have one of the marked pairs."""
        having = np.zeros(len(self), np.bool_)
        found = np.flatnonzero(marked[self.pair_ids])
        having[self.starts.searchsorted(found, "right") - 1] = True
        return having
