"""rate and its kin: how fast a series changes inside its windows."""

from __future__ import annotations

import numpy as np

from watchkeeper.promql.functions_aligned import EXTRAPOLATION_THRESHOLD, extrapolated_change
from watchkeeper.promql.grid import Bools, Floats, Ints
from watchkeeper.promql.start_timestamps import beginnings, restarted
from watchkeeper.promql.syntax import Window
from watchkeeper.promql.values import Vectors
from watchkeeper.promql.windows import Windows


def rate(windows: Windows) -> Vectors:
    """Return the increase a second of counters."""
    return _extrapolated(windows, counter=True, per_second=True)


def increase(windows: Windows) -> Vectors:
    """Return the increase of counters over the window."""
    return _extrapolated(windows, counter=True, per_second=False)


def delta(windows: Windows) -> Vectors:
    """Return the change of gauges over the window."""
    return _extrapolated(windows, counter=False, per_second=False)


def _extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> Vectors:
    if windows.kind is not Window.PLAIN:
        return _to_the_edges(windows, counter=counter, per_second=per_second)
    change = np.empty(windows.counts.shape)
    if windows.is_aligned:
        for aligned in windows.aligned():
            change[aligned.rows] = extrapolated_change(
                aligned, windows, counter=counter, per_second=per_second
            )
        return windows.result(change, windows.counts >= 2)
    for rows, block in windows.blocks():
        change[rows] = _extrapolated_change(block, counter=counter, per_second=per_second)
    present = windows.counts >= 2
    begun = beginnings(windows) if counter else None
    return windows.result(change, present if begun is None else present | begun.inside)


def _extrapolated_change(windows: Windows, *, counter: bool, per_second: bool) -> Floats:
    """Return the change from edge to edge, the samples' own stretched over the whole window."""
    first, last = windows.first, windows.after - 1
    first_value, first_ms = windows.at(first), windows.time_at(first)
    last_ms = windows.time_at(last)
    change = windows.at(last) - first_value
    begun = beginnings(windows) if counter else None
    if begun is not None:
        change = np.where(begun.inside, windows.at(last), change)
    if counter:
        _add_resets(windows, change)
    ends = windows.ends.times_ms
    to_start = (first_ms - (ends - windows.range_ms)) / 1000
    to_end = (ends - last_ms) / 1000
    sampled = (last_ms - first_ms) / 1000
    gap = sampled / np.maximum(windows.counts - 1, 1)
    threshold = gap * EXTRAPOLATION_THRESHOLD
    to_start = np.where(to_start >= threshold, gap / 2, to_start)
    if counter:
        grows = (change > 0) & (first_value >= 0)
        to_zero = np.where(grows, sampled * (first_value / change), to_start)
        to_start = np.where(to_zero < to_start, to_zero, to_start)
    to_end = np.where(to_end >= threshold, gap / 2, to_end)
    if begun is not None:
        sampled = np.where(begun.inside, (last_ms - begun.at_ms) / 1000, sampled)
        to_start = np.where(begun.inside, 0.0, to_start)
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= windows.range_ms / 1000
    change *= factor
    return change


def _to_the_edges(windows: Windows, *, counter: bool, per_second: bool) -> Vectors:
    """Return the change between the edges of anchored or smoothed windows, not extrapolated."""
    if windows.kind is Window.ANCHORED:
        change = windows.at(windows.after - 1) - windows.at(windows.first)
        if counter:
            _add_resets(windows, change)
    else:
        change = _smoothed_change(windows, counter=counter)
    if per_second:
        change /= windows.range_ms / 1000
    return windows.result(change)


def _smoothed_change(windows: Windows, *, counter: bool) -> Floats:
    ends = windows.ends.times_ms
    starts = ends - windows.range_ms
    left = edge_value(windows, windows.first, starts, counter=counter)
    right = edge_value(windows, windows.after - 2, ends, counter=counter)
    begins = windows.time_at(windows.first) >= starts
    left = np.where(begins, windows.at(windows.first), left)
    ended = windows.time_at(windows.after - 1) <= ends
    right = np.where(ended, windows.at(windows.after - 1), right)
    change = right - left
    if counter:
        inner_after = windows.after - (windows.time_at(windows.after - 1) >= ends)
        inner_after = np.maximum(inner_after, windows.first)
        inner_first = windows.first + (windows.time_at(windows.first) <= starts)
        inner = windows.spanning(np.minimum(inner_first, inner_after), inner_after)
        _add_resets(inner, change)
        some = inner.counts > 0
        change += np.where(some & (windows.at(inner.first) < left), left, 0.0)
        before = np.where(some, windows.at(inner.after - 1), left)
        change += np.where(right < before, before, 0.0)
    return change


def edge_value(windows: Windows, position: Ints, edge_ms: Ints, *, counter: bool) -> Floats:
    """Return the value at an edge, on the line between a sample and the next.

    A counter that fell in between is taken to have begun again at zero.
    """
    low, high = windows.at(position), windows.at(position + 1)
    if counter:
        low = np.where(high < low, 0.0, low)
    begin, end = windows.time_at(position), windows.time_at(position + 1)
    return low + (high - low) * ((edge_ms - begin) / (end - begin))


def reset_positions(windows: Windows) -> Bools:
    """Tell at which flat positions a counter began again: it fell, or its start says so."""
    fell = np.zeros(len(windows.values), dtype=np.bool_)
    if len(fell) > 1:
        fell[1:] = windows.values[1:] < windows.values[:-1]
    began = restarted(windows)
    return fell if began is None else fell | began


def count_inside(windows: Windows, marks: Bools) -> Ints:
    """Count marked positions in each window, its first sample excepted."""
    before = np.concatenate(([0], np.cumsum(marks)))
    first = np.minimum(windows.first + 1, windows.after)
    counted: Ints = before[windows.after] - before[first]
    return counted


def _add_resets(windows: Windows, change: Floats) -> None:
    """Add to each window the values that its counter had before it fell, in their order."""
    fell = reset_positions(windows)
    if not fell.any():
        return
    before = np.concatenate(([0], np.cumsum(fell)))
    begins = before[np.minimum(windows.first + 1, windows.after)]
    counts = before[windows.after] - begins
    lost = windows.values[np.flatnonzero(fell) - 1]
    affected = np.nonzero(counts)
    begins, counts = begins[affected], counts[affected]
    total = change[affected]
    for rank in range(int(counts.max(initial=0))):
        more = counts > rank
        total[more] += lost[begins[more] + rank]
    change[affected] = total


def irate(windows: Windows) -> Vectors:
    """Return the increase a second between the last two samples of counters."""
    return _instant(windows, counter=True)


def idelta(windows: Windows) -> Vectors:
    """Return the difference of the last two samples."""
    return _instant(windows, counter=False)


def _instant(windows: Windows, *, counter: bool) -> Vectors:
    last, previous = windows.after - 1, windows.after - 2
    values, earlier = windows.at(last), windows.at(previous)
    present = windows.counts >= 2
    if not counter:
        return windows.result(values - earlier, present)
    fell = values < earlier
    began = restarted(windows)
    if began is not None and len(began):
        fell |= began[np.clip(last, 0, len(began) - 1)]
    change = np.where(fell, values, values - earlier)
    seconds = (windows.time_at(last) - windows.time_at(previous)) / 1000
    change = change / seconds
    return windows.result(change, present & (seconds > 0))


def resets(windows: Windows) -> Vectors:
    """Count how often the value fell."""
    return windows.result(count_inside(windows, reset_positions(windows)).astype(np.float64))


def changes(windows: Windows) -> Vectors:
    """Count how often the value became another; NaN after NaN is no change."""
    moved = np.zeros(len(windows.values), dtype=np.bool_)
    if len(moved) > 1:
        now, then = windows.values[1:], windows.values[:-1]
        moved[1:] = (now != then) & ~(np.isnan(now) & np.isnan(then))
    return windows.result(count_inside(windows, moved).astype(np.float64))
