"""Recording and alerting rules: Prometheus' rule files, evaluated over any querier."""

from watchkeeper.rules.evaluator import EvaluationSettings, Evaluator
from watchkeeper.rules.rule import AlertingRule, RecordingRule, Rule, RuleGroup
from watchkeeper.rules.rule_file import load_rules
from watchkeeper.rules.snapshot import (
    AlertSnapshot,
    AlertState,
    GroupSnapshot,
    GroupStatistics,
    Health,
    RuleSnapshot,
)

__all__ = [
    "AlertSnapshot",
    "AlertState",
    "AlertingRule",
    "EvaluationSettings",
    "Evaluator",
    "GroupSnapshot",
    "GroupStatistics",
    "Health",
    "RecordingRule",
    "Rule",
    "RuleGroup",
    "RuleSnapshot",
    "load_rules",
]
