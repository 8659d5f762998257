"""An alert on recorded series, with those put in as they stand: what it makes of its own inputs.

Through recording rules a ratio seldom meets a threshold exactly; put in, it does.
"""

from __future__ import annotations

from dataclasses import replace

from watchkeeper.contract import Gauge, Label
from watchkeeper.promql import selectors
from watchkeeper.prove.alert_proof import AlertProof, prove_alert
from watchkeeper.prove.subject import Subject
from watchkeeper.rules.rule import RecordingRule


def proof_as_recorded(subject: Subject, proof: AlertProof) -> tuple[Subject, AlertProof]:
    """Return the proof of an alert to which recorded series are gauges, and what it is of."""
    assert proof.setting is not None
    read = {one.metric_name for one in selectors(proof.setting.expression)}
    gauges: dict[str, dict[str, dict[str, None]]] = {}
    for group in subject.groups:
        for rule in group.rules:
            if isinstance(rule, RecordingRule) and rule.name in read:
                labels = gauges.setdefault(rule.name, {})
                for name, value in rule.labels.items():
                    labels.setdefault(name, {})[value] = None
    metrics = {
        name: Gauge(
            name=name,
            help="What a rule recorded.",
            labels=tuple(
                Label(label, values=tuple(values))
                for label, values in labels.items()
                if label != "service"
            ),
        )
        for name, labels in gauges.items()
    }
    declared = replace(subject.declared, metrics={**subject.declared.metrics, **metrics})
    group = replace(proof.group, rules=(proof.rule,))
    alone = replace(subject, declared=declared, groups=(group,))
    return alone, prove_alert(alone, group, proof.rule)
