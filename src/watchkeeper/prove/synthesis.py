"""Backwards from an expression to what must happen for it to hold.

An expression holds in one of several ways (`or`), each a set of conditions (`and`, `unless`).
For every condition the knobs that move it are found and turned until it does; the state that
comes out is where the others start from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from watchkeeper.promql import format as format_expression
from watchkeeper.promql import selectors
from watchkeeper.promql.syntax import Expression
from watchkeeper.prove.crossing import Crossing, Finder
from watchkeeper.prove.declared import Declared
from watchkeeper.prove.knobs import Knob, Observations
from watchkeeper.prove.label_values import MOST_ALIKE
from watchkeeper.prove.levers import Lever, in_other_groups, levers, nominal
from watchkeeper.prove.motion import State
from watchkeeper.prove.shape import (
    Condition,
    branches,
    leaves,
    mentioned_labels,
    reach_ms,
    windows_ms,
)
from watchkeeper.prove.steady import Steady
from watchkeeper.prove.streams import Streams, streams_of

LEVELS = (100.0, 0.0)
"""Where gauges stand at first; at the second where the first leaves no rest."""
INSTANCES = (2, 4, 10)
"""How many processes of a job are tried: a count may ask for more than two."""


@dataclass(frozen=True)
class Way:
    """One way to make an expression hold: all else as in `base`, one crossing decides.

    `windows_ms` are the ranges of its conditions, the longest first; `reach_ms` is how far back
    they look. `rest` is the state before and after, `rest_position` where the knob is in it, if
    it was turned for that. `is_held` marks a condition that holds by
    itself once the others do.
    """

    condition: Condition
    crossing: Crossing
    base: State
    rest: State = field(default_factory=dict)
    rest_position: float | None = None
    windows_ms: tuple[int, ...] = ()
    reach_ms: int = 0
    is_held: bool = False

    def at(self, position: float) -> State:
        """Return the state with the crossing's knob at a position."""
        return self.crossing.knob.turned(self.base, position)


@dataclass(frozen=True)
class Synthesis:
    """What an expression can be made to do: at rest in `healthy`, and to hold in every way.

    `missing` says, for what could not be reached, why.
    """

    streams: Streams
    healthy: State
    ways: tuple[Way, ...] = ()
    missing: tuple[str, ...] = ()
    is_constant: bool = False
    blockers: tuple[Way, ...] = field(default=())
    held: tuple[Way, ...] = field(default=())


def synthesise(
    expression: Expression,
    inlined: Expression,
    declared: Declared,
    steady: Steady,
    *,
    sparse: bool = False,
) -> Synthesis:
    """Return how an expression without recorded series can be made to hold, and not to.

    `inlined` is the same expression with its ranges in full length: each way takes as long as
    the ranges of its own conditions. `sparse` puts in fewer values of open labels.
    """
    if not selectors(expression):
        return Synthesis(Streams({}), {}, is_constant=True)
    missing = _without_series(expression, declared)
    found = Synthesis(Streams({}), {}, missing=missing)
    for instances in INSTANCES:
        streams = streams_of(
            expression,
            declared,
            mentioned_labels(expression),
            instances,
            1 if sparse else MOST_ALIKE,
        )
        search = _Search(expression, inlined, streams, steady)
        found = search.run()
        if not found.missing:
            break
    reasons = tuple(dict.fromkeys((*missing, *found.missing)))
    return replace(found, missing=reasons)


def _without_series(expression: Expression, declared: Declared) -> tuple[str, ...]:
    reasons = (declared.why_nothing(leaf.selector) for leaf in leaves(expression))
    return tuple(dict.fromkeys(reason for reason in reasons if reason))


class _Search:
    """The search over one choice of streams."""

    def __init__(
        self, expression: Expression, inlined: Expression, streams: Streams, steady: Steady
    ) -> None:
        self._expression = expression
        self._streams = streams
        self._steady = steady
        self._branches = branches(expression)
        self._full = branches(inlined)
        self._reasons: list[str] = []
        self._restless: list[str] = []
        self.held: list[Way] = []

    def run(self) -> Synthesis:
        healthy = self._at_rest()
        ways: list[Way] = []
        blockers: list[Way] = []
        for branch, full in zip(self._branches, self._full, strict=True):
            known = len(self.held)
            found = [_timed(one, full) for one in self._ways(branch, healthy)]
            self.held[known:] = [_timed(one, full) for one in self.held[known:]]
            ways += found
            if found:
                blockers += self._blockers(branch, found[0])
        if not ways and not self._reasons:
            self._reasons += self._restless or ["nothing that is declared ends it once it holds"]
        return Synthesis(
            self._streams,
            healthy,
            tuple(ways),
            tuple(self._reasons),
            blockers=tuple(blockers),
            held=tuple(self.held),
        )

    def _at_rest(self) -> State:
        """Return a state in which the expression does not hold, if one is found."""
        state: State = {}
        for level in LEVELS:
            state = nominal(self._streams, self._expression, level)
            state = self._healthy(self._unblocked(state))
            ((vector,),) = self._steady.values([self._expression], [state])
            if not vector:
                break
        return state

    def _unblocked(self, state: State) -> State:
        """Return the state with what stands under `unless` turned back."""
        for branch in self._branches:
            for condition in branch:
                if not condition.wanted and self._holds(condition, state):
                    plain = Condition(condition.expression)
                    crossing = next(self._crossings(plain, state), None)
                    if crossing is not None:
                        state = self._turned_back(plain, crossing, state)
        return state

    def _healthy(self, state: State) -> State:
        """Return the state with every branch that holds turned back at one of its conditions."""
        for branch in self._branches:
            for condition in branch:
                if not self._all_hold(branch, state):
                    break
                finder = self._finder(condition, state)
                crossing = next(finder.crossings(levers(condition, self._streams)), None)
                if condition.wanted and crossing is not None:
                    state = self._turned_back(condition, crossing, state)
                self._restless += finder.reasons[:1]
        return state

    def _turned_back(self, condition: Condition, crossing: Crossing, state: State) -> State:
        state = crossing.knob.turned(state, crossing.healthy)
        for lever in in_other_groups(condition, self._streams, crossing.lever):
            knob = lever.knob.finer(crossing.factor) or lever.knob
            state = knob.turned(state, crossing.healthy)
        return state

    def _ways(self, branch: tuple[Condition, ...], healthy: State) -> list[Way]:
        """Return one way for every condition of a branch that needs its own turn."""
        state = healthy
        solved: list[tuple[Condition, Crossing]] = []
        for condition in branch:
            if self._holds(condition, state) == condition.wanted:
                continue
            if not condition.wanted:
                self._reasons.append("a part under `unless` holds whatever is put in")
                return []
            crossing = self._first(condition, state, [one.knob for _, one in solved])
            if crossing is None:
                return []
            solved.append((condition, crossing))
            state = crossing.knob.turned(state, self._firmly(crossing))
        if not self._all_hold(branch, state):
            self._reasons.append(
                "its conditions were made to hold one by one, and do not hold together"
            )
            return []
        ways = [self._way(number, solved, healthy) for number in range(len(solved))]
        if not ways:
            return []
        ways = [self._rested(one, healthy) for one in ways]
        self.held += [
            replace(ways[0], condition=condition, base=state, is_held=True)
            for condition in branch
            if condition.wanted
            and condition not in [one for one, _ in solved]
            and selectors(condition.expression)
        ]
        return ways

    def _way(self, number: int, solved: list[tuple[Condition, Crossing]], healthy: State) -> Way:
        base = healthy
        for place, (_, crossing) in enumerate(solved):
            if place != number:
                base = crossing.knob.turned(base, self._firmly(crossing))
        condition, crossing = solved[number]
        return Way(condition, crossing, base)

    def _rested(self, way: Way, healthy: State) -> Way:
        """Return a way that rests in as many events as its own, and with nothing wrong."""
        knob = way.crossing.knob
        if knob.finer(1) is not None:
            for position in (0.0, way.crossing.healthy):
                state = knob.turned(healthy, position)
                ((vector,),) = self._steady.values([self._expression], [state])
                if not vector:
                    return replace(way, rest=state, rest_position=position)
        return replace(way, rest=healthy)

    def _blockers(self, branch: tuple[Condition, ...], way: Way) -> Iterator[Way]:
        """Yield, for every part under `unless`, how to make it hold while the rest does."""
        state = way.at(self._firmly(way.crossing))
        for condition in branch:
            if not condition.wanted and selectors(condition.expression):
                plain = Condition(condition.expression)
                crossing = next(self._crossings(plain, state), None)
                if crossing is not None:
                    yield Way(plain, crossing, state)

    def _firmly(self, crossing: Crossing) -> float:
        return crossing.beyond[0] if crossing.beyond else crossing.fires

    def _first(self, condition: Condition, state: State, turned: Sequence[Knob]) -> Crossing | None:
        """Return the most natural crossing, of series that no other condition has moved if it can
        be: two knobs on one series undo each other."""
        finder = self._finder(condition, state)
        moved = {stream for knob in turned for stream in knob.streams}
        found = levers(condition, self._streams)
        ordered = sorted(found, key=lambda one: not moved.isdisjoint(one.knob.streams))
        crossing = next(finder.crossings(ordered), None)
        if crossing is None and _looks_back(condition.expression):
            self._reasons.append(
                "it compares series with their own past (`offset`): series that are put in rest"
                " in one state until nothing moves any more, and then both are the same"
            )
        elif crossing is None:
            self._reasons += finder.reasons[:3] or [
                f"nothing that is declared moves `{_shown(condition)}`"
            ]
        return crossing

    def _crossings(self, condition: Condition, state: State) -> Iterator[Crossing]:
        return self._finder(condition, state).crossings(levers(condition, self._streams))

    def _finder(self, condition: Condition, state: State) -> Finder:
        return Finder(self._steady, condition, state)

    def _holds(self, condition: Condition, state: State) -> bool:
        ((vector,),) = self._steady.values([condition.expression], [state])
        return bool(vector)

    def _all_hold(self, branch: Iterable[Condition], state: State) -> bool:
        """Whether all conditions of a branch are as wanted, and the whole holds."""
        conditions = list(branch)
        ((whole,), *parts) = self._steady.values(
            [self._expression, *(one.expression for one in conditions)], [state]
        )
        return bool(whole) and all(
            bool(vector) == one.wanted for (vector,), one in zip(parts, conditions, strict=True)
        )


def _looks_back(expression: Expression) -> bool:
    return any(one.offset is not None for one in selectors(expression))


def _shown(condition: Condition) -> str:
    return format_expression(condition.expression)


def _timed(way: Way, conditions: Iterable[Condition]) -> Way:
    full = list(conditions)
    return replace(way, windows_ms=_windows(full), reach_ms=_reach(full))


def _windows(conditions: Iterable[Condition]) -> tuple[int, ...]:
    found = {window for one in conditions for window in windows_ms(one.expression)}
    return tuple(sorted(found, reverse=True))


def _reach(conditions: Iterable[Condition]) -> int:
    return max(reach_ms(one.expression) for one in conditions)


def held_ways(found: Synthesis, steady: Steady) -> Iterator[Way]:
    """Yield a way for every condition that holds by itself, if a knob of its own can end that."""
    known = [way.crossing.knob for way in found.ways]
    for way in found.held:
        finder = Finder(steady, way.condition, way.base)
        crossing = next(finder.crossings(levers(way.condition, found.streams)), None)
        if crossing is not None and crossing.knob not in known:
            yield replace(way, crossing=crossing)


def every_crossing(way: Way, streams: Streams, steady: Steady) -> Iterator[Crossing]:
    """Yield the crossings of the other knobs of a way's condition."""
    finder = Finder(steady, way.condition, way.base)
    own = way.crossing.lever
    others = (
        one
        for one in levers(way.condition, streams)
        if one.number != own.number and not _is_further(one, own)
    )
    yield from finder.crossings(others)


def _is_further(lever: Lever, own: Lever) -> bool:
    """Whether a lever only fills a bucket further out than the nearest that does."""
    one, other = lever.knob, own.knob
    return (
        isinstance(one, Observations) and isinstance(other, Observations) and one.slow != other.slow
    )
