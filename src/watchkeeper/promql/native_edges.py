"""Native histograms at the edges of anchored and smoothed ranges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from watchkeeper.model import METRIC_NAME, CounterReset, NativeHistogram
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.grid import Bools, Ints
from watchkeeper.promql.label_sets import value_of
from watchkeeper.promql.native_histogram import (
    IncompatibleBucketsError,
    added,
    scaled,
    was_reset,
)
from watchkeeper.promql.syntax import Node, Window
from watchkeeper.promql.values import Vectors
from watchkeeper.promql.windows import Windows


@dataclass(frozen=True, slots=True)
class Point:
    """A histogram at a moment; one that was interpolated has no sample right before it."""

    time_ms: int
    histogram: NativeHistogram
    interpolated: bool = False


def change_between_edges(
    windows: Windows, place: tuple[int, int], *, counter: bool
) -> NativeHistogram:
    """Return how much a histogram changed from edge to edge. Raises IncompatibleBucketsError."""
    points = _points(windows, place)
    end_ms = int(windows.ends.times_ms[place[1]])
    if windows.kind is Window.SMOOTHED:
        points = _smoothed(points, end_ms - windows.range_ms, end_ms, counter=counter)
    change, _ = added(points[-1].histogram, points[0].histogram, -1.0)
    for before, now in pairwise(points if counter else []):
        if _fell(now, before):
            change, _ = added(change, before.histogram)
    return change


def _points(windows: Windows, place: tuple[int, int]) -> list[Point]:
    if windows.histograms is None:
        return []
    inside = slice(windows.first[place], windows.after[place])
    pairs = zip(windows.times_ms[inside].tolist(), windows.histograms[inside], strict=True)
    return [Point(moment, histogram) for moment, histogram in pairs]


def _smoothed(points: list[Point], start_ms: int, end_ms: int, *, counter: bool) -> list[Point]:
    left, right = points[0], points[-1]
    if left.time_ms < start_ms and len(points) > 1:
        left = _between(left, points[1], start_ms, counter=counter)
    if right.time_ms > end_ms and len(points) > 1:
        right = _between(points[-2], right, end_ms, counter=counter)
    inner = [point for point in points if start_ms < point.time_ms < end_ms]
    inner = [point for point in inner if point is not left and point is not right]
    return [left, *inner, right]


def _between(before: Point, after: Point, moment_ms: int, *, counter: bool) -> Point:
    share = (moment_ms - before.time_ms) / (after.time_ms - before.time_ms)
    found = interpolated(before.histogram, after.histogram, share, counter=counter)
    return Point(moment_ms, found, interpolated=True)


def interpolated(
    before: NativeHistogram, after: NativeHistogram, share: float, *, counter: bool
) -> NativeHistogram:
    """Return the histogram on the line between two; a counter that fell begins at zero.

    Raises IncompatibleBucketsError.
    """
    if counter and before.is_custom == after.is_custom and was_reset(after, before):
        return scaled(after, share)
    return added(scaled(before, 1 - share), scaled(after, share))[0]


def _fell(now: Point, before: Point) -> bool:
    histogram = now.histogram
    if now.interpolated or before.interpolated:
        histogram = replace(histogram, reset=CounterReset.UNKNOWN)
    return was_reset(histogram, before.histogram)


def smooth_histograms(
    result: Vectors,
    windows: Windows,
    between: Bools,
    node: Node,
    annotations: Annotations,
) -> Vectors:
    """Put histograms between their neighbours into a smoothed vector of floats.

    `windows` end with the newest sample at each moment; `between` says where another follows.
    """
    if windows.histograms is None:
        return result
    present, histograms = np.array(result.present), np.full(result.present.shape, None)
    newest: Ints = windows.after - 1
    for place in zip(*np.nonzero(result.present), strict=True):
        position = int(newest[place])
        pair = windows.histograms[position : position + (2 if between[place] else 1)].tolist()
        if all(one is None for one in pair):
            continue
        name = value_of(result.labels[int(place[0])], METRIC_NAME)
        present[place] = False
        if any(one is None for one in pair):
            annotations.warn(
                f'encountered a mix of histograms and floats for metric name "{name}"', node
            )
            continue
        begin, end = windows.times_ms[position], windows.times_ms[position + len(pair) - 1]
        moment = windows.ends.times_ms[place[1]]
        try:
            histograms[place] = _on_the_line(pair, (moment - begin) / max(end - begin, 1))
            present[place] = True
        except IncompatibleBucketsError:
            annotations.warn(
                "vector contains a mix of histograms with exponential and custom buckets schemas "
                f'for metric name "{name}"',
                node,
            )
    return replace(result, present=present, histograms=histograms)


def _on_the_line(pair: list[NativeHistogram], share: float) -> NativeHistogram:
    if len(pair) == 1:
        return pair[0]
    counter = pair[0].reset is not CounterReset.GAUGE
    return interpolated(pair[0], pair[1], float(share), counter=counter)
