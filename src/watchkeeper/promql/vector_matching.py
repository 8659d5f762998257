"""Binary operators between vectors: who meets whom, and what labels the result has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.model import METRIC_NAME, Labels
from watchkeeper.promql import operators
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.grid import Bools, Ints
from watchkeeper.promql.label_sets import (
    bare,
    drop_name,
    group_keys,
    keep,
    replaced,
    show,
    value_of,
    without,
)
from watchkeeper.promql.limits import Budget
from watchkeeper.promql.merging import merge_same
from watchkeeper.promql.native_operators import patch
from watchkeeper.promql.operators import ARITHMETIC
from watchkeeper.promql.syntax import Binary, Matching
from watchkeeper.promql.values import Vectors, empty, stack

_MANY_TO_ONE = (
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
)
_NOT_UNIQUE = "multiple matches for labels: grouping labels must ensure unique matches"


def matching_keys(matching: Matching, series: list[Labels]) -> list[Labels]:
    """Return the keys by which series find their partners."""
    if matching.on:
        return group_keys(series, matching.labels, excluding=False)
    if not matching.labels:
        return list(map(bare, series))
    return [without(labels, (*matching.labels, METRIC_NAME)) for labels in series]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows that meet, by number; -1 stands for a partner that was filled in."""

    many: Ints
    one: Ints
    keys: list[Labels]


def combine(
    node: Binary, left: Vectors, right: Vectors, annotations: Annotations, budget: Budget
) -> Vectors:
    """Return the result of an arithmetic or comparison operator between two vectors."""
    matching = node.matching
    swapped = matching.group == "right"
    many, one = (right, left) if swapped else (left, right)
    many_keys, one_keys = (matching_keys(matching, side.labels) for side in (many, one))
    fills = matching.fill_left is not None or matching.fill_right is not None
    if not fills and not (many_keys and one_keys):
        return empty(left.values.shape[1])
    _require_one(one, one_keys, many, "left" if swapped else "right", fills=fills)
    if not matching.group:
        _require_single(many, many_keys, one, one_keys)
    pairs = _pair(many_keys, one_keys, partial(_pay_for, budget, many.values.shape[1]))
    fill_many, fill_one = matching.fill_left, matching.fill_right
    pieces = [_evaluate(node, pairs, many, one, swapped=swapped)]
    if many.histograms is not None or one.histograms is not None:
        met = many.take(pairs.many), one.take(pairs.one)
        pieces[0] = patch(node, pieces[0], *(met[::-1] if swapped else met), annotations)
    if fill_one is not None:
        lonely = _lonely(many, many_keys, one, one_keys)
        pieces.append(_filled(node, many, many_keys, lonely, fill_one, swapped=swapped))
    if fill_many is not None:
        lonely = _lonely(one, one_keys, many, many_keys)
        pieces.append(_filled_many(node, one, one_keys, lonely, fill_many, swapped=swapped))
    result = pieces[0] if len(pieces) == 1 else stack(pieces)
    return merge_same(result, _NOT_UNIQUE if matching.group else _MANY_TO_ONE)


def _pay_for(budget: Budget, moments: int, pairs: int) -> None:
    budget.spend_samples(pairs * moments)


def _pair(many_keys: list[Labels], one_keys: list[Labels], pay: Callable[[int], None]) -> Pairs:
    places: dict[Labels, list[int]] = {}
    for row, key in enumerate(one_keys):
        places.setdefault(key, []).append(row)
    pay(sum(len(places.get(key, ())) for key in many_keys))
    met = [(row, partner) for row, key in enumerate(many_keys) for partner in places.get(key, ())]
    many = np.array([row for row, _ in met], dtype=np.int64)
    one = np.array([partner for _, partner in met], dtype=np.int64)
    return Pairs(many, one, [many_keys[row] for row, _ in met])


def _require_one(
    one: Vectors, keys: list[Labels], many: Vectors, side: str, *, fills: bool
) -> None:
    """Refuse two series of the "one" side with the same key at the same moment."""
    if len(set(keys)) == len(keys):
        return
    active = np.ones(one.values.shape[1], dtype=np.bool_) if fills else many.present.any(axis=0)
    seen: dict[Labels, int] = {}
    taken: dict[Labels, Bools] = {}
    for row, key in enumerate(keys):
        here = one.present[row] & active
        if key in taken and (taken[key] & here).any():
            first, second = one.labels[seen[key]], one.labels[row]
            raise QueryError(
                f"found duplicate series for the match group {show(key)} on the {side} hand-side "
                f"of the operation: [{show(first)}, {show(second)}];many-to-many matching not "
                "allowed: matching labels must be unique on one side"
            )
        taken[key] = taken.get(key, np.zeros_like(here)) | here
        seen[key] = row


def _require_single(
    many: Vectors, many_keys: list[Labels], one: Vectors, one_keys: list[Labels]
) -> None:
    """Refuse two series that meet the same one at a moment, when nothing says they may."""
    if len(set(many_keys)) == len(many_keys):
        return
    partners: dict[Labels, Bools] = {}
    for row, key in enumerate(one_keys):
        shown = one.present[row]
        partners[key] = partners[key] | shown if key in partners else shown
    met: dict[Labels, Bools] = {}
    for row, key in enumerate(many_keys):
        if key not in partners:
            continue
        here = many.present[row] & partners[key]
        if key in met and (met[key] & here).any():
            raise QueryError(_MANY_TO_ONE)
        met[key] = met[key] | here if key in met else here


def _evaluate(node: Binary, pairs: Pairs, many: Vectors, one: Vectors, *, swapped: bool) -> Vectors:
    left, right = (
        (one.values[pairs.one], many.values[pairs.many])
        if swapped
        else (many.values[pairs.many], one.values[pairs.one])
    )
    values, holds = operators.apply(node.operator, left, right, as_bool=node.returns_bool)
    if swapped and node.operator in operators.COMPARISON and not node.returns_bool:
        values = left
    present = many.present[pairs.many] & one.present[pairs.one] & holds
    labels = [
        _result_labels(node, many.labels[m], one.labels[o])
        for m, o in zip(pairs.many.tolist(), pairs.one.tolist(), strict=True)
    ]
    drops = _drops(node, many.drops_name[pairs.many])
    return Vectors(labels, values, present, drops)


def _drops(node: Binary, inherited: Bools) -> Bools:
    return inherited | node.returns_bool


def _result_labels(node: Binary, many: Labels, one: Labels) -> Labels:
    matching = node.matching
    labels = drop_name(many) if node.operator in ARITHMETIC else many
    if not matching.group:
        if matching.on:
            labels = keep(labels, matching.labels)
        elif matching.labels:
            labels = without(labels, matching.labels)
    for name in matching.include:
        labels = replaced(labels, name, value_of(one, name))
    return labels


def _lonely(
    here: Vectors, here_keys: list[Labels], there: Vectors, there_keys: list[Labels]
) -> Bools:
    """Tell where a series has no partner on the other side."""
    partners: dict[Labels, Bools] = {}
    for row, key in enumerate(there_keys):
        known = partners.get(key)
        partners[key] = there.present[row] if known is None else known | there.present[row]
    lonely = here.present.copy()
    for row, key in enumerate(here_keys):
        if key in partners:
            lonely[row] &= ~partners[key]
    return lonely


def _filled(
    node: Binary, many: Vectors, keys: list[Labels], lonely: Bools, fill: float, *, swapped: bool
) -> Vectors:
    """Return the lonely series of the "many" side against a fill value."""
    other = np.full(many.values.shape, fill)
    left, right = (other, many.values) if swapped else (many.values, other)
    values, holds = operators.apply(node.operator, left, right, as_bool=node.returns_bool)
    labels = [_result_labels(node, one, key) for one, key in zip(many.labels, keys, strict=True)]
    return Vectors(labels, values, lonely & holds, _drops(node, many.drops_name))


def _filled_many(
    node: Binary, one: Vectors, keys: list[Labels], lonely: Bools, fill: float, *, swapped: bool
) -> Vectors:
    """Return the lonely series of the "one" side, each with a filled-in partner."""
    other = np.full(one.values.shape, fill)
    left, right = (one.values, other) if swapped else (other, one.values)
    values, holds = operators.apply(node.operator, left, right, as_bool=node.returns_bool)
    labels = [
        _result_labels(node, key, partner) for key, partner in zip(keys, one.labels, strict=True)
    ]
    drops = np.full(len(labels), node.returns_bool)
    return Vectors(labels, values, lonely & holds, drops)


def set_operation(node: Binary, left: Vectors, right: Vectors) -> Vectors:
    """Return `and`, `or` or `unless` of two vectors, decided at each moment by itself."""
    if node.operator == "or":
        covered = _covered(right, left, node.matching)
        return merge_same(stack([left, right.masked(~covered)])) if right.labels else left
    covered = _covered(left, right, node.matching)
    return left.masked(covered if node.operator == "and" else ~covered)


def _covered(here: Vectors, there: Vectors, matching: Matching) -> Bools:
    """Tell where a series finds any partner on the other side."""
    partners: dict[Labels, Bools] = {}
    for row, key in enumerate(matching_keys(matching, there.labels)):
        known = partners.get(key)
        partners[key] = there.present[row] if known is None else known | there.present[row]
    covered = np.zeros(here.present.shape, dtype=np.bool_)
    for row, key in enumerate(matching_keys(matching, here.labels)):
        found = partners.get(key)
        if found is not None:
            covered[row] = found
    return covered
