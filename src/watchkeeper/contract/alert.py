"""Alerts: when somebody must be told, and what they read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watchkeeper.contract.label import NAME as LABEL_NAME
from watchkeeper.contract.metric import NAME as METRIC_NAME
from watchkeeper.errors import ContractError

ALERT_NAME = re.compile(r"[a-zA-Z_]\w*\Z", re.ASCII)
RUNBOOKS = "docs/runbooks.md"
"""Where runbooks are looked for: a section an alert."""


class Urgency(StrEnum):
    """The value of an alert's `severity` label."""

    CRITICAL = "critical"
    WARNING = "warning"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A PromQL expression that must hold for `for_seconds` before somebody is told.

    `summary` and `description` are Go templates as in Prometheus. `runbook` is a URL or a path
    in the repository; by default the alert's section of docs/runbooks.md. `drill` names the
    fault that proves the alert.
    """

    name: str
    expression: str
    severity: Urgency
    summary: str
    description: str
    runbook: str = ""
    for_seconds: float = 0
    keep_firing_for_seconds: float = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    drill: str = ""

    def __post_init__(self) -> None:
        for name in ("name", "expression", "summary", "description"):
            if not getattr(self, name).strip():
                raise ContractError(f"alert {self.name!r}: `{name}` is empty")
        if not self.runbook:
            object.__setattr__(self, "runbook", f"{RUNBOOKS}#{self.name.lower()}")
        if not ALERT_NAME.match(self.name):
            raise ContractError(
                f"alert {self.name!r}: a name is letters, digits and underscores: HighErrorRate"
            )
        _require_labels(f"alert {self.name}", self.labels)
        if self.for_seconds < 0 or self.keep_firing_for_seconds < 0:
            raise ContractError(f"alert {self.name}: a duration is negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """A PromQL expression whose result is kept as a series of its own."""

    name: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not METRIC_NAME.match(self.name):
            raise ContractError(f"recording rule {self.name!r}: not a Prometheus metric name")
        if not self.expression.strip():
            raise ContractError(f"recording rule {self.name}: `expression` is empty")
        _require_labels(f"recording rule {self.name}", self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated one after the other, every `interval_seconds` (0: the default)."""

    name: str
    rules: tuple[Alert | RecordingRule, ...]
    interval_seconds: float = 0

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules if isinstance(rule, Alert)]
        if len(set(names)) != len(names):
            raise ContractError(f"rule group {self.name}: an alert is declared twice")


def _require_labels(whose: str, labels: Mapping[str, str]) -> None:
    for name in labels:
        if not LABEL_NAME.match(name) or name.startswith("__"):
            raise ContractError(f"{whose}: {name!r} is not a name for a label")
