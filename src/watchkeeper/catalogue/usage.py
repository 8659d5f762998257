"""Which alerts, objectives and panels use a metric, through recording rules too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from watchkeeper.contract import Alert, Contract, Panel, RecordingRule
from watchkeeper.promql import parse, selectors


@dataclass(slots=True)
class Usage:
    """Names of what uses one metric, in the order of the contract."""

    alerts: list[str] = field(default_factory=list)
    objectives: list[str] = field(default_factory=list)
    panels: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing uses it."""
        return not (self.alerts or self.objectives or self.panels)


def usages(contract: Contract) -> dict[str, Usage]:
    """Return what uses each declared metric, by its name."""
    reads = _Reads(contract)
    found: dict[str, Usage] = {metric.name: Usage() for metric in contract.signals.metrics}
    generated = _generated_alerts(contract)
    for alert in contract.alerts:
        if alert.name not in generated:
            for metric in reads.metrics(alert.expression):
                found[metric].alerts.append(alert.name)
    for slo in contract.slos:
        for one in slo.indicator.metrics:
            found[one.name].objectives.append(f"SLO {slo.name}")
    for budget in contract.budgets:
        found[budget.cost.metric.name].objectives.append(f"budget {budget.name}")
    for name, panel in _panels(contract):
        expressions = [query.expression for query in panel.queries]
        for metric in dict.fromkeys(chain.from_iterable(map(reads.metrics, expressions))):
            found[metric].panels.append(name)
    return found


def _panels(contract: Contract) -> Iterator[tuple[str, Panel]]:
    """Yield panels and their names; those of objectives are named with them."""
    for dashboard in contract.dashboards:
        if dashboard.uid != f"{contract.service}-objectives":
            for row in dashboard.rows:
                for panel in row.panels:
                    yield f"{dashboard.title} / {panel.title}", panel


def _generated_alerts(contract: Contract) -> set[str]:
    """Return the alerts that SLOs and budgets stand for: those are named themselves."""
    prefixes = ("slo-", "budget-")
    return {
        rule.name
        for group in contract.rule_groups
        if group.name.startswith(prefixes)
        for rule in group.rules
        if isinstance(rule, Alert)
    }


class _Reads:
    """Tells which declared metrics an expression reads, recorded series resolved."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._recorded: dict[str, list[str]] = defaultdict(list)
        for group in contract.rule_groups:
            for rule in group.rules:
                if isinstance(rule, RecordingRule):
                    self._recorded[rule.name].append(rule.expression)

    def metrics(self, expression: str) -> list[str]:
        """Return the names of the declared metrics, each once."""
        return list(dict.fromkeys(self._walk(expression, frozenset())))

    def _walk(self, expression: str, above: frozenset[str]) -> Iterator[str]:
        for selector in selectors(parse(expression)):
            metric = self._contract.metric_of_sample(selector.name)
            if metric is not None:
                yield metric.name
            elif selector.name not in above:
                for recorded in self._recorded.get(selector.name, ()):
                    yield from self._walk(recorded, above | {selector.name})
