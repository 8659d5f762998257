"""An alerting rule over a set of series: which alerts fire at which evaluation.

The engine answers for all moments at once; recorded series are written in the order in which
rules need them. Whether an alert fires is worked out on arrays, which the real evaluator is
then held against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchkeeper.clock import Clock
from watchkeeper.model import METRIC_NAME, STALE_BITS, Labels, labels
from watchkeeper.promql import Engine, QueryLimits, Result
from watchkeeper.promql.syntax import Expression
from watchkeeper.prove.motion import Phase
from watchkeeper.prove.source import SynthesisedSeries
from watchkeeper.prove.steady import Pace
from watchkeeper.rules.rule import RecordingRule

Bools = NDArray[np.bool_]
MOST_STEPS = 100_000
"""Of one query; a proof over a month asks for more than a page may."""


@dataclass(frozen=True)
class Recorded:
    """A recording rule below an alert, and how often it is evaluated for it."""

    rule: RecordingRule
    expression: Expression
    step_ms: int


@dataclass(frozen=True)
class Timing:
    """What a rule says about time, in milliseconds."""

    for_ms: int = 0
    keep_firing_for_ms: int = 0


@dataclass(frozen=True)
class Outcome:
    """What an expression gave at every evaluation, and which of its elements fired.

    Keys are label sets without the metric's name; arrays have one element an evaluation.
    """

    firing: Mapping[Labels, Bools] = field(default_factory=dict)
    values: Mapping[Labels, NDArray[np.float64]] = field(default_factory=dict)
    present: Mapping[Labels, Bools] = field(default_factory=dict)

    @property
    def fires(self) -> bool:
        """Whether anything fired at any time."""
        return bool(self.firing)

    def same_firing(self, other: Outcome) -> bool:
        """Whether the same alerts fire at the same evaluations."""
        return self.firing.keys() == other.firing.keys() and all(
            np.array_equal(row, other.firing[key]) for key, row in self.firing.items()
        )


class Timeline:
    """One set of series, evaluated at every step from the epoch on."""

    def __init__(
        self, phases: Sequence[Phase], pace: Pace, recorded: Sequence[Recorded], clock: Clock
    ) -> None:
        self.pace = pace
        self.source = SynthesisedSeries(phases, pace.sampling)
        self.engine = Engine(self.source, clock=clock, limits=QueryLimits(steps=MOST_STEPS))
        samples = sum(phase.samples for phase in phases)
        self.count = samples // pace.samples_a_step
        for one in recorded:
            self._record(one)

    @property
    def moments_ms(self) -> list[int]:
        """The moments of evaluation."""
        return [number * self.pace.step_ms for number in range(self.count)]

    def result(self, expression: Expression) -> Result:
        """Return what the engine gives at every moment. Raises QueryError."""
        step = self.pace.step_ms
        return self.engine.range(expression, 0, step * (self.count - 1), step)

    def outcome(self, expression: Expression, timing: Timing) -> Outcome:
        """Return what an alert on this expression does. Raises QueryError."""
        result = self.result(expression)
        firing: dict[Labels, Bools] = {}
        values: dict[Labels, NDArray[np.float64]] = {}
        present: dict[Labels, Bools] = {}
        for row, own in enumerate(result.labels):
            key = tuple(pair for pair in own if pair[0] != METRIC_NAME)
            there, seen = result.present[row], result.values[row]
            if key in present:
                seen = np.where(there, seen, values[key])
                there = there | present[key]
            present[key], values[key] = there, seen
        for key, there in present.items():
            fires = fired(there, timing, self.pace.step_ms)
            if fires.any():
                firing[key] = fires
        return Outcome(firing, values, present)

    def _record(self, one: Recorded) -> None:
        last = self.pace.step_ms * (self.count - 1)
        result = self.engine.range(one.expression, 0, last, one.step_ms)
        for own, times, values in recorded_series(one.rule, result):
            self.source.add(own, times, values)


def recorded_series(
    rule: RecordingRule, result: Result
) -> Iterator[tuple[Labels, NDArray[np.int64], NDArray[np.float64]]]:
    """Yield the series that a rule writes, with a stale marker wherever one vanishes."""
    for row, own in enumerate(result.labels):
        present = result.present[row]
        values = np.where(present, result.values[row], 0.0)
        ended = np.flatnonzero(present[:-1] & ~present[1:]) + 1
        values.view(np.int64)[ended] = STALE_BITS
        kept = present.copy()
        kept[ended] = True
        named = labels({**dict(own), **rule.labels, METRIC_NAME: rule.name})
        yield named, result.timestamps_ms[kept], values[kept]


def fired(present: Bools, timing: Timing, step_ms: int) -> Bools:
    """Return at which evaluations an alert fires whose expression holds at those in `present`."""
    places = np.arange(len(present))
    last_absent = np.maximum.accumulate(np.where(present, -1, places))
    held_ms = (places - last_absent - 1) * step_ms
    firing: Bools = present & (held_ms >= timing.for_ms)
    if timing.keep_firing_for_ms:
        firing = _kept(firing, present, timing.keep_firing_for_ms, step_ms)
    return firing


def _kept(firing: Bools, present: Bools, keep_ms: int, step_ms: int) -> Bools:
    kept = firing.copy()
    missing_since: int | None = None
    for place in range(1, len(kept)):
        if present[place]:
            missing_since = None
            kept[place] = firing[place] or kept[place - 1]
        elif kept[place - 1]:
            missing_since = place if missing_since is None else missing_since
            kept[place] = (place - missing_since) * step_ms < keep_ms
    return kept
