"""An alert on something that is too low says nothing once it is gone: does another speak up?"""

from __future__ import annotations

from watchkeeper.model import MetricType
from watchkeeper.promql import parse
from watchkeeper.promql.syntax import Call, Expression
from watchkeeper.promql.walk import walk
from watchkeeper.prove.knobs import Flow, Level
from watchkeeper.prove.motion import Motion, Phase, Stream
from watchkeeper.prove.sets import SeriesSet, Sets
from watchkeeper.prove.setting import Setting, setting_of
from watchkeeper.prove.shape import selector_names
from watchkeeper.prove.subject import Subject
from watchkeeper.prove.synthesis import Way
from watchkeeper.prove.timeline import Timeline
from watchkeeper.rules.rule import AlertingRule

UP = "up"
MINUTES = 60


def silent_when_gone(
    subject: Subject, rule: AlertingRule, setting: Setting, sets: Sets, way: Way
) -> str:
    """Return why nobody is told when the series of a way vanish; empty if somebody is.

    Asked only where a way fires because something is low: a process that died shows no low
    number, it shows none.
    """
    crossing = way.crossing
    too_low = isinstance(crossing.knob, Level | Flow) and crossing.fires < max(crossing.silent)
    asks_for_more = isinstance(crossing.knob, Flow) and crossing.knob.companions
    names = {stream.name for stream in crossing.knob.streams}
    comparison = way.condition.comparison
    is_a_state = comparison is not None and comparison.operator == "==" and crossing.fires != 0
    if not too_low or asks_for_more or is_a_state or names == {UP}:
        return ""
    series = sets.vanished(way)
    timeline = Timeline(series.phases, setting.pace, setting.recorded, subject.clock)
    if timeline.outcome(setting.expression, setting.timing).fires:
        return ""
    if _somebody_speaks(subject, rule, series, names):
        return ""
    return (
        f"when the process dies {', '.join(sorted(names))} is gone, not low: this alert is silent"
        " then and no other fires; add `or absent(...)`, or an alert on `up == 0`"
    )


def _somebody_speaks(
    subject: Subject, rule: AlertingRule, series: SeriesSet, names: set[str]
) -> bool:
    for group, other in subject.alerts():
        if other is rule or not _watches(parse(other.expression), names):
            continue
        setting = setting_of(subject, group, other)
        timeline = Timeline(
            _dead(subject, series, setting), setting.pace, setting.recorded, subject.clock
        )
        if timeline.outcome(setting.expression, setting.timing).fires:
            return True
    return False


def _watches(expression: Expression, names: set[str]) -> bool:
    asked = selector_names(expression)
    if UP in asked:
        return True
    absences = any(
        isinstance(node, Call) and node.name.startswith("absent") for node in walk(expression)
    )
    return absences and bool(asked & names)


def _dead(subject: Subject, series: SeriesSet, setting: Setting) -> tuple[Phase, ...]:
    """Return the set with the targets answering, and then not any more."""
    targets = subject.declared.targets((), 1, 2)
    ups = [Stream(UP, MetricType.GAUGE, target.labels) for target in targets]
    steps = setting.pace.settling_steps + setting.timing.for_ms // setting.pace.step_ms + 3
    samples = steps * setting.pace.samples_a_step
    before, after = series.phases[0], series.phases[1]
    return (
        Phase({**before.state, **dict.fromkeys(ups, Motion(value=1.0))}, samples),
        Phase({**after.state, **dict.fromkeys(ups, Motion(value=0.0))}, samples),
    )
