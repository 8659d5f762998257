"""Rules as they stand at one moment, for those who look on: plain, immutable data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.model import Labels


class AlertState(StrEnum):
    """Where an alert is between its expression's first sample and its end."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


class Health(StrEnum):
    """How the last evaluation of a rule went."""

    UNKNOWN = "unknown"
    OK = "ok"
    ERROR = "err"


@dataclass(frozen=True, slots=True)
class AlertSnapshot:
    """One pending or firing alert. `active_at_ns` is when its expression began to hold."""

    labels: Labels
    annotations: Labels
    state: AlertState
    active_at_ns: int
    value: float
    keep_firing_since_ns: int | None


@dataclass(frozen=True, slots=True)
class RuleSnapshot:
    """One rule: declaration, health and alerts. `kind` is `alerting` or `recording`.

    `labels` and `annotations` are as declared, templates unexpanded.
    """

    kind: str
    name: str
    expression: str
    for_seconds: float
    keep_firing_for_seconds: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: AlertState
    health: Health
    last_error: str
    last_evaluation_ns: int
    evaluation_seconds: float
    alerts: tuple[AlertSnapshot, ...]


@dataclass(frozen=True, slots=True)
class GroupSnapshot:
    """One group. `last_evaluation_ns` is 0 until there was one."""

    name: str
    file: str
    interval_seconds: float
    limit: int
    last_evaluation_ns: int
    evaluation_seconds: float
    rules: tuple[RuleSnapshot, ...]


@dataclass(frozen=True, slots=True)
class GroupStatistics:
    """What the evaluation of one group has come to since the start.

    `missed` counts moments at which the group was due and could not be evaluated.
    """

    name: str
    file: str
    evaluations: int
    failures: int
    missed: int
    last_duration_seconds: float
    last_evaluation_ns: int
