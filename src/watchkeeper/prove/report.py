"""What was proved, as text for people and as data for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchkeeper.promql import format_duration_ms
from watchkeeper.prove.alert_proof import AlertProof, Standing
from watchkeeper.prove.delivery import Delivery
from watchkeeper.prove.panels import Shown
from watchkeeper.prove.score import Fate, Score, Trial


@dataclass(frozen=True)
class Report:
    """Everything that a run found. `score` is None where no mutants were made."""

    proofs: tuple[AlertProof, ...]
    deliveries: tuple[Delivery | None, ...]
    shown: tuple[Shown, ...] = ()
    score: Score | None = None
    least_score: float = 0.0
    proof_seconds: float = 0.0
    score_seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything was proved, told and shown, and enough mutants were noticed."""
        return (
            all(one.standing is not Standing.UNPROVED for one in self.proofs)
            and not any(one.faults for one in self.deliveries if one)
            and not any(one.fault for one in self.shown)
            and (self.score is None or self.score.share >= self.least_score)
        )


def as_text(report: Report) -> str:
    """Return one line an alert, then panels, then the score."""
    lines: list[str] = []
    for proof, delivery in zip(report.proofs, report.deliveries, strict=True):
        lines += _alert_lines(proof, delivery)
    lines += _panel_lines(report.shown)
    if report.score is not None:
        lines += _score_lines(report.score, report.least_score)
    lines.append(_summary(report))
    return "\n".join(lines) + "\n"


def _alert_lines(proof: AlertProof, delivery: Delivery | None) -> Iterator[str]:
    name = proof.rule.name
    match proof.standing:
        case Standing.PROVED:
            held = _duration(proof.rule.for_seconds)
            line = (
                f"{name}: fires {_duration(proof.active_after_seconds + proof.rule.for_seconds)}"
                f" after the fault ({held} after it first holds); silent with {proof.silent_at}"
            )
        case Standing.CONSTANT:
            line = f"{name}: always fires; no near miss can exist, for it asks for no series"
        case Standing.UNPROVED:
            line = f"{name}: UNPROVED"
    if delivery is not None and delivery.notices:
        line += f"; told to {', '.join(delivery.told)}"
    yield line
    for reason in proof.reasons:
        yield f"    {reason}"
    for fault in delivery.faults if delivery else ():
        yield f"    NOT TOLD AS IT SHOULD: {fault}"


def _panel_lines(shown: tuple[Shown, ...]) -> Iterator[str]:
    for dashboard in dict.fromkeys(one.dashboard for one in shown):
        own = [one for one in shown if one.dashboard == dashboard]
        empty = [one for one in own if one.fault]
        yield f"{dashboard}: {len(own) - len(empty)} of {len(own)} queries and variables have data"
        for one in empty:
            yield f"    {one.title}: {one.fault}"
            yield f"        {one.query}"


def _score_lines(score: Score, least: float) -> Iterator[str]:
    survived, equivalent = score.of(Fate.SURVIVED), score.of(Fate.EQUIVALENT)
    noticed = len(score.of(Fate.NOTICED))
    yield (
        f"mutation score: {score.share:.1%} ({noticed} of {noticed + len(survived)} slips noticed,"
        f" {least:.0%} wanted; {len(equivalent)} more mean the same)"
    )
    for one in survived:
        yield f"    not noticed: {one.rule}, {one.mutant}"
    for one in equivalent:
        yield f"    means the same: {one.rule}, {one.mutant}: {one.by}"


def _summary(report: Report) -> str:
    proved = sum(one.standing is Standing.PROVED for one in report.proofs)
    constant = sum(one.standing is Standing.CONSTANT for one in report.proofs)
    text = f"{proved} of {len(report.proofs)} alerts proved"
    if constant:
        text += f", {constant} always fires" if constant == 1 else f", {constant} always fire"
    times = f"{report.proof_seconds:.1f} s of CPU"
    if report.score is not None:
        times += f", mutation {report.score_seconds:.1f} s more"
    return f"{text} ({times})"


def as_json(report: Report) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "holds": report.holds,
        "alerts": [
            _alert(proof, delivery)
            for proof, delivery in zip(report.proofs, report.deliveries, strict=True)
        ],
        "panels": [
            {
                "dashboard": one.dashboard,
                "title": one.title,
                "query": one.query,
                "fault": one.fault,
            }
            for one in report.shown
        ],
        "mutation": _mutation(report.score),
        "seconds": {"proofs": report.proof_seconds, "mutation": report.score_seconds},
    }


def _alert(proof: AlertProof, delivery: Delivery | None) -> dict[str, Any]:
    return {
        "alert": proof.rule.name,
        "group": proof.group.name,
        "standing": proof.standing.value,
        "reasons": list(proof.reasons),
        "for_seconds": proof.rule.for_seconds,
        "active_after_seconds": proof.active_after_seconds,
        "sets": [
            {
                "purpose": one.series.purpose,
                "must": one.series.verdict.value,
                "fires": one.outcome.fires,
            }
            for one in proof.evidence
        ],
        "notices": [
            {
                "receiver": one.receiver,
                "way": one.way,
                "status": one.status,
                "after_seconds": one.after_seconds,
                "text": one.text,
            }
            for one in (delivery.notices if delivery else ())
        ],
        "faults": list(delivery.faults) if delivery else [],
    }


def _mutation(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None

    def listed(trials: list[Trial]) -> list[dict[str, Any]]:
        return [
            {
                "rule": one.rule,
                "kind": one.mutant.kind,
                "place": one.mutant.start,
                "before": one.mutant.before,
                "after": one.mutant.after,
                "reason": one.by,
            }
            for one in trials
        ]

    return {
        "score": score.share,
        "noticed": len(score.of(Fate.NOTICED)),
        "survived": listed(score.of(Fate.SURVIVED)),
        "equivalent": listed(score.of(Fate.EQUIVALENT)),
    }


def _duration(seconds: float) -> str:
    return format_duration_ms(round(seconds * 1000)) if seconds else "0s"
