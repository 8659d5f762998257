"""What an expression comes to once a state has lasted for long enough: many states at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchkeeper.clock import Clock
from watchkeeper.model import METRIC_NAME, Labels
from watchkeeper.promql import Engine, Result
from watchkeeper.promql.syntax import Expression
from watchkeeper.prove.motion import Phase, Sampling, State
from watchkeeper.prove.source import SynthesisedSeries

Values = dict[Labels, float]
"""An instant vector without metric names; NaN where the result is NaN."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a proof goes through time: samples every `sampling.gap_ms`, rules every `step_ms`.

    A step is a whole number of gaps. After `settling` samples no range reaches back any more.
    """

    sampling: Sampling
    step_ms: int
    settling: int

    @property
    def samples_a_step(self) -> int:
        """How many samples are taken between two evaluations."""
        return self.step_ms // self.sampling.gap_ms

    @property
    def settling_steps(self) -> int:
        """How many steps of rules `settling` is."""
        return -(-self.settling // self.samples_a_step)


class Steady:
    """Asks the engine about states: each lasts until every range holds nothing else."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock

    @property
    def length(self) -> int:
        """How many samples a state lasts."""
        return (self._pace.settling_steps + 1) * self._pace.samples_a_step

    def values(
        self, expressions: Sequence[Expression], states: Sequence[State]
    ) -> list[list[Values]]:
        """Return what each expression gives in each state: one list an expression."""
        pace = self._pace
        length = self.length
        phases = [Phase(state, length) for state in states]
        engine = Engine(SynthesisedSeries(phases, pace.sampling), clock=self._clock)
        step = length * pace.sampling.gap_ms
        first = step - pace.step_ms
        last = first + step * (len(states) - 1)
        return [_columns(engine.range(one, first, last, step), len(states)) for one in expressions]


def _columns(result: Result, count: int) -> list[Values]:
    found: list[Values] = [{} for _ in range(count)]
    for row, column in np.argwhere(result.present).tolist():
        bare = tuple(pair for pair in result.labels[row] if pair[0] != METRIC_NAME)
        found[column][bare] = float(result.values[row, column])
    return found
