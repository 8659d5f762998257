"""What is proved: declared signals, rules, routes and dashboards, wherever they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.notify import AlertmanagerConfig
from watchkeeper.prove.declared import Declared
from watchkeeper.prove.recordings import Recordings
from watchkeeper.rules import RuleGroup
from watchkeeper.rules.rule import AlertingRule, RecordingRule


@dataclass(frozen=True)
class Subject:
    """Everything that a proof may look at. `dashboards` are Grafana's JSON by file name;
    `clock` limits how long a query may take, time itself is put in."""

    declared: Declared
    groups: tuple[RuleGroup, ...]
    routing: AlertmanagerConfig | None = None
    dashboards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scrape_interval_seconds: float = 15.0
    evaluation_interval_seconds: float = 15.0
    clock: Clock = field(default_factory=SystemClock)

    @property
    def recordings(self) -> Recordings:
        """Every recording rule, in the order of the groups."""
        return Recordings(
            (rule, self.interval_seconds(group))
            for group in self.groups
            for rule in group.rules
            if isinstance(rule, RecordingRule)
        )

    def alerts(self) -> Iterator[tuple[RuleGroup, AlertingRule]]:
        """Yield every alert with its group."""
        for group in self.groups:
            for rule in group.rules:
                if isinstance(rule, AlertingRule):
                    yield group, rule

    def interval_seconds(self, group: RuleGroup) -> float:
        """Return how often a group is evaluated."""
        return group.interval_seconds or self.evaluation_interval_seconds
