"""info(): labels of info metrics joined to the series of the same instance and job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.matching import matches, predicate
from watchkeeper.model import METRIC_NAME, Labels, Matcher, MatchOperator
from watchkeeper.promql.grid import Grid, Ints
from watchkeeper.promql.label_sets import keep, value_of
from watchkeeper.promql.merging import merge_same
from watchkeeper.promql.syntax import Call, Expression, Subquery, VectorSelector
from watchkeeper.promql.values import Vectors, stack
from watchkeeper.promql.walk import children

if TYPE_CHECKING:
    from watchkeeper.promql.evaluation import Evaluation

IDENTIFYING = ("instance", "job")
"""The labels by which an info series finds the series it describes (Prometheus, info.go)."""

_DEFAULT_NAME = Matcher(METRIC_NAME, MatchOperator.EQUAL, "target_info")
_ANY_INFO_NAME = Matcher(METRIC_NAME, MatchOperator.REGEX, ".+_info")
_POSITIVE = (MatchOperator.EQUAL, MatchOperator.REGEX)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which info series are asked for, and which of their labels (none named: all)."""

    names: tuple[Matcher, ...]
    data: tuple[Matcher, ...]

    @property
    def labels(self) -> frozenset[str]:
        """The labels that the matchers name."""
        return frozenset(matcher.name for matcher in self.data)

    @property
    def optional(self) -> bool:
        """Whether a series that finds no info series stays as it is."""
        return all(predicate(matcher)("") for matcher in self.data)


def evaluate_info(evaluation: Evaluation, node: Call, grid: Grid) -> Vectors:
    """Return the series of the first argument with the labels of their info series.

    Where several info series of one metric fit, the one with the latest sample counts. Raises
    QueryError where two info metrics disagree about a label.
    """
    wanted = _wanted(node)
    looked = _reference(evaluation, node.arguments[0], grid) or grid
    base = evaluation.mixed(node.arguments[0], grid)
    selector = VectorSelector(matchers=(*wanted.names, *wanted.data))
    infos, times = evaluation.selection.instant_with_times(selector, looked, evaluation.lookback_ms)
    if infos.histograms is not None:
        raise QueryError("this should be an info metric, but its samples are histograms")
    pieces = [_enriched(base, row, infos, times, wanted) for row in range(len(base.labels))]
    if not pieces:
        return base
    return merge_same(stack(pieces))


def _wanted(node: Call) -> Wanted:
    matchers: tuple[Matcher, ...] = ()
    if len(node.arguments) > 1 and isinstance(node.arguments[1], VectorSelector):
        matchers = node.arguments[1].all_matchers
    names = tuple(matcher for matcher in matchers if matcher.name == METRIC_NAME)
    data = tuple(matcher for matcher in matchers if matcher.name != METRIC_NAME)
    if not names:
        names = (_DEFAULT_NAME,)
    elif not any(matcher.operator in _POSITIVE for matcher in names):
        names = (*names, _ANY_INFO_NAME)
    return Wanted(names, data)


def _reference(evaluation: Evaluation, node: Expression, grid: Grid) -> Grid | None:
    """Return when the first selector of an expression looks: info series are read then too."""
    if isinstance(node, VectorSelector):
        return evaluation.moments_of(node.at, node.offset, grid)
    if isinstance(node, Subquery):
        grid = evaluation.moments_of(node.at, node.offset, grid)
    for child in children(node):
        found = _reference(evaluation, child, grid)
        if found is not None:
            return found
    return None


def _enriched(base: Vectors, row: int, infos: Vectors, times: Ints, wanted: Wanted) -> Vectors:
    """Return one series as the several it becomes when its info series change."""
    alone = base.take(np.array([row]))
    labels = base.labels[row]
    if matches(keep(labels, (METRIC_NAME,)), wanted.names):
        return alone
    identity = keep(labels, IDENTIFYING)
    chosen = _chosen(infos, times, identity)
    combinations, which = np.unique(chosen, axis=1, return_inverse=True)
    found: list[Labels] = []
    masks = []
    for number, combination in enumerate(combinations.T.tolist()):
        partners = [infos.labels[info] for info in combination if info >= 0]
        if partners or wanted.optional:
            found.append(_joined(labels, partners, wanted.labels))
            masks.append(base.present[row] & (which.ravel() == number))
    return Vectors(
        found,
        np.repeat(alone.values, len(found), axis=0),
        np.stack(masks) if masks else np.zeros((0, base.values.shape[1]), dtype=np.bool_),
        np.repeat(alone.drops_name, len(found)),
        histograms=(
            None if alone.histograms is None else np.repeat(alone.histograms, len(found), axis=0)
        ),
    )


def _chosen(infos: Vectors, times: Ints, identity: Labels) -> Ints:
    """Return, by info metric and moment, the row of its newest series, -1 for none."""
    by_name: dict[str, list[int]] = {}
    for row, labels in enumerate(infos.labels):
        if keep(labels, IDENTIFYING) == identity:
            by_name.setdefault(value_of(labels, METRIC_NAME), []).append(row)
    moments = infos.values.shape[1]
    chosen = np.full((max(len(by_name), 1), moments), -1, dtype=np.int64)
    for place, rows in enumerate(by_name.values()):
        newest = np.where(infos.present[rows], times[rows], np.iinfo(np.int64).min)
        best = np.array(rows)[newest.argmax(axis=0)]
        chosen[place] = np.where(infos.present[rows].any(axis=0), best, -1)
    return chosen


def _joined(labels: Labels, partners: list[Labels], wanted: frozenset[str]) -> Labels:
    own = {name for name, _ in labels}
    added: dict[str, str] = {}
    for partner in partners:
        for name, value in partner:
            if name in own or name == METRIC_NAME or (wanted and name not in wanted):
                continue
            if added.setdefault(name, value) != value:
                raise QueryError(
                    f"conflicting label: info metrics disagree about {name}: "
                    f"{added[name]!r} and {value!r}"
                )
    return tuple(sorted((*labels, *added.items())))
