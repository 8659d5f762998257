"""A whole run: alerts, their deliveries, dashboards and the mutation score."""

from __future__ import annotations

from collections.abc import Callable, Collection

from watchkeeper.errors import ConfigError
from watchkeeper.prove.alert_proof import AlertProof, Standing, prove_alert
from watchkeeper.prove.delivery import Delivery, deliver
from watchkeeper.prove.panels import prove_dashboards
from watchkeeper.prove.report import Report
from watchkeeper.prove.score import score
from watchkeeper.prove.subject import Subject
from watchkeeper.prove.template_labels import missing_labels

LEAST_SCORE = 0.95


def prove(
    subject: Subject,
    *,
    names: Collection[str] = (),
    mutation: bool = True,
    least_score: float = LEAST_SCORE,
    cpu_seconds: Callable[[], float],
) -> Report:
    """Prove every alert of a subject, or those named, and all dashboards if none is named.

    `cpu_seconds` tells the time that was spent. Raises ConfigError for a name that no alert has.
    """
    known = {rule.name for _, rule in subject.alerts()}
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no alert {name!r}; the alerts: {', '.join(sorted(known))}")
    began = cpu_seconds()
    proofs = [
        prove_alert(subject, group, rule)
        for group, rule in subject.alerts()
        if not names or rule.name in names
    ]
    deliveries = [_delivery(subject, proof) for proof in proofs]
    shown = () if names else tuple(prove_dashboards(subject))
    proved = cpu_seconds()
    result = score(subject, proofs) if mutation else None
    return Report(
        tuple(proofs),
        tuple(deliveries),
        shown,
        result,
        least_score,
        proved - began,
        cpu_seconds() - proved,
    )


def _delivery(subject: Subject, proof: AlertProof) -> Delivery | None:
    if proof.standing is Standing.UNPROVED or proof.fired is None:
        return None
    missing = missing_labels(proof.rule, [labels for labels, _ in proof.fired.annotations])
    if subject.routing is None:
        return Delivery((), tuple(missing))
    delivered = deliver(subject.routing, proof.fired)
    return Delivery(delivered.notices, (*missing, *delivered.faults))
