"""Functions of range vectors that hold native histograms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from watchkeeper.model import METRIC_NAME, CounterReset, NativeHistogram
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.functions_aligned import EXTRAPOLATION_THRESHOLD
from watchkeeper.promql.functions_rate import count_inside
from watchkeeper.promql.grid import Bools
from watchkeeper.promql.label_sets import value_of
from watchkeeper.promql.native_edges import change_between_edges
from watchkeeper.promql.native_histogram import (
    IncompatibleBucketsError,
    Reconciled,
    added,
    compacted,
    conflicting,
    divided,
    same,
    scaled,
    total,
    was_reset,
)
from watchkeeper.promql.start_timestamps import beginnings, restarted
from watchkeeper.promql.syntax import Expression, Window
from watchkeeper.promql.values import Vectors, histogram_mask, where_present
from watchkeeper.promql.windows import Windows

FLOATS_ONLY = frozenset(
    {
        "deriv",
        "mad_over_time",
        "max_over_time",
        "min_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "ts_of_max_over_time",
        "ts_of_min_over_time",
    }
)
"""Functions that pass over histograms."""

EITHER = frozenset(
    {"avg_over_time", "delta", "idelta", "increase", "irate", "rate", "sum_over_time"}
)
"""Functions that take windows of floats or of histograms, not of both."""


def evaluate(
    name: str,
    windows: Windows,
    of_floats: Callable[[Windows], Vectors],
    node: Expression,
    annotations: Annotations,
) -> Vectors:
    """Return a function of windows, some of whose samples are histograms."""
    floats, histograms = windows.only(histograms=False), windows.only(histograms=True)
    mixed = (floats.counts > 0) & (histograms.counts > 0)
    if name in FLOATS_ONLY:
        inform_of_ignored(windows, node, annotations)
        return of_floats(floats)
    if name in ("first_over_time", "last_over_time"):
        return _picked(windows, of_floats(windows), last=name == "last_over_time")
    if name in ("changes", "resets"):
        marks = _marks(windows, _changed if name == "changes" else _fell)
        return windows.result(count_inside(windows, marks).astype(np.float64))
    if name not in EITHER:
        return of_floats(windows)
    if name in ("irate", "idelta"):
        windows = _last_two(windows)
        floats, histograms = windows.only(histograms=False), windows.only(histograms=True)
        mixed = (floats.counts > 0) & (histograms.counts > 0)
    for metric in _names(windows, mixed):
        annotations.warn(
            f'encountered a mix of histograms and floats for metric name "{metric}"', node
        )
    result = of_floats(floats).masked(~mixed)
    return _with_histograms(name, result, histograms, mixed, _Talk(windows, node, annotations))


def inform_of_ignored(windows: Windows, node: Expression, annotations: Annotations) -> None:
    """Say that histograms are passed over where there are floats as well."""
    if windows.histograms is None:
        return
    floats, histograms = windows.only(histograms=False), windows.only(histograms=True)
    for metric in _names(windows, (floats.counts > 0) & (histograms.counts > 0)):
        annotations.inform(
            "ignored histograms in a range containing both floats and histograms for metric "
            f'name "{metric}"',
            node,
        )


def _last_two(windows: Windows) -> Windows:
    return windows.spanning(np.maximum(windows.first, windows.after - 2), windows.after)


def _names(windows: Windows, concerned: Bools) -> list[str]:
    rows = np.flatnonzero(concerned.sum(axis=1)).tolist()
    return sorted({value_of(windows.labels[row], METRIC_NAME) for row in rows})


def _picked(windows: Windows, result: Vectors, *, last: bool) -> Vectors:
    positions = windows.after - 1 if last else windows.first
    if windows.histograms is None or len(windows.histograms) == 0:
        return result
    found = windows.histograms[np.clip(positions, 0, len(windows.histograms) - 1)]
    return replace(result, histograms=where_present(result.present, found))


def _changed(now: NativeHistogram, before: NativeHistogram) -> bool:
    return not same(now, before)


def _fell(now: NativeHistogram, before: NativeHistogram) -> bool:
    return was_reset(now, before)


def _marks(windows: Windows, differs: Callable[[NativeHistogram, NativeHistogram], bool]) -> Bools:
    values, histograms = windows.values, windows.histograms
    marks = np.zeros(len(values), dtype=np.bool_)
    if len(values) < 2 or histograms is None:
        return marks
    now, then = values[1:], values[:-1]
    if differs is _changed:
        marks[1:] = (now != then) & ~(np.isnan(now) & np.isnan(then))
    else:
        marks[1:] = now < then
        began = restarted(windows)
        if began is not None:
            marks |= began
    kinds = histogram_mask(histograms, values.shape)
    for place in np.flatnonzero(kinds[1:] | kinds[:-1]).tolist():
        both = kinds[place] and kinds[place + 1]
        marks[place + 1] |= differs(histograms[place + 1], histograms[place]) if both else True
    return marks


class _Talk:
    """Says what is odd about a series' histograms."""

    def __init__(self, windows: Windows, node: Expression, annotations: Annotations) -> None:
        self._windows, self._node, self._annotations = windows, node, annotations

    def _name(self, row: int) -> str:
        return value_of(self._windows.labels[row], METRIC_NAME)

    def warn(self, row: int, text: str) -> None:
        self._annotations.warn(f'{text} "{self._name(row)}"', self._node)

    def mixed_buckets(self, row: int) -> None:
        self.warn(
            row,
            "vector contains a mix of histograms with exponential and custom buckets schemas for "
            "metric name",
        )

    def of_total(self, conflict: bool, reconciled: Reconciled) -> None:
        if conflict:
            self._annotations.warn(
                "conflicting counter resets during histogram aggregation", self._node
            )
        self._of_bounds(reconciled, "aggregation")

    def of_difference(self, reconciled: Reconciled) -> None:
        self._of_bounds(reconciled, "subtraction")

    def _of_bounds(self, reconciled: Reconciled, action: str) -> None:
        if reconciled is Reconciled.CUSTOM_BUCKETS:
            self._annotations.inform(
                f"mismatched custom buckets were reconciled during {action}", self._node
            )


def _with_histograms(
    name: str, result: Vectors, windows: Windows, mixed: Bools, talk: _Talk
) -> Vectors:
    alone = name in ("sum_over_time", "avg_over_time") or windows.kind is not Window.PLAIN
    least = 1 if alone else 2
    concerned = windows.counts >= least
    begun = beginnings(windows) if name in ("rate", "increase") else None
    if begun is not None:
        concerned |= begun.inside
    concerned &= ~mixed
    present = np.array(result.present)
    found = np.full(present.shape, None)
    for row, column in zip(*np.nonzero(concerned), strict=True):
        windows.tick()
        place = (int(row), int(column))
        samples = _samples(windows, place)
        answer = _answer(name, samples, windows, place, talk)
        if answer is None:
            continue
        found[place] = answer
        present[place] = True
    return replace(result, present=present, histograms=found)


def _samples(windows: Windows, place: tuple[int, int]) -> list[NativeHistogram]:
    if windows.histograms is None:
        return []
    found: list[NativeHistogram] = windows.histograms[
        windows.first[place] : windows.after[place]
    ].tolist()
    return found


def _answer(
    name: str, samples: list[NativeHistogram], windows: Windows, place: tuple[int, int], talk: _Talk
) -> NativeHistogram | None:
    row = place[0]
    try:
        if name in ("sum_over_time", "avg_over_time"):
            found, reconciled = total(samples, len(samples) if name == "avg_over_time" else 1)
            talk.of_total(conflicting(samples), reconciled)
            return compacted(found)
        counter = name in ("rate", "increase", "irate")
        _check_kind(samples, row, talk, counter=counter)
        if name in ("irate", "idelta"):
            return _between_two(samples, windows, place, talk, counter=counter)
        if windows.kind is not Window.PLAIN:
            change = change_between_edges(windows, place, counter=counter)
        else:
            change = _change(samples, windows, place, talk, counter=counter)
    except IncompatibleBucketsError:
        talk.mixed_buckets(row)
        return None
    factor = 1.0
    if windows.kind is Window.PLAIN:
        factor = _extrapolation(windows, place, samples[0].count, change.count, counter=counter)
    if name == "rate":
        factor /= windows.range_ms / 1000
    return replace(compacted(scaled(change, factor)), reset=CounterReset.GAUGE)


def _check_kind(samples: list[NativeHistogram], row: int, talk: _Talk, *, counter: bool) -> None:
    gauges = [one.reset is CounterReset.GAUGE for one in samples]
    if counter and any(gauges):
        talk.warn(row, "this native histogram metric is not a counter:")
    if not counter and not (gauges[0] and gauges[-1]):
        talk.warn(row, "this native histogram metric is not a gauge:")


def _change(
    samples: list[NativeHistogram],
    windows: Windows,
    place: tuple[int, int],
    talk: _Talk,
    *,
    counter: bool,
) -> NativeHistogram:
    resets = [counter and was_reset(now, before) for before, now in pairwise(samples)]
    began = restarted(windows) if counter else None
    if began is not None:
        inside = began[windows.first[place] + 1 : windows.after[place]].tolist()
        resets = [fell or again for fell, again in zip(resets, inside, strict=True)]
    from_zero = counter and _begins(windows, place) is not None
    change = samples[-1]
    if not from_zero and not resets[0]:
        change, reconciled = added(change, samples[0], -1.0)
        talk.of_difference(reconciled)
    counted = 0 if from_zero else 1
    for before, began_again in zip(samples[counted:-1], resets[counted:], strict=True):
        if began_again:
            change, _ = added(change, before)
    return change


def _begins(windows: Windows, place: tuple[int, int]) -> int | None:
    """Return when a window's counter began, if that lies inside of it."""
    begun = beginnings(windows)
    return int(begun.at_ms[place]) if begun is not None and begun.inside[place] else None


def _between_two(
    samples: list[NativeHistogram],
    windows: Windows,
    place: tuple[int, int],
    talk: _Talk,
    *,
    counter: bool,
) -> NativeHistogram | None:
    before, now = samples[-2], samples[-1]
    change = now
    began = restarted(windows)
    again = began is not None and bool(began[windows.after[place] - 1])
    if not (counter and (again or was_reset(now, before))):
        change, reconciled = added(now, before, -1.0)
        talk.of_difference(reconciled)
    if counter:
        last = int(windows.after[place]) - 1
        seconds = (windows.times_ms[last] - windows.times_ms[last - 1]) / 1000
        if seconds == 0:
            return None
        change = divided(change, float(seconds))
    return replace(compacted(change), reset=CounterReset.GAUGE)


def _extrapolation(
    windows: Windows, place: tuple[int, int], begin: float, change: float, *, counter: bool
) -> float:
    """Return by how much a change between samples grows when it is stretched to the edges."""
    first, after = int(windows.first[place]), int(windows.after[place])
    end_ms = int(windows.ends.times_ms[place[1]])
    first_ms, last_ms = int(windows.times_ms[first]), int(windows.times_ms[after - 1])
    to_start = (first_ms - (end_ms - windows.range_ms)) / 1000
    to_end = (end_ms - last_ms) / 1000
    sampled = (last_ms - first_ms) / 1000
    gap = sampled / max(after - first - 1, 1)
    if to_start >= gap * EXTRAPOLATION_THRESHOLD:
        to_start = gap / 2
    if counter and change > 0 and begin >= 0:
        to_start = min(to_start, sampled * (begin / change))
    if to_end >= gap * EXTRAPOLATION_THRESHOLD:
        to_end = gap / 2
    begun_ms = _begins(windows, place) if counter else None
    if begun_ms is not None:
        sampled, to_start = (last_ms - begun_ms) / 1000, 0.0
    return (sampled + to_start + to_end) / sampled
