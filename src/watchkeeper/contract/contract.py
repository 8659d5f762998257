"""The contract: everything one service promises about its telemetry, in one object."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from watchkeeper.contract.alert import Alert, RuleGroup
from watchkeeper.contract.cost_budget import CostBudget
from watchkeeper.contract.dashboard import Dashboard
from watchkeeper.contract.drill import Drill
from watchkeeper.contract.event import LogEvent
from watchkeeper.contract.metric import Metric
from watchkeeper.contract.part import Part
from watchkeeper.contract.routing import Notifications
from watchkeeper.contract.runbook import Runbook
from watchkeeper.contract.signals import NO_SIGNALS, Signals
from watchkeeper.contract.slo import SLO
from watchkeeper.contract.written_out import written_out
from watchkeeper.errors import ContractError

TARGET = re.compile(r"[^\s/:]+:\d+\Z|\[[0-9a-fA-F:]+\]:\d+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeJob:
    """Targets that Prometheus scrapes under one `job` label (`host:port` each)."""

    name: str
    targets: tuple[str, ...]
    metrics_path: str = "/metrics"
    interval_seconds: float = 0

    def __post_init__(self) -> None:
        if not self.targets:
            raise ContractError(f"scrape job {self.name}: has no target")
        for target in self.targets:
            if not TARGET.match(target):
                raise ContractError(
                    f"scrape job {self.name}: {target!r} is no target; write it as host:port"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a service emits, when somebody is told, and what they look at.

    `log_retention_days` is how long log lines are kept, `trace_sampling_ratio` the share of traces
    that is recorded whatever becomes of them. `owner` is a label of every alert: whose it is.

    What `parts`, `slos` and `budgets` stand for is added to `signals`, `rule_groups`, `runbooks`
    and `dashboards` on construction: whoever reads a contract finds every signal and every rule
    in one place. Raises ContractError when two declarations contradict each other.
    """

    service: str
    version: str
    signals: Signals = NO_SIGNALS
    owner: str = ""
    parts: tuple[Part, ...] = ()
    rule_groups: tuple[RuleGroup, ...] = ()
    slos: tuple[SLO, ...] = ()
    budgets: tuple[CostBudget, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    notifications: Notifications | None = None
    runbooks: tuple[Runbook, ...] = ()
    drills: tuple[Drill, ...] = ()
    scrape_jobs: tuple[ScrapeJob, ...] = ()
    scrape_interval_seconds: float = 15
    evaluation_interval_seconds: float = 15
    log_retention_days: int = 30
    trace_sampling_ratio: float = 1.0

    def __post_init__(self) -> None:
        if self.log_retention_days < 1:
            raise ContractError("log_retention_days must be at least 1")
        if not 0.0 <= self.trace_sampling_ratio <= 1.0:
            raise ContractError("trace_sampling_ratio must lie between 0 and 1")
        _require_unique("part", (part.name for part in self.parts))
        for name, value in written_out(self):
            object.__setattr__(self, name, value)
        _require_unique("metric", (metric.name for metric in self.signals.metrics))
        _require_unique(
            "sample name", (name for metric in self.signals.metrics for name in metric.sample_names)
        )
        _require_unique("span", (span.name for span in self.signals.spans))
        _require_unique("log event", (event.name for event in self.signals.events))
        _require_one_type(self.signals.events)
        _require_unique("rule group", (group.name for group in self.rule_groups))
        _require_unique("SLO", (slo.name for slo in self.slos))
        _require_unique("budget", (budget.name for budget in self.budgets))
        _require_unique("alert", (alert.name for alert in self.alerts))
        _require_unique("dashboard", (dashboard.uid for dashboard in self.dashboards))
        _require_unique("runbook", (runbook.alert for runbook in self.runbooks))
        _require_unique("drill", (drill.name for drill in self.drills))
        self._require_alerts("runbook", (runbook.alert for runbook in self.runbooks))
        self._require_alerts("drill", (name for drill in self.drills for name in drill.proves))
        _require_unique("scrape job", (job.name for job in self.scrape_jobs))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Every alert, in the order of the groups."""
        return tuple(
            rule for group in self.rule_groups for rule in group.rules if isinstance(rule, Alert)
        )

    def _require_alerts(self, what: str, names: Iterable[str]) -> None:
        declared = {alert.name for alert in self.alerts}
        for name in names:
            if name not in declared:
                raise ContractError(f"{what}: there is no alert {name!r}")

    def metric_of_sample(self, sample_name: str) -> Metric | None:
        """Return the metric whose series can carry `sample_name`, or None."""
        for metric in self.signals.metrics:
            if sample_name in metric.sample_names:
                return metric
        return None


def _require_unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ContractError(f"{what} {name!r} is declared twice")
        seen.add(name)


def _require_one_type(events: Iterable[LogEvent]) -> None:
    """An index has one type for a field, whichever event it comes from."""
    seen: dict[str, tuple[type, str]] = {}
    for event in events:
        for field in event.fields:
            kind, first = seen.setdefault(field.name, (field.type, event.name))
            if kind is not field.type:
                raise ContractError(
                    f"log event {event.name}: field {field.name} is {field.type.__name__}, "
                    f"but {kind.__name__} in {first}; an index has one type for a field"
                )
