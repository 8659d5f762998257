"""Where a condition turns over: the position of a knob at which it just holds, and just not.

The expression is solved backwards for which knobs move it; the engine says where. A knob is
tried along its ladder, then the stretch in which the condition turns over is narrowed down,
first by drawing a line through the distance of the two sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from watchkeeper.model import Labels
from watchkeeper.promql.syntax import Expression
from watchkeeper.prove.knobs import Knob
from watchkeeper.prove.levers import EQUALITIES, Lever, widened
from watchkeeper.prove.motion import State
from watchkeeper.prove.shape import Condition
from watchkeeper.prove.steady import Steady, Values

CLOSE = 0.01
"""How near to the boundary the nearest set stays, relative to it, unless it is a whole number."""
FEW = 20
"""From here on a step of one is near."""
SCALES = (10, 100, 2, 3, 4, 5, 6, 7, 8, 9, 20, 30, 50, 70)
ROUNDS = 10
SECTIONS = 12
SAMPLES_AT_ONCE = 400_000


@dataclass(frozen=True, slots=True)
class Crossing:
    """A knob and the positions that matter on it.

    At `fires` the condition just holds, at `silent` just not, at every one of `beyond` it holds
    by far, at `healthy` it does not by far. At each of `equal` both sides are exactly the same.
    The knob has `factor` times as many events as its kind has at first.
    """

    lever: Lever
    fires: float
    silent: tuple[float, ...]
    beyond: tuple[float, ...]
    healthy: float
    equal: tuple[float, ...] = ()
    factor: int = 1

    @property
    def knob(self) -> Knob:
        """What is turned."""
        return self.lever.knob


@dataclass(frozen=True, slots=True)
class _Look:
    """What is seen at one position. `distance` is None where the sides cannot be compared."""

    position: float
    holds: bool
    distance: float | None


class Finder:
    """Finds crossings of one condition in one state of everything else."""

    def __init__(self, steady: Steady, condition: Condition, base: State) -> None:
        self._steady = steady
        self._condition = condition
        self._base = base
        self._compares = condition.comparison is not None
        self.reasons: list[str] = []

    def crossings(self, candidates: Iterable[Lever]) -> Iterator[Crossing]:
        """Yield a crossing for every lever that has one, in their order."""
        for chunk in self._chunks(candidates):
            looks = self._along([(lever, lever.ladder) for lever in chunk])
            for lever, seen in zip(chunk, looks, strict=True):
                found = self._crossing(lever, seen)
                if found is not None:
                    yield found

    def _chunks(self, candidates: Iterable[Lever]) -> Iterator[list[Lever]]:
        """Yield levers in lots that are looked at together, the first alone."""
        most = max(1, SAMPLES_AT_ONCE // self._steady.length)
        chunk: list[Lever] = []
        for lever in candidates:
            chunk.append(lever)
            if sum(len(one.ladder) for one in chunk) * 4 >= most:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _along(self, tried: Sequence[tuple[Lever, Sequence[float]]]) -> list[list[_Look]]:
        states = [
            lever.knob.turned(self._base, position)
            for lever, positions in tried
            for position in positions
        ]
        asked: list[Expression] = [self._condition.expression]
        if self._condition.distance is not None:
            asked.append(self._condition.distance)
        seen = self._steady.values(asked, states)
        looks: list[list[_Look]] = []
        at = 0
        for lever, positions in tried:
            stretch = slice(at, at + len(positions))
            focus = _focus(lever, [vector[stretch] for vector in seen])
            looks.append(
                [
                    _Look(position, *_seen(focus, *(vector[at + number] for vector in seen)))
                    for number, position in enumerate(positions)
                ]
            )
            at += len(positions)
        return looks

    def _crossing(self, lever: Lever, looks: list[_Look]) -> Crossing | None:
        if not any(look.holds for look in looks):
            self._note_reach(lever, looks)
            return None
        if all(look.holds for look in looks):
            self.reasons.append(f"it holds whatever the {lever.knob.what}")
            return None
        if not self._compares:
            return _of_existence(lever, looks)
        comparison = self._condition.comparison
        assert comparison is not None
        if comparison.operator in EQUALITIES:
            return self._at_equality(lever, looks)
        turns = [pair for pair in pairwise(looks) if _is_a_turn(*pair)]
        if not turns:
            self._note_constant(lever, looks)
        narrowed = (self._narrowed(lever, looks, below, above) for below, above in turns)
        return next((one for one in narrowed if one is not None), None)

    def _narrowed(
        self, lever: Lever, looks: list[_Look], below: _Look, above: _Look
    ) -> Crossing | None:
        root = self._root(lever, below, above)
        lever, factor = self._scaled(lever, root)
        return self._around(lever, looks, _rounded(root * factor), above.holds, factor)

    def _scaled(self, lever: Lever, root: float) -> tuple[Lever, int]:
        """Return the lever over so many events that the boundary is met by a whole number.

        Where rounding allows it, both sides are then exactly the same.
        """
        tried: list[tuple[Lever, int]] = [(lever, 1)]
        for factor in SCALES:
            finer = widened(lever, factor)
            if finer is not None and _is_whole(_rounded(root * factor)):
                tried.append((finer, factor))
        if len(tried) == 1:
            return tried[0]
        looks = self._along([(one, [_rounded(root * factor)]) for one, factor in tried])
        exact = [one for one, (look,) in zip(tried, looks, strict=True) if look.distance == 0.0]
        fine = [one for one in exact or tried if root * one[1] >= FEW]
        return (fine or exact or tried)[0]

    def _root(self, lever: Lever, below: _Look, above: _Look) -> float:
        """Return the position at which both sides are the same."""
        for end in (below, above):
            if end.distance == 0.0:
                return end.position
        for _ in range(ROUNDS):
            low, high = below.position, above.position
            width = high - low
            if width <= 1e-12 * max(abs(low), abs(high)):
                break
            positions = {low + width * part / SECTIONS for part in range(1, SECTIONS)}
            straight = _interpolated(below, above)
            if straight is not None:
                for near in (straight, _rounded(straight), float(round(straight))):
                    positions |= {near, near - abs(near) * 1e-9, near + abs(near) * 1e-9}
            tried = sorted(one for one in positions if low < one < high)
            (looks,) = self._along([(lever, tried)])
            exact = next((one.position for one in looks if one.distance == 0.0), None)
            if exact is not None:
                return exact
            line = [below, *looks, above]
            turned = next(
                ((one, other) for one, other in pairwise(line) if one.holds != other.holds), None
            )
            if turned is None:
                break
            below, above = turned
        return (below.position + above.position) / 2

    def _around(
        self, lever: Lever, looks: list[_Look], root: float, upwards: bool, factor: int
    ) -> Crossing | None:
        """Return the positions around a root; None if the engine sees it otherwise."""
        low, high = lever.knob.limits
        step = _near(lever.knob, root)
        before, after = max(low, root - step), min(high, root + step)
        ladder = [look.position * factor for look in looks]
        far = [_outwards(root, upwards), *([root + 4 * step] if upwards else []), *ladder]
        tried = [one for one in dict.fromkeys([before, root, after, *far]) if low <= one <= high]
        (seen,) = self._along([(lever, tried)])
        by_place = {look.position: look for look in seen}
        fires = [
            by_place[one] for one in (root, after if upwards else before) if by_place[one].holds
        ]
        silent = [
            by_place[one]
            for one in (root, before if upwards else after)
            if not by_place[one].holds and by_place[one].distance is not None
        ]
        if not fires or not silent:
            return None
        equal = by_place[root].distance == 0.0
        beyond = _beyond(seen, root, upwards, lever.knob)
        return Crossing(
            lever,
            fires=fires[0].position,
            silent=(silent[-1].position,),
            beyond=beyond,
            healthy=_healthy(seen, root, upwards),
            equal=(root,) if equal else (),
            factor=factor,
        )

    def _at_equality(self, lever: Lever, looks: list[_Look]) -> Crossing | None:
        """Return the crossing of `==` or `!=`: one point, and what lies beside it."""
        comparison = self._condition.comparison
        assert comparison is not None
        same = next((look.position for look in looks if look.distance == 0.0), None)
        if same is None:
            for below, above in pairwise(looks):
                if None in (below.distance, above.distance):
                    continue
                if (below.distance or 0) * (above.distance or 0) < 0:
                    same = _rounded(_interpolated(below, above) or below.position)
                    break
        if same is None:
            self._note_constant(lever, looks)
            return None
        low, high = lever.knob.limits
        beside = [one for one in (same + 1, same - 1) if low <= one <= high]
        (seen,) = self._along([(lever, [same, *beside])])
        at, *others = seen
        holding = [one for one in others if one.holds]
        failing = [one.position for one in others if not one.holds and one.distance is not None]
        if comparison.operator == "==" and at.holds and failing:
            return Crossing(lever, same, tuple(failing), (), failing[0])
        if comparison.operator == "!=" and holding and not at.holds:
            return Crossing(
                lever, holding[0].position, (same,), tuple(o.position for o in holding[1:]), same
            )
        return None

    def _note_reach(self, lever: Lever, looks: list[_Look]) -> None:
        comparison = self._condition.comparison
        distances = [look.distance for look in looks if look.distance is not None]
        if comparison is None:
            return
        if not distances:
            self.reasons.append(
                f"whatever the {lever.knob.what}, the two sides of `{comparison.operator}` never"
                " meet: no series of the one has the labels of a series of the other"
            )
            return
        nearest = min(distances, key=abs)
        self.reasons.append(
            f"whatever the {lever.knob.what}, the left side of `{comparison.operator}` stays"
            f" {abs(nearest):.4g} {'below' if nearest < 0 else 'above'} the right one"
        )

    def _note_constant(self, lever: Lever, looks: list[_Look]) -> None:
        distances = {_rounded(look.distance) for look in looks if look.distance is not None}
        comparison = self._condition.comparison
        if comparison is not None and len(distances) == 1:
            self.reasons.append(
                f"the threshold decides nothing: whatever the {lever.knob.what}, the left side of"
                f" `{comparison.operator}` is the right one {distances.pop():+.4g}, or not there"
                " (series divided by themselves, or without a partner?)"
            )


def _is_a_turn(below: _Look, above: _Look) -> bool:
    """Whether a condition turns over between two positions, and not at a division by zero."""
    return below.holds != above.holds and all(
        look.distance is not None and math.isfinite(look.distance) for look in (below, above)
    )


def _of_existence(lever: Lever, looks: list[_Look]) -> Crossing:
    fires = [look.position for look in looks if look.holds]
    silent = [look.position for look in looks if not look.holds]
    return Crossing(lever, fires[0], (silent[0],), tuple(fires[1:2]), silent[0])


def _focus(lever: Lever, seen: list[list[Values]]) -> Labels | None:
    """Return the labels of the element that the knob is about."""
    wanted = dict(lever.knob.streams[0].labels)
    for vectors in seen:
        for vector in vectors:
            for labels in vector:
                if all(wanted.get(name, value) == value for name, value in labels):
                    return labels
    return None


def _seen(
    focus: Labels | None, holding: Values, distances: Values | None = None
) -> tuple[bool, float | None]:
    holds = focus is not None and focus in holding
    distance = distances.get(focus) if distances is not None and focus is not None else None
    if distance is not None and math.isnan(distance):
        distance = None
    return holds, distance


def _interpolated(below: _Look, above: _Look) -> float | None:
    if below.distance is None or above.distance is None or below.distance == above.distance:
        return None
    share = below.distance / (below.distance - above.distance)
    place = below.position + (above.position - below.position) * share
    return place if math.isfinite(place) else None


def _near(knob: Knob, root: float) -> float:
    if knob.is_whole and (abs(root) >= FEW or _is_whole(root)):
        return 1.0 if _is_whole(root) else abs(root) * CLOSE
    return abs(root) * CLOSE or 1.0


def _healthy(seen: list[_Look], root: float, upwards: bool) -> float:
    wanted = root / 4 if upwards else root * 2 if root > 0 else root + 1
    resting = [one.position for one in seen if not one.holds and one.distance is not None]
    return min(resting, key=lambda position: abs(position - wanted))


def _beyond(seen: list[_Look], root: float, upwards: bool, knob: Knob) -> tuple[float, ...]:
    """Return positions far on the side that fires: a few times as much, and the most there is."""
    firing = sorted(one.position for one in seen if one.holds)
    wanted = _outwards(root, upwards)
    found = [min(firing, key=lambda position: abs(position - wanted))]
    if knob.finer(1) is not None:
        found.append(firing[-1] if upwards else firing[0])
    return tuple(dict.fromkeys(one for one in found if abs(one - root) > abs(root) * 2 * CLOSE))


def _outwards(root: float, upwards: bool) -> float:
    """Return a position far beyond the root, on the side that fires."""
    if not root:
        return 4.0 if upwards else -4.0
    return root * 4 if upwards == (root > 0) else root / 4


def _rounded(value: float | None) -> float:
    if not value:
        return 0.0
    return float(f"{value:.10g}")


def _is_whole(value: float) -> bool:
    return float(value).is_integer()


def relaxed(crossing: Crossing, factor: float) -> Crossing:
    """Return a crossing whose nearest positions keep `factor` times the distance."""
    (silent, *_), fires = crossing.silent, crossing.fires
    middle = (silent + fires) / 2
    return replace(
        crossing,
        fires=middle + (fires - middle) * factor,
        silent=(middle + (silent - middle) * factor,),
        equal=(),
    )
