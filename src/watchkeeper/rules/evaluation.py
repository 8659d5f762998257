"""One evaluation of one rule: what it gives, and what state it leaves behind."""

from __future__ import annotations

from typing import Protocol

from watchkeeper.errors import QueryError
from watchkeeper.model import METRIC_NAME, Labels, labels
from watchkeeper.ports import VectorSample
from watchkeeper.rules.active_alert import ActiveAlert
from watchkeeper.rules.expansion import Surroundings, expand
from watchkeeper.rules.rule import AlertingRule, RecordingRule
from watchkeeper.rules.sample_rows import Rows, alert_rows
from watchkeeper.rules.snapshot import AlertState, Health, RuleSnapshot


class RuleState(Protocol):
    """A rule and what is remembered of it between evaluations."""

    health: Health
    last_error: str
    last_evaluation_ns: int
    evaluation_seconds: float

    def evaluate(self, now_ns: int, limit: int) -> Rows:
        """Return the samples of this moment. Raises QueryError and leaves the state as it was."""
        ...

    def alerts(self) -> list[ActiveAlert]:
        """Return the alerts that are remembered, resolved ones too."""
        ...

    def snapshot(self) -> RuleSnapshot:
        """Return the rule as it stands."""
        ...


class RecordingState:
    """A recording rule between evaluations."""

    def __init__(self, rule: RecordingRule, surroundings: Surroundings) -> None:
        self.rule = rule
        self.health = Health.UNKNOWN
        self.last_error = ""
        self.last_evaluation_ns = 0
        self.evaluation_seconds = 0.0
        self._querier = surroundings.querier

    def evaluate(self, now_ns: int, limit: int) -> Rows:
        vector = self._querier.vector(self.rule.expression, now_ns // 1_000_000)
        _require_within(limit, len(vector))
        rows: Rows = {}
        for sample in vector:
            own = {**dict(sample.labels), **self.rule.labels, METRIC_NAME: self.rule.name}
            series = labels(own)
            if series in rows:
                raise QueryError(
                    "two results have the same labels once the rule's labels are set: "
                    "aggregate, or keep the label that tells them apart"
                )
            rows[series] = sample.value if sample.histogram is None else sample.histogram
        return rows

    def alerts(self) -> list[ActiveAlert]:
        return []

    def snapshot(self) -> RuleSnapshot:
        return RuleSnapshot(
            kind="recording",
            name=self.rule.name,
            expression=self.rule.expression,
            for_seconds=0,
            keep_firing_for_seconds=0,
            labels=self.rule.labels,
            annotations={},
            state=AlertState.INACTIVE,
            health=self.health,
            last_error=self.last_error,
            last_evaluation_ns=self.last_evaluation_ns,
            evaluation_seconds=self.evaluation_seconds,
            alerts=(),
        )


class AlertingState:
    """An alerting rule between evaluations: its alerts by label set."""

    def __init__(self, rule: AlertingRule, surroundings: Surroundings) -> None:
        self.rule = rule
        self.health = Health.UNKNOWN
        self.last_error = ""
        self.last_evaluation_ns = 0
        self.evaluation_seconds = 0.0
        self._surroundings = surroundings
        self._alerts: dict[Labels, ActiveAlert] = {}

    def evaluate(self, now_ns: int, limit: int) -> Rows:
        querier = self._surroundings.querier
        vector = querier.vector(self.rule.expression, now_ns // 1_000_000)
        _require_within(limit, len(vector))
        self._advance(self._expanded(vector, now_ns), now_ns)
        return alert_rows(self._alerts.values())

    def adopt(self, alerts: list[ActiveAlert]) -> None:
        """Take over alerts that an earlier process had, before the first evaluation."""
        self._alerts.update((alert.labels, alert) for alert in alerts)

    def alerts(self) -> list[ActiveAlert]:
        return list(self._alerts.values())

    def _expanded(
        self, vector: list[VectorSample], now_ns: int
    ) -> dict[Labels, tuple[Labels, float]]:
        functions = self._surroundings.functions(now_ns)
        found: dict[Labels, tuple[Labels, float]] = {}
        for sample in vector:
            label_set, annotations = expand(self.rule, sample, self._surroundings, functions)
            if label_set in found:
                raise QueryError(
                    "two results become the same alert once the rule's labels are set: "
                    "keep the label that tells them apart"
                )
            found[label_set] = (annotations, sample.value)
        return found

    def _advance(self, found: dict[Labels, tuple[Labels, float]], now_ns: int) -> None:
        for label_set, (texts, value) in found.items():
            alert = self._alerts.get(label_set)
            if alert is None or not alert.is_active:
                alert = ActiveAlert(label_set, texts, value, active_at_ns=now_ns)
                self._alerts[label_set] = alert
            alert.seen(texts, value, now_ns, round(self.rule.for_seconds * 1e9))
        for label_set, alert in list(self._alerts.items()):
            if label_set not in found:
                alert.missing(now_ns, round(self.rule.keep_firing_for_seconds * 1e9))
                if alert.is_over(now_ns):
                    del self._alerts[label_set]

    def snapshot(self) -> RuleSnapshot:
        alerts = [alert.snapshot() for alert in self._alerts.values() if alert.is_active]
        states = {alert.state for alert in alerts}
        worst = next(
            (state for state in (AlertState.FIRING, AlertState.PENDING) if state in states),
            AlertState.INACTIVE,
        )
        return RuleSnapshot(
            kind="alerting",
            name=self.rule.name,
            expression=self.rule.expression,
            for_seconds=self.rule.for_seconds,
            keep_firing_for_seconds=self.rule.keep_firing_for_seconds,
            labels={name: template.source for name, template in self.rule.labels.items()},
            annotations={name: template.source for name, template in self.rule.annotations.items()},
            state=worst,
            health=self.health,
            last_error=self.last_error,
            last_evaluation_ns=self.last_evaluation_ns,
            evaluation_seconds=self.evaluation_seconds,
            alerts=tuple(sorted(alerts, key=lambda alert: alert.labels)),
        )


def _require_within(limit: int, count: int) -> None:
    if limit and count > limit:
        raise QueryError(f"{count} results, but the group's limit is {limit}")
