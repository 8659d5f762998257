"""The mutation score: the share of slips in a rule that its proof would notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.errors import QueryError
from watchkeeper.prove.alert_proof import AlertProof, Standing, further_evidence
from watchkeeper.prove.equivalence import why_equivalent
from watchkeeper.prove.messages import Messages
from watchkeeper.prove.mutants import Mutant, mutants_of, timing_mutants
from watchkeeper.prove.setting import Setting
from watchkeeper.prove.subject import Subject
from watchkeeper.prove.timeline import Outcome, Timeline


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


def score(subject: Subject, proofs: list[AlertProof]) -> Score:
    """Return how the proofs fare against every mutant of the rules that they are about."""
    trials = [
        trial
        for proof in proofs
        if proof.standing is not Standing.UNPROVED
        for trial in _Trials(subject, proof).of_the_alert()
    ]
    return Score(tuple(trials))


class _Trials:
    def __init__(self, subject: Subject, proof: AlertProof) -> None:
        assert proof.setting is not None
        self._subject, self._proof = subject, proof
        self._evidence = further_evidence(subject, proof)
        self._setting: Setting = proof.setting
        self._timelines: dict[int, Timeline] = {}

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
        for number, one in enumerate(self._evidence):
            try:
                outcome = self._timeline(number).outcome(mutant.expression, timing)
            except QueryError as error:
                return f"the engine: {error}"
            if not outcome.same_firing(one.outcome):
                return one.series.purpose
            if self._reads_otherwise(one.outcome, outcome):
                return f"the message, {one.series.purpose}"
        return ""

    def _reads_otherwise(self, before: Outcome, after: Outcome) -> bool:
        return Messages(self._proof.rule).of(before) != Messages(self._proof.rule).of(after)

    def _timeline(self, number: int) -> Timeline:
        found = self._timelines.get(number)
        if found is None:
            series = self._evidence[number].series
            found = self._timelines[number] = Timeline(
                series.phases, self._setting.pace, self._setting.recorded, self._subject.clock
            )
        return found
