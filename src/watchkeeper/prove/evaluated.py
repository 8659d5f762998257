"""The real rules evaluator over a set of series: what it says is what is proved.

The engine's answers are those of one query over all moments; at the moments that decide, the
engine is asked once more for that moment alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from watchkeeper.clock import Clock
from watchkeeper.errors import WatchkeeperError
from watchkeeper.model import FiringAlert, Labels
from watchkeeper.ports import VectorSample
from watchkeeper.promql import Result
from watchkeeper.promql.syntax import Expression
from watchkeeper.prove.timeline import Timeline
from watchkeeper.rules import AlertState, EvaluationSettings, Evaluator, RuleGroup
from watchkeeper.rules.rule import AlertingRule


class ProofError(WatchkeeperError):
    """What was to be proved is not so; the message says what is so instead."""


@dataclass(frozen=True)
class Told:
    """Alerts as the evaluator handed them on at one moment."""

    at_ms: int
    alerts: tuple[FiringAlert, ...]


@dataclass(frozen=True)
class Evaluated:
    """What the evaluator did: at every evaluation the pending and the firing alerts."""

    moments_ms: tuple[int, ...]
    pending: tuple[frozenset[Labels], ...]
    firing: tuple[frozenset[Labels], ...]
    annotations: tuple[tuple[Labels, Labels], ...]
    texts: tuple[tuple[tuple[Labels, Labels], ...], ...]
    told: tuple[Told, ...]

    @property
    def first_firing(self) -> int | None:
        """The number of the first evaluation at which an alert fires."""
        return next((number for number, one in enumerate(self.firing) if one), None)


def evaluate(
    rule: AlertingRule,
    expression: Expression,
    timeline: Timeline,
    clock: Clock,
    *,
    annotate: bool = False,
) -> Evaluated:
    """Let the evaluator see every moment of a timeline. Raises ProofError where it fails.

    With `annotate` the texts of every moment are kept, not only those of the first that fires.
    """
    replay = _Replay(rule.expression, timeline.result(expression), timeline)
    told: list[Told] = []
    group = RuleGroup(
        name="proof", file="", rules=(rule,), interval_seconds=timeline.pace.step_ms / 1000
    )
    evaluator = Evaluator(
        (group,),
        replay,
        timeline.source,
        _Listener(told, replay),
        clock=clock,
        settings=EvaluationSettings(),
    )
    pending: list[frozenset[Labels]] = []
    firing: list[frozenset[Labels]] = []
    annotations: tuple[tuple[Labels, Labels], ...] = ()
    texts: list[tuple[tuple[Labels, Labels], ...]] = []
    for number, moment_ms in enumerate(timeline.moments_ms):
        replay.number = number
        evaluator.evaluate_group(group, moment_ms * 1_000_000)
        (state,) = evaluator.groups()[0].rules
        if state.last_error:
            raise ProofError(f"the rule fails: {state.last_error}")
        pending.append(
            frozenset(one.labels for one in state.alerts if one.state is AlertState.PENDING)
        )
        firing.append(
            frozenset(one.labels for one in state.alerts if one.state is AlertState.FIRING)
        )
        if firing[-1] and (annotate or not annotations):
            now = tuple(
                (one.labels, one.annotations)
                for one in state.alerts
                if one.state is AlertState.FIRING
            )
            annotations = annotations or now
            texts.append(now)
        else:
            texts.append(())
    return Evaluated(
        tuple(timeline.moments_ms),
        tuple(pending),
        tuple(firing),
        annotations,
        tuple(texts),
        tuple(told),
    )


def confirm(
    rule: AlertingRule, expression: Expression, timeline: Timeline, numbers: Iterable[int]
) -> None:
    """Ask the engine for single moments; ProofError where it differs from what was replayed."""
    result = timeline.result(expression)
    for number in numbers:
        if 0 <= number < timeline.count:
            moment_ms = timeline.moments_ms[number]
            alone = timeline.engine.vector(rule.expression, moment_ms)
            together = _column(result, number)
            if {one.labels for one in alone} != {one.labels for one in together}:
                raise ProofError(
                    f"the engine gives {len(alone)} elements at {moment_ms / 1000:g} s asked alone"
                    f" and {len(together)} asked over a range"
                )


class _Replay:
    """Answers the rule's own expression from one result, and others from the engine."""

    def __init__(self, expression: str, result: Result, timeline: Timeline) -> None:
        self._expression = expression
        self._result = result
        self._engine = timeline.engine
        self.number = 0
        self.moments_ms = timeline.moments_ms

    def vector(self, expression: str, timestamp_ms: int) -> list[VectorSample]:
        """Return the instant vector (ports.Querier)."""
        if expression != self._expression:
            return self._engine.vector(expression, timestamp_ms)
        return _column(self._result, self.number)


class _Listener:
    """Keeps what the evaluator hands on (ports.AlertSink)."""

    def __init__(self, told: list[Told], replay: _Replay) -> None:
        self._told = told
        self._replay = replay

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        """Keep alerts."""
        self._told.append(Told(self._replay.moments_ms[self._replay.number], tuple(alerts)))


def _column(result: Result, number: int) -> list[VectorSample]:
    present = result.present[:, number].tolist()
    values = result.values[:, number].tolist()
    return [
        VectorSample(own, value)
        for own, value, there in zip(result.labels, values, present, strict=True)
        if there
    ]
