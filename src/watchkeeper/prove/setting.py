"""How one alert is evaluated: its expression, what it reads, and at which pace."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.promql import parse
from watchkeeper.promql.syntax import Expression
from watchkeeper.prove.pace import LONG_MS, pace_of, settled, steps_of
from watchkeeper.prove.shape import reach_ms
from watchkeeper.prove.steady import Pace
from watchkeeper.prove.subject import Subject
from watchkeeper.prove.timeline import Recorded, Timing
from watchkeeper.rules import RuleGroup
from watchkeeper.rules.rule import AlertingRule


@dataclass(frozen=True)
class Setting:
    """What the evaluation of one alert needs.

    `inlined` has no recorded series any more; `steady` neither, and means the same while
    nothing moves, at `steady_pace`.
    """

    expression: Expression
    inlined: Expression
    steady: Expression
    recorded: tuple[Recorded, ...]
    pace: Pace
    steady_pace: Pace
    timing: Timing

    @property
    def reach_ms(self) -> int:
        """How far back the alert looks, through everything that is recorded."""
        return reach_ms(self.inlined)


def setting_of(subject: Subject, group: RuleGroup, rule: AlertingRule) -> Setting:
    """Return how an alert is evaluated. Raises QueryError, ConfigError."""
    expression = parse(rule.expression)
    recordings = subject.recordings
    recorded = recordings.needed(expression)
    interval_ms = round(subject.interval_seconds(group) * 1000)
    inlined = recordings.inlined(expression)
    timing = Timing(round(rule.for_seconds * 1000), round(rule.keep_firing_for_seconds * 1000))
    pace = pace_of(
        expression,
        inlined,
        recorded,
        scrape_ms=round(subject.scrape_interval_seconds * 1000),
        interval_ms=interval_ms,
        for_ms=timing.for_ms,
    )
    steady = recordings.inlined(expression, short=True)
    steady_pace = settled(Pace(pace.sampling, pace.sampling.gap_ms, 0), reach_ms(steady))
    if reach_ms(inlined) <= LONG_MS:
        steady_pace = settled(pace, reach_ms(steady))
    steps = steps_of(expression, recorded, pace.step_ms, interval_ms)
    written = [
        Recorded(rule, body, step) for (rule, body), step in zip(recorded, steps, strict=True)
    ]
    return Setting(expression, inlined, steady, tuple(written), pace, steady_pace, timing)
