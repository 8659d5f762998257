"""Rules as they are declared: what is recorded, and what somebody is told about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from watchkeeper.templates import Template

TEMPLATE_VARIABLES = ("labels", "value", "externalLabels", "externalURL")
"""What Prometheus declares before the text of every annotation and label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """An expression whose result is kept as series of the name `name`."""

    name: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingRule:
    """An expression whose every series is an alert, once it has held for `for_seconds`.

    After it stopped to hold, an alert goes on firing for `keep_firing_for_seconds`. Values of
    `labels` and `annotations` are templates; their sources stand in `.source`.
    """

    name: str
    expression: str
    for_seconds: float = 0
    keep_firing_for_seconds: float = 0
    labels: Mapping[str, Template] = field(default_factory=dict)
    annotations: Mapping[str, Template] = field(default_factory=dict)


Rule: TypeAlias = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated in order, all at one moment.

    `interval_seconds` is 0 for the evaluator's own; `limit` is the most series or alerts that
    one rule may give, 0 for any number.
    """

    name: str
    file: str
    rules: tuple[Rule, ...]
    interval_seconds: float = 0
    limit: int = 0
