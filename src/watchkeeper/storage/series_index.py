"""From label sets to numbers and back, and from matchers to the numbers that they choose."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from watchkeeper.matching import fulfils, predicate, predicates
from watchkeeper.model import Labels, Matcher
from watchkeeper.storage.chosen_series import Chosen, ChosenCache
from watchkeeper.storage.label_union import LabelColumns
from watchkeeper.storage.sample_columns import Ids

_TEST_AT_MOST = 1000
_HOLD_EVERY = 4
"""Of how many batches with objects unknown so far one is remembered: others may never return."""


class SeriesIndex:
    """Numbers series from 0 in the order of their coming and finds them by label (an inverted
    index: label name -> value -> ascending ids). Not safe to change from several threads."""

    def __init__(self, series: Iterable[Labels] = ()) -> None:
        self._labels: list[Labels] = []
        self._ids: dict[Labels, int] = {}
        self._postings: dict[str, dict[str, array[int]]] = {}
        # Pairs of name and value by number, and the numbers of each series' pairs end to end.
        self._pairs: list[tuple[str, str]] = []
        self._pair_numbers: dict[tuple[str, str], int] = {}
        self._pair_ids = array("i")
        self._starts = array("q", [0])
        self._chosen = ChosenCache()
        # Numbers by the identity of label sets, which lives as long as `_held` has them.
        self._by_identity: dict[int, int] = {}
        self._held: list[Labels | None] = []
        self._unknown_batches = 0
        for labels in series:
            self.number(labels)

    def __len__(self) -> int:
        return len(self._labels)

    def get(self, labels: Labels) -> int | None:
        """Return the id of a label set, if it has one."""
        return self._ids.get(labels)

    def number(self, labels: Labels) -> int:
        """Return the id of a label set; a new one gets the next."""
        known = self._ids.get(labels)
        if known is not None:
            return known
        identity = len(self._labels)
        self._labels.append(labels)
        self._ids[labels] = identity
        for pair in labels:
            name, value = pair
            self._postings.setdefault(name, {}).setdefault(value, array("i")).append(identity)
            number = self._pair_numbers.setdefault(pair, len(self._pairs))
            if number == len(self._pairs):
                self._pairs.append(pair)
            self._pair_ids.append(number)
        self._starts.append(len(self._pair_ids))
        return identity

    def numbers(self, series: Sequence[Labels]) -> Ids:
        """Return the id of each label set, new ones numbered: int32, as long as `series`.

        Who sends the same objects again, as scrapes do, spares the hashing of what is in them.
        """
        count = len(series)
        try:
            return np.fromiter(map(self._by_identity.__getitem__, map(id, series)), np.int32, count)
        except KeyError:
            numbers = np.fromiter(map(self.number, series), np.int32, count)
        if self._unknown_batches % _HOLD_EVERY == 0:
            self._hold(series, numbers)
        self._unknown_batches += 1
        return numbers

    def _hold(self, series: Sequence[Labels], numbers: Ids) -> None:
        """Know these objects by their identity, in the place of those known of their series."""
        self._held += [None] * (len(self._labels) - len(self._held))
        for labels, number in zip(series, numbers.tolist(), strict=True):
            before = self._held[number]
            if before is not None:
                self._by_identity.pop(id(before), None)
            self._held[number] = labels
            self._by_identity[id(labels)] = number

    def columns(self) -> LabelColumns:
        """Return all series as numbers of pairs, as they are now; others may be coming."""
        # Slices are copies, and in this order whole: what comes meanwhile is beyond `starts`.
        starts = np.frombuffer(self._starts[:], np.int64)
        pair_ids = np.frombuffer(self._pair_ids[:], np.int32)
        return LabelColumns(self._pairs, starts, pair_ids)

    def labels(self, identity: int) -> Labels:
        """Return the label set of an id."""
        return self._labels[identity]

    def chosen(self, matchers: Sequence[Matcher]) -> Chosen:
        """Return the series that fulfil every matcher, by label set. Raises QuerySyntaxError."""
        key = tuple(matchers)
        known = self._chosen.last(key)
        if known is not None and self._none_since(matchers, known[1]):
            chosen = known[0]
        else:
            found = [(self._labels[one], one) for one in self.select(matchers).tolist()]
            found.sort()
            ids = np.array([one for _, one in found], np.int32)
            chosen = Chosen(ids, [labels for labels, _ in found])
        self._chosen.put(key, chosen, len(self))
        return chosen

    def _none_since(self, matchers: Sequence[Matcher], size: int) -> bool:
        """Tell whether no series beyond the first so many fulfils every matcher."""
        if len(self._labels) - size > _TEST_AT_MOST:
            return False
        tests = predicates(matchers)
        return not any(fulfils(labels, tests) for labels in self._labels[size:])

    def select(self, matchers: Sequence[Matcher]) -> Ids:
        """Return the ids of the series that fulfil every matcher, ascending."""
        chosen: Ids | None = None
        for matcher in matchers:
            ids = self._chosen_by(matcher)
            chosen = ids if chosen is None else np.intersect1d(chosen, ids, assume_unique=True)
            if not len(chosen):
                break
        return np.arange(len(self._labels), dtype=np.int32) if chosen is None else chosen

    def label_names(self, matchers: Sequence[Matcher]) -> set[str]:
        """Return the label names on the series that fulfil every matcher."""
        if not matchers:
            return set(self._postings)
        return {name for identity in self.select(matchers) for name, _ in self._labels[identity]}

    def label_values(self, name: str, matchers: Sequence[Matcher]) -> set[str]:
        """Return the values of one label on the series that fulfil every matcher."""
        values = self._postings.get(name, {})
        if not matchers:
            return set(values)
        chosen = self.select(matchers)
        return {value for value, ids in values.items() if np.isin(_ids(ids), chosen).any()}

    def _chosen_by(self, matcher: Matcher) -> Ids:
        test = predicate(matcher)
        values = self._postings.get(matcher.name, {})
        if not test(""):
            return _union([ids for value, ids in values.items() if test(value)])
        refused = _union([ids for value, ids in values.items() if not test(value)])
        chosen = np.ones(len(self._labels), np.bool_)
        chosen[refused] = False
        return np.flatnonzero(chosen).astype(np.int32)


def _ids(postings: array[int]) -> Ids:
    # A copy: a view would forbid the array to grow for as long as it lives.
    return np.array(postings, np.int32)


def _union(postings: list[array[int]]) -> Ids:
    if not postings:
        return np.empty(0, np.int32)
    if len(postings) == 1:
        return _ids(postings[0])
    return np.sort(np.concatenate([_ids(ids) for ids in postings]))
