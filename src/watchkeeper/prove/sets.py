"""The sets of series by which one alert is proved: those that must fire it, the nearest that
must not, and those that look alike and must not either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from watchkeeper.matching import matches
from watchkeeper.model import METRIC_NAME
from watchkeeper.prove.crossing import Crossing
from watchkeeper.prove.knobs import Flow, Knob, Level, Observations, Presence
from watchkeeper.prove.levers import in_other_groups
from watchkeeper.prove.motion import Motion, Phase, State, Stream
from watchkeeper.prove.pace import settled
from watchkeeper.prove.setting import Setting
from watchkeeper.prove.steady import Steady
from watchkeeper.prove.synthesis import Synthesis, Way, every_crossing

MARGIN_STEPS = 3
MOST_OTHER_KNOBS = 6
MOST_WINDOWS = 3
BRIEF = 8
"""Where little history is enough, rest before and after lasts so small a part of the ranges."""
MOST_PARTS = 3
DAY_MS = 86_400_000
SURGE = 4
"""How many times as many events a surge brings."""
NEARLY = 0.96
"""Of the boundary: between it and what a tenth less would be."""


class Verdict(StrEnum):
    """What a set of series must do to the alert."""

    FIRES = "fires"
    SILENT = "stays silent"
    AS_SEEN = "as seen"


@dataclass(frozen=True)
class SeriesSet:
    """Series as phases, at rest, disturbed and at rest again. `purpose` says what for."""

    purpose: str
    verdict: Verdict
    phases: tuple[Phase, ...]

    @property
    def onset_sample(self) -> int:
        """The number of the first sample of the disturbance."""
        return self.phases[0].samples


class Sets:
    """All sets of one alert, in the order in which they say most."""

    def __init__(self, synthesis: Synthesis, setting: Setting, steady: Steady) -> None:
        self._synthesis = synthesis
        self._pace, self._timing = setting.pace, setting.timing
        self._is_costly = bool(setting.recorded)
        self.is_brief = False
        self._parts = MOST_PARTS if setting.reach_ms <= DAY_MS else 1
        self._steady = steady

    def nearest(self, way: Way) -> Iterator[SeriesSet]:
        """Yield the sets that must fire the alert, and the nearest that must not."""
        yield from self._around(way, way.crossing)

    def alike(self, way: Way) -> Iterator[SeriesSet]:
        """Yield sets that differ in one thing: a label's value, a group, what is turned."""
        if way.is_held:
            yield from islice(self.nearest(way), 3)
            yield from islice(self._passing(way), MOST_PARTS)
            return
        yield from self._values(way)
        yield from self._groups(way)
        if self._is_costly:
            yield from self._passing(way)
            return
        yield from self.in_time(way)
        others = every_crossing(way, self._synthesis.streams, self._steady)
        for other in islice(others, MOST_OTHER_KNOBS):
            for one in self._around(replace(way, crossing=other), other):
                yield replace(one, verdict=Verdict.AS_SEEN)

    def blocked(self, way: Way) -> Iterator[SeriesSet]:
        """Yield a set in which what stands under `unless` holds too."""
        yield self._set(
            way, f"blocked by {way.crossing.knob.what}", Verdict.SILENT, way.at(way.crossing.fires)
        )

    def vanished(self, way: Way) -> SeriesSet:
        """Return the set in which the series that decide are no longer there."""
        gone = {stream.name for stream in way.crossing.knob.streams}
        state = {one: motion for one, motion in way.base.items() if one.name not in gone}
        return self._set(way, "the series vanish", Verdict.AS_SEEN, state)

    def _around(self, way: Way, crossing: Crossing) -> Iterator[SeriesSet]:
        says = crossing.knob.says
        yield self._set(way, says(crossing.fires), Verdict.FIRES, way.at(crossing.fires))
        for position in crossing.silent:
            yield self._set(way, says(position), Verdict.SILENT, way.at(position))
        for position in crossing.equal:
            yield self._set(way, says(position), Verdict.AS_SEEN, way.at(position))
        for position in crossing.beyond[: 1 if self._is_costly else None]:
            yield self._set(way, says(position), Verdict.FIRES, way.at(position))

    def in_time(self, way: Way) -> Iterator[SeriesSet]:
        """Yield sets that tell by when the alert fires and ends: restarts, surges, slow passage."""
        crossing, knob = way.crossing, way.crossing.knob
        strongest = crossing.beyond[-1] if crossing.beyond else crossing.fires
        counters = frozenset(one for one in knob.streams[:1] if one.is_counted)
        if not counters:
            return
        for position in dict.fromkeys((crossing.fires, strongest)):
            state = way.at(position)
            yield self._set(way, "a process restarts", Verdict.AS_SEEN, state, restarts=counters)
        surging = knob.finer(SURGE * crossing.factor)
        if surging is not None:
            for position in dict.fromkeys((crossing.fires, *crossing.beyond[:1])):
                state = surging.turned(way.base, position * SURGE)
                yield self._set(way, "traffic surges", Verdict.AS_SEEN, state)
        yield from self._passing(way)

    def _passing(self, way: Way) -> Iterator[SeriesSet]:
        """Yield sets in which the boundary is met, or nearly, at the very moment of an evaluation.

        With nothing at rest, a window of n samples stands at the boundary once k of them came
        with n / k times the events that hold it there.
        """
        crossing = way.crossing
        root = (crossing.equal or ((crossing.fires + crossing.silent[0]) / 2,))[0]
        _, most = crossing.knob.limits
        at_rest = crossing.knob.turned(way.rest, 0.0)
        for window in way.windows_ms[:MOST_WINDOWS]:
            samples = window // self._pace.sampling.gap_ms - 1
            for part in _parts(samples, root, most)[: self._parts]:
                for share in (1.0, NEARLY):
                    state = way.at(root * samples / part * share)
                    yield self._set(
                        way, "the boundary is passed", Verdict.AS_SEEN, state, at_rest=at_rest
                    )

    def _values(self, way: Way) -> Iterator[SeriesSet]:
        """Yield a set for every value of the labels that matchers choose by."""
        leaf = way.crossing.lever.leaf
        knob = way.crossing.knob
        known = self._synthesis.streams.by_sample.get(leaf.selector.metric_name, [])
        for name in dict.fromkeys(
            one.name for one in leaf.selector.matchers if one.name not in ("le", METRIC_NAME)
        ):
            others = tuple(
                one for one in leaf.selector.matchers if one.name not in (name, "le", METRIC_NAME)
            )
            fitting = [one for one in known if matches(one.labels, others)]
            for value in dict.fromkeys(dict(one.labels).get(name, "") for one in fitting):
                part = tuple(one for one in fitting if dict(one.labels).get(name, "") == value)
                yield from self._value(way, knob, part, f"{name}={value}")

    def _value(
        self, way: Way, knob: Knob, part: tuple[Stream, ...], shown: str
    ) -> Iterator[SeriesSet]:
        leaf = way.crossing.lever.leaf
        taken = set(self._synthesis.streams.of(leaf.selector))
        own = tuple(one for one in part if one in set(knob.streams))
        if own:
            if set(own) != set(knob.streams):
                state = _only(knob, own, way, way.crossing)
                yield self._set(way, f"only {shown}", Verdict.AS_SEEN, state)
        elif not taken.intersection(part):
            other = _instead(knob, part, way, way.crossing)
            if other is not None:
                yield self._set(way, f"{shown} instead", Verdict.AS_SEEN, other)

    def _groups(self, way: Way) -> Iterator[SeriesSet]:
        """Yield sets in which a second group moves too: both just short, or one of them."""
        crossing = way.crossing
        levers = list(
            islice(in_other_groups(way.condition, self._synthesis.streams, crossing.lever), 2)
        )
        for lever in levers:
            knob = lever.knob.finer(crossing.factor) or lever.knob
            rest = way.rest
            if way.rest_position is not None:
                rest = knob.turned(rest, way.rest_position)
            fires, silent = crossing.fires, crossing.silent[0]
            for purpose, verdict, one, other in (
                ("two groups just short", Verdict.SILENT, silent, silent),
                ("one group beyond, one short", Verdict.AS_SEEN, fires, silent),
                ("two groups beyond", Verdict.AS_SEEN, fires, fires),
            ):
                state = knob.turned(way.at(one), other)
                yield self._set(way, purpose, verdict, state, at_rest=rest)

    def _set(
        self,
        way: Way,
        purpose: str,
        verdict: Verdict,
        state: State,
        *,
        restarts: frozenset[Stream] = frozenset(),
        at_rest: State | None = None,
    ) -> SeriesSet:
        resting = way.rest if at_rest is None else at_rest
        return SeriesSet(purpose, verdict, self._phases(way, state, resting, restarts))

    def _phases(
        self, way: Way, state: State, resting: State, restarts: frozenset[Stream]
    ) -> tuple[Phase, ...]:
        pace = self._pace
        margin = MARGIN_STEPS * pace.samples_a_step
        settling = settled(pace, way.reach_ms).settling_steps * pace.samples_a_step
        before = after = pace.settling_steps * pace.samples_a_step
        if self.is_brief:
            before = after = (
                settled(pace, way.reach_ms // BRIEF).settling_steps * pace.samples_a_step
            )
        else:
            after = settling
        held = -(-self._timing.for_ms // pace.step_ms) * pace.samples_a_step
        kept = -(-self._timing.keep_firing_for_ms // pace.step_ms) * pace.samples_a_step
        rest = Phase(resting, before + margin)
        length = settling + held + margin
        middle = (
            [Phase(state, length // 2), Phase(state, length - length // 2, restarts)]
            if restarts
            else [Phase(state, length)]
        )
        return (rest, *middle, Phase(rest.state, after + kept + margin))


def _only(knob: Knob, part: tuple[Stream, ...], way: Way, crossing: Crossing) -> State:
    """Return the state in which the part alone does what all of a knob's streams did."""
    position = crossing.beyond[0] if crossing.beyond else crossing.fires
    rest = crossing.knob.turned(way.base, crossing.healthy)
    state = dict(rest)
    for stream in knob.streams:
        if stream not in part and isinstance(knob, Flow):
            state[stream] = Motion(increments=(0.0,))
    moved = _about(knob, part)
    return state if moved is None else moved.turned(state, position)


def _instead(knob: Knob, part: tuple[Stream, ...], way: Way, crossing: Crossing) -> State | None:
    """Return the state in which streams that a selector does not take move in place of its own."""
    position = crossing.beyond[0] if crossing.beyond else crossing.fires
    rest = crossing.knob.turned(way.base, crossing.healthy)
    moved = _about(knob, part)
    if moved is None:
        return None
    if isinstance(moved, Flow) and moved.companions:
        left = moved.total - crossing.healthy
        companions = tuple(one for one in moved.companions if one not in part)
        if not companions:
            return None
        moved = replace(moved, companions=companions, total=left)
        position = min(position, left)
    return moved.turned(rest, position)


def _about(knob: Knob, part: tuple[Stream, ...]) -> Knob | None:
    match knob:
        case Flow() | Level() | Observations() | Presence():
            return replace(knob, streams=part)
    return None


def _parts(samples: int, root: float, most: float) -> list[int]:
    """Return of how many samples a window may be filled: whole numbers of events come first."""
    fitting = [part for part in range(1, samples + 1) if root * samples / part <= most]
    whole = [part for part in fitting if (root * samples / part).is_integer()]
    chosen = [*sorted(whole, key=lambda part: abs(part - samples / 2)), *fitting[::-1]]
    return list(dict.fromkeys(chosen))[:MOST_PARTS]
