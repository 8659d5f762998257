"""The proof of one alert: it fires after its `for`, and not for the nearest that must not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice

from watchkeeper.errors import ConfigError, QueryError
from watchkeeper.prove.crossing import relaxed
from watchkeeper.prove.evaluated import Evaluated, ProofError, confirm, evaluate
from watchkeeper.prove.motion import Phase
from watchkeeper.prove.outage import silent_when_gone
from watchkeeper.prove.sets import SeriesSet, Sets, Verdict
from watchkeeper.prove.setting import Setting, setting_of
from watchkeeper.prove.steady import Steady
from watchkeeper.prove.subject import Subject
from watchkeeper.prove.synthesis import Synthesis, Way, held_ways, synthesise
from watchkeeper.prove.timeline import Outcome, Timeline
from watchkeeper.prove.verdicts import broken, first_active, onset_step
from watchkeeper.rules import RuleGroup
from watchkeeper.rules.rule import AlertingRule

WIDENINGS = (1.0, 2.0, 5.0, 20.0)
"""How much further from the boundary the nearest sets may go where rounding blurs it."""
CONSTANT_STEPS = 8
KEPT_TIMELINES = 6
SLOW_MS = 7 * 86_400_000
"""Over ranges of more than a week only the nearest sets are put in."""


class Standing(StrEnum):
    """What is known of an alert."""

    PROVED = "proved"
    CONSTANT = "always fires"
    UNPROVED = "unproved"


@dataclass(frozen=True)
class Evidence:
    """A set of series and what the alert does over it."""

    series: SeriesSet
    outcome: Outcome


@dataclass(frozen=True)
class AlertProof:
    """What was shown of one alert, and what it was shown by.

    `active_after_seconds` is from the first sample of the fault to the evaluation at which the
    expression first holds; from there on it is the alert's `for`.
    """

    rule: AlertingRule
    group: RuleGroup
    standing: Standing
    reasons: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fired: Evaluated | None = None
    active_after_seconds: float = 0.0
    setting: Setting | None = field(default=None, repr=False)
    synthesis: Synthesis | None = field(default=None, repr=False)

    @property
    def silent_at(self) -> str:
        """The nearest set at which it stays silent, in words."""
        found = (one for one in self.evidence if one.series.verdict is Verdict.SILENT)
        first = next(found, None)
        return first.series.purpose if first else ""


def prove_alert(subject: Subject, group: RuleGroup, rule: AlertingRule) -> AlertProof:
    """Return the proof of an alert, or why there is none."""
    try:
        return _Prover(subject, group, rule).proof()
    except (QueryError, ConfigError, ProofError) as error:
        return AlertProof(rule, group, Standing.UNPROVED, (str(error),))


def further_evidence(subject: Subject, proof: AlertProof) -> tuple[Evidence, ...]:
    """Return all that tells an alert from a slip of it, the nearest sets of its proof first."""
    if proof.synthesis is None:
        return proof.evidence
    prover = _Prover(subject, proof.group, proof.rule)
    return tuple(_once([*proof.evidence, *prover.further(proof.synthesis)]))


class _Prover:
    def __init__(self, subject: Subject, group: RuleGroup, rule: AlertingRule) -> None:
        self._subject, self._group, self._rule = subject, group, rule
        self._setting = setting_of(subject, group, rule)
        self._steady = Steady(self._setting.steady_pace, subject.clock)
        self._timelines: deque[tuple[SeriesSet, Timeline]] = deque(maxlen=KEPT_TIMELINES)
        self._is_slow = self._setting.reach_ms > SLOW_MS

    def proof(self) -> AlertProof:
        setting = self._setting
        found = synthesise(
            setting.steady,
            setting.inlined,
            self._subject.declared,
            self._steady,
            sparse=bool(setting.recorded),
        )
        if found.is_constant:
            return self._constant()
        if found.missing or not found.ways:
            return self._unproved(found.missing)
        sets = Sets(found, setting, self._steady)
        ways: list[Way] = []
        evidence: list[Evidence] = []
        for way in found.ways:
            closer, seen = self._of_way(sets, way)
            ways.append(closer)
            evidence += seen
        reasons = [text for one in evidence if (text := broken(one.series, one.outcome, setting))]
        reasons += self._unheard(sets, ways)
        if reasons:
            return self._unproved(reasons)
        return self._proved(list(_once(evidence)), replace(found, ways=tuple(ways)))

    def further(self, found: Synthesis) -> Iterator[Evidence]:
        """Yield what the alert does over sets that differ in one thing from the nearest."""
        sets = Sets(found, self._setting, self._steady)
        if self._is_slow:
            return
        sets.is_brief = bool(self._setting.recorded) and len(found.ways) == 1
        for way in (*found.ways, *held_ways(found, self._steady)):
            for series in sets.alike(way):
                yield self._seen(series)
        for blocker in found.blockers:
            for series in sets.blocked(blocker):
                yield self._seen(series)

    def _of_way(self, sets: Sets, way: Way) -> tuple[Way, list[Evidence]]:
        """Return what the alert does over the sets of a way, as near to the boundary as can be."""
        nearest: list[Evidence] = []
        for widening in WIDENINGS:
            closer = way
            if widening > 1:
                closer = replace(way, crossing=relaxed(way.crossing, widening))
            nearest = self._near(sets, closer)
            if not any(broken(one.series, one.outcome, self._setting) for one in nearest):
                return closer, nearest
        return way, nearest

    def _near(self, sets: Sets, way: Way) -> list[Evidence]:
        """Return the nearest sets of a way, over little history if that is enough."""
        for brief in (True, False) if self._setting.recorded else (False,):
            sets.is_brief = brief
            seen = [self._seen(one) for one in self._chosen(sets.nearest(way))]
            if not any(broken(one.series, one.outcome, self._setting) for one in seen):
                break
        return seen

    def _chosen(self, nearest: Iterable[SeriesSet]) -> list[SeriesSet]:
        return list(islice(nearest, 2 if self._is_slow else None))

    def _proved(self, evidence: list[Evidence], found: Synthesis) -> AlertProof:
        setting = self._setting
        fires = next(one for one in evidence if one.series.verdict is Verdict.FIRES)
        silent = next((one for one in evidence if one.series.verdict is Verdict.SILENT), None)
        fired = self._by_the_evaluator(fires)
        if silent is not None and not self._is_slow:
            self._by_the_evaluator(silent)
        active, _ = first_active(fires.outcome)
        sampling = setting.pace.sampling
        began_ms = fires.series.onset_sample * sampling.gap_ms + sampling.offset_ms
        return AlertProof(
            self._rule,
            self._group,
            Standing.PROVED,
            evidence=tuple(evidence),
            fired=fired,
            active_after_seconds=max(0, active * setting.pace.step_ms - began_ms) / 1000,
            setting=setting,
            synthesis=found,
        )

    def _seen(self, series: SeriesSet) -> Evidence:
        return Evidence(
            series, self._timeline(series).outcome(self._setting.expression, self._setting.timing)
        )

    def _timeline(self, series: SeriesSet) -> Timeline:
        """Return the timeline over a set; the last few are kept, for the evaluator asks again."""
        for known, timeline in self._timelines:
            if known is series:
                return timeline
        setting = self._setting
        timeline = Timeline(series.phases, setting.pace, setting.recorded, self._subject.clock)
        self._timelines.append((series, timeline))
        return timeline

    def _by_the_evaluator(self, evidence: Evidence) -> Evaluated:
        """Hold what was worked out on arrays against the real evaluator. Raises ProofError."""
        setting = self._setting
        timeline = self._timeline(evidence.series)
        done = evaluate(self._rule, setting.expression, timeline, self._subject.clock)
        rows = list(evidence.outcome.firing.values())
        for number, firing in enumerate(done.firing):
            expected = sum(bool(row[number]) for row in rows)
            if len(firing) != expected:
                raise ProofError(
                    f"evaluation {number}: the evaluator fires {len(firing)} alerts, not {expected}"
                )
        if rows:
            active, fired = first_active(evidence.outcome)
            waited = (fired - active) * setting.pace.step_ms
            if (
                waited != setting.timing.for_ms
                and setting.timing.for_ms % setting.pace.step_ms == 0
            ):
                raise ProofError(f"it fires after {waited / 1000:g} s, not after its `for`")
            numbers = {active - 1, active, fired - 1, fired}
        else:
            numbers = {onset_step(evidence.series, setting)}
        confirm(self._rule, setting.expression, timeline, sorted(numbers))
        return done

    def _constant(self) -> AlertProof:
        """Return the proof of an alert that asks for no series: it always fires, or never."""
        setting = self._setting
        still = SeriesSet("nothing happens", Verdict.FIRES, _still(setting))
        evidence = self._seen(still)
        if not evidence.outcome.fires:
            return self._unproved(["it asks for no series, and does not hold: nothing fires it"])
        fired = self._by_the_evaluator(evidence)
        return AlertProof(
            self._rule,
            self._group,
            Standing.CONSTANT,
            evidence=(evidence,),
            fired=fired,
            setting=setting,
        )

    def _unheard(self, sets: Sets, ways: list[Way]) -> list[str]:
        return [
            reason
            for way in ways
            if (reason := silent_when_gone(self._subject, self._rule, self._setting, sets, way))
        ]

    def _unproved(self, reasons: Iterable[str]) -> AlertProof:
        return AlertProof(
            self._rule,
            self._group,
            Standing.UNPROVED,
            tuple(dict.fromkeys(reasons)) or ("nothing that is declared makes it hold",),
            setting=self._setting,
        )


def _once(evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    """Yield every set of series once."""
    seen = set()
    for one in evidence:
        key = tuple(
            (frozenset(phase.state.items()), phase.samples, phase.restarts)
            for phase in one.series.phases
        )
        if key not in seen:
            seen.add(key)
            yield one


def _still(setting: Setting) -> tuple[Phase, ...]:
    """Return phases in which there is no series at all."""
    held = -(-setting.timing.for_ms // setting.pace.step_ms)
    return (Phase({}, (CONSTANT_STEPS + held) * setting.pace.samples_a_step),)
