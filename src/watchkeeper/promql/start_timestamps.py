"""Start timestamps: since when a counter has counted, where its samples say so.

A start says that the counter was zero then. It marks resets that values do not show, and takes
the place of extrapolation to the left. Sources: prometheus.io, "Feature flags",
use-start-timestamps; opentelemetry.io, "Metrics data model", resets and gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchkeeper.promql.grid import Bools, Ints
from watchkeeper.promql.windows import Windows

UNKNOWN_MS = 0
"""The start of a sample that has none."""


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Which windows hold the start of their first sample's counter, and when that was."""

    inside: Bools
    at_ms: Ints


def restarted(windows: Windows) -> Bools | None:
    """Tell at which flat positions a start lies after the sample before; None without starts.

    A start at the very sample before is a reset only if that sample has a start of its own
    earlier than itself: otherwise it may be how OpenTelemetry says that the start is unknown.
    One at or after its own sample says nothing.
    """
    if windows.starts_ms is None:
        return None
    if "restarted" not in windows.known:
        windows.known["restarted"] = _restarted(windows.times_ms, windows.starts_ms)
    marks: Bools = windows.known["restarted"]
    return marks


def _restarted(times_ms: Ints, starts: Ints) -> Bools:
    marks = np.zeros(len(starts), dtype=np.bool_)
    if len(starts) > 1:
        then, now = times_ms[:-1], times_ms[1:]
        begun, earlier = starts[1:], starts[:-1]
        touches = (begun == then) & (earlier != UNKNOWN_MS) & (earlier < then)
        marks[1:] = (begun != UNKNOWN_MS) & (begun < now) & ((begun > then) | touches)
    return marks


def beginnings(windows: Windows) -> Beginnings | None:
    """Return where counters begin inside of their windows; None without starts."""
    if windows.starts_ms is None or len(windows.starts_ms) == 0:
        return None
    if "beginnings" not in windows.known:
        windows.known["beginnings"] = _beginnings(windows, windows.starts_ms)
    found: Beginnings = windows.known["beginnings"]
    return found


def _beginnings(windows: Windows, starts_ms: Ints) -> Beginnings:
    first = np.clip(windows.first, 0, len(starts_ms) - 1)
    starts = starts_ms[first]
    inside = (windows.counts > 0) & (starts != UNKNOWN_MS) & (starts < windows.times_ms[first])
    inside &= starts > windows.ends.times_ms - windows.range_ms
    return Beginnings(inside, starts)


def overlapping(windows: Windows) -> Bools | None:
    """Tell at which flat positions a counter claims to have begun before the last one ended."""
    starts = windows.starts_ms
    if starts is None:
        return None
    marks = np.zeros(len(starts), dtype=np.bool_)
    if len(starts) > 1:
        begun = starts[1:]
        marks[1:] = (begun != UNKNOWN_MS) & (begun < windows.times_ms[:-1]) & (begun != starts[:-1])
    return marks
