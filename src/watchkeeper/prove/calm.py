"""Time in which nothing changes, left out: what is only told again need not be lived through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lcm

from watchkeeper.model import FiringAlert, Labels
from watchkeeper.notify.route import Route
from watchkeeper.prove.evaluated import Told


@dataclass(frozen=True, slots=True)
class Cut:
    """From `begin_ns` on `length_ns` are left out, both in the time before anything was."""

    begin_ns: int
    length_ns: int

    @property
    def end_ns(self) -> int:
        """The last moment that is left out."""
        return self.begin_ns + self.length_ns


@dataclass(frozen=True)
class Shortened:
    """What an evaluator told, in a time without its calm stretches."""

    told: tuple[Told, ...]
    cuts: tuple[Cut, ...] = ()

    def original_ns(self, moment_ns: int) -> int:
        """Return when a moment of the shortened time really is."""
        for cut in self.cuts:
            if moment_ns > cut.begin_ns:
                moment_ns += cut.length_ns
        return moment_ns


def without_calm(told: Sequence[Told], root: Route) -> Shortened:
    """Leave out the stretches in which no alert begins or ends and everybody was told of all.

    Each is shortened by whole intervals of all groups, so that every later look is at its own
    moment. Nothing is left out where routes are muted by the time of the day.
    """
    routes = list(root.walk())
    if any(one.mute_time_intervals or one.active_time_intervals for one in routes):
        return Shortened(tuple(told))
    intervals = [one.group_interval_ns for one in routes]
    calm_ns = max(one.group_wait_ns for one in routes) + 2 * max(intervals)
    cuts = _cuts(told, calm_ns, lcm(*intervals))
    moved = [_moved(one, cuts) for one in told]
    return Shortened(tuple(one for one in moved if one is not None), cuts)


def _cuts(told: Sequence[Told], calm_ns: int, turn_ns: int) -> tuple[Cut, ...]:
    cuts: list[Cut] = []
    changed_ns: int | None = None
    firing: dict[Labels, FiringAlert] = {}
    for one in told:
        now_ns = one.at_ms * 1_000_000
        is_new = any(alert.labels not in firing for alert in one.alerts)
        if is_new or any(_is_over(alert, now_ns) for alert in (*one.alerts, *firing.values())):
            if changed_ns is not None:
                length_ns = (now_ns - changed_ns - calm_ns) // turn_ns * turn_ns
                if length_ns > 0:
                    cuts.append(Cut(changed_ns + calm_ns, length_ns))
            changed_ns = now_ns
        firing |= {alert.labels: alert for alert in one.alerts}
        firing = {key: alert for key, alert in firing.items() if not _is_over(alert, now_ns)}
    return tuple(cuts)


def _is_over(alert: FiringAlert, now_ns: int) -> bool:
    return alert.ends_at_ns is not None and alert.ends_at_ns <= now_ns


def _moved(told: Told, cuts: Sequence[Cut]) -> Told | None:
    """Return what was told at its moment in the shortened time; None if that is left out."""
    at_ns = told.at_ms * 1_000_000
    if any(cut.begin_ns < at_ns <= cut.end_ns for cut in cuts):
        return None
    earlier_ns = at_ns - _shortened_ns(at_ns, cuts)
    alerts = tuple(
        replace(
            one,
            starts_at_ns=_shortened_ns(one.starts_at_ns, cuts),
            ends_at_ns=None if one.ends_at_ns is None else one.ends_at_ns - earlier_ns,
        )
        for one in told.alerts
    )
    return Told((at_ns - earlier_ns) // 1_000_000, alerts)


def _shortened_ns(moment_ns: int, cuts: Sequence[Cut]) -> int:
    return moment_ns - sum(cut.length_ns for cut in cuts if moment_ns > cut.end_ns)
