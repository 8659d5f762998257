"""The mutation score: the share of slips in a rule that its proof would notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.errors import QueryError
from watchkeeper.prove.alert_proof import AlertProof, Standing, further_evidence
from watchkeeper.prove.as_recorded import proof_as_recorded
from watchkeeper.prove.equivalence import why_equivalent
from watchkeeper.prove.messages import Messages
from watchkeeper.prove.mutants import Mutant, mutants_of, timing_mutants
from watchkeeper.prove.setting import Setting
from watchkeeper.prove.subject import Subject
from watchkeeper.prove.timeline import Outcome, Recorded, Timeline


class Fate(StrEnum):
    """What became of a mutant."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True)
class Trial:
    """A mutant of the rule `rule`, what became of it, and by which set or for which reason."""

    rule: str
    mutant: Mutant
    fate: Fate
    by: str = ""


@dataclass(frozen=True)
class Score:
    """All trials of a subject."""

    trials: tuple[Trial, ...]

    def of(self, fate: Fate) -> list[Trial]:
        """Return the trials with one fate."""
        return [one for one in self.trials if one.fate is fate]

    @property
    def share(self) -> float:
        """The share that was noticed of those that mean something else, 0 to 1."""
        noticed, survived = len(self.of(Fate.NOTICED)), len(self.of(Fate.SURVIVED))
        return noticed / (noticed + survived) if noticed + survived else 1.0


def score(subject: Subject, proofs: Sequence[AlertProof]) -> Score:
    """Return how the proofs fare against every mutant of the rules that they are about."""
    able = [one for one in proofs if one.standing is not Standing.UNPROVED]
    trials = [trial for proof in able for trial in _Trials(subject, proof, able).of_the_alert()]
    return Score(tuple(trials))


@dataclass(frozen=True)
class _Witness:
    """A set of series, the timeline over it, and what the alert itself does there."""

    purpose: str
    timeline: Timeline
    outcome: Outcome


class _Trials:
    def __init__(self, subject: Subject, proof: AlertProof, proofs: Sequence[AlertProof]) -> None:
        assert proof.setting is not None
        self._subject, self._proof = subject, proof
        self._setting: Setting = proof.setting
        self._witnesses = [*_witnesses(subject, proof), *self._of_kin(proofs)]
        if self._setting.recorded:
            self._witnesses += _witnesses(*proof_as_recorded(subject, proof))

    def _of_kin(self, proofs: Sequence[AlertProof]) -> Iterator[_Witness]:
        """Yield what the alert does while one fires that reads series of the same names."""
        names = {one.rule.name for one in self._setting.recorded}
        for other in proofs:
            theirs = other.setting
            if other is self._proof or theirs is None or not other.evidence:
                continue
            if names & {one.rule.name for one in theirs.recorded}:
                recorded = [*theirs.recorded, *self._setting.recorded]
                timeline = Timeline(
                    other.evidence[0].series.phases,
                    theirs.pace,
                    _ordered(recorded),
                    self._subject.clock,
                )
                outcome = timeline.outcome(self._setting.expression, self._setting.timing)
                yield _Witness(f"{other.rule.name} fires", timeline, outcome)
                return

    def of_the_alert(self) -> Iterator[Trial]:
        setting = self._setting
        every = [
            *mutants_of(setting.expression, self._subject.declared),
            *timing_mutants(setting.expression, setting.timing, setting.pace.step_ms),
        ]
        for mutant in every:
            yield self._trial(self._proof.rule.name, mutant)

    def _trial(self, name: str, mutant: Mutant) -> Trial:
        by = self._noticed_by(mutant)
        if by:
            return Trial(name, mutant, Fate.NOTICED, by)
        reason = ""
        if mutant.timing is None:
            reason = why_equivalent(
                self._setting.expression, mutant.expression, self._subject.declared
            )
        return Trial(name, mutant, Fate.EQUIVALENT if reason else Fate.SURVIVED, reason)

    def _noticed_by(self, mutant: Mutant) -> str:
        """Return the purpose of the first set over which the mutant does something else."""
        timing = mutant.timing or self._setting.timing
        for one in self._witnesses:
            try:
                outcome = one.timeline.outcome(mutant.expression, timing)
            except QueryError as error:
                return f"the engine: {error}"
            if not outcome.same_firing(one.outcome):
                return one.purpose
            if self._reads_otherwise(one.outcome, outcome):
                return f"the message, {one.purpose}"
        return ""

    def _reads_otherwise(self, before: Outcome, after: Outcome) -> bool:
        return Messages(self._proof.rule).of(before) != Messages(self._proof.rule).of(after)


def _witnesses(subject: Subject, proof: AlertProof) -> Iterator[_Witness]:
    """Yield every set that tells an alert from a slip of it."""
    setting = proof.setting
    if setting is None:
        return
    for one in further_evidence(subject, proof):
        timeline = Timeline(one.series.phases, setting.pace, setting.recorded, subject.clock)
        yield _Witness(one.series.purpose, timeline, one.outcome)


def _ordered(recorded: Iterable[Recorded]) -> list[Recorded]:
    """Return rules of two alerts, each rule once, at the shorter of its steps."""
    found: dict[int, Recorded] = {}
    for one in recorded:
        known = found.get(id(one.rule))
        if known is None or one.step_ms < known.step_ms:
            found[id(one.rule)] = one
    return list(found.values())
