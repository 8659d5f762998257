"""Whether an alert does over a set of series what it must."""

from __future__ import annotations

import numpy as np

from watchkeeper.prove.sets import SeriesSet, Verdict
from watchkeeper.prove.setting import Setting
from watchkeeper.prove.timeline import Outcome

FIRST_LOOK = 1
"""At the first evaluation nothing has been scraped yet; what it says is not held against a rule."""


def onset_step(series: SeriesSet, setting: Setting) -> int:
    """Return the number of the first evaluation that sees the disturbance."""
    sampling = setting.pace.sampling
    first_ms = series.onset_sample * sampling.gap_ms + sampling.offset_ms
    return -(-first_ms // setting.pace.step_ms)


def broken(series: SeriesSet, outcome: Outcome, setting: Setting) -> str:
    """Return what is not as the set's verdict wants it; empty if all is."""
    match series.verdict:
        case Verdict.FIRES:
            return _not_fired(series, outcome, setting)
        case Verdict.SILENT:
            rows = [row[FIRST_LOOK:] for row in outcome.firing.values()]
            if any(row.any() for row in rows):
                return f"it fires with {series.purpose}, and must not"
    return ""


def _not_fired(series: SeriesSet, outcome: Outcome, setting: Setting) -> str:
    if not outcome.fires:
        return f"it does not fire with {series.purpose}"
    onset = onset_step(series, setting)
    for row in outcome.firing.values():
        if row[FIRST_LOOK:onset].any():
            return "it fires before anything is wrong"
        if row[-1]:
            return "it still fires after all is well again"
    return ""


def first_active(outcome: Outcome) -> tuple[int, int]:
    """Return, of the alert that fires first, when its expression began to hold and when it fired.

    Both are numbers of evaluations.
    """
    key = min(outcome.firing, key=lambda one: int(np.argmax(outcome.firing[one])))
    fired = int(np.argmax(outcome.firing[key]))
    before = np.flatnonzero(~outcome.present[key][:fired])
    return (int(before[-1]) + 1 if len(before) else 0), fired
