"""What a budget in money stands for: what is spent, how fast, where it leads, and alerts."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.contract.alert import RUNBOOKS, Alert, RecordingRule, RuleGroup
from watchkeeper.contract.burn_rate import DAY_SECONDS, window_name
from watchkeeper.contract.cost_budget import CostBudget

BASE_SECONDS = 300
INTERVAL_SECONDS = 60
LONGEST_READ_SECONDS = DAY_SECONDS
"""A longer period is added up from recorded increases of five minutes that lie end to end."""
HOURS_OF_DAY = 24
"""The pace is that of the last 24th of the period: an hour of a day."""
HORIZON_PART = 2
"""The forecast draws a line through the same 24th, half a period on. Before it has two points,
it says what is spent."""
AT_RISK_FOR_SECONDS = 900


def cost_budget_rule_group(budget: CostBudget, service: str) -> RuleGroup:
    """Return the recording rules and alerts of one budget."""
    return RuleGroup(
        name=f"budget-{budget.name}",
        rules=(*_recordings(budget, service), *_alerts(budget)),
        interval_seconds=INTERVAL_SECONDS,
    )


def _recordings(budget: CostBudget, service: str) -> Iterator[RecordingRule]:
    def record(name: str, expression: str) -> RecordingRule:
        labels = {"budget": budget.name, "service": service}
        return RecordingRule(name=name, expression=expression, labels=labels)

    by = f" by ({', '.join(budget.by)})" if budget.by else ""
    cost, amount = budget.cost.selector, f"{budget.amount:g}"
    base = window_name(BASE_SECONDS)
    recorded = _select(budget, f"cost_budget:spent:increase{base}")
    spent = _select(budget, "cost_budget:spent:total")

    def spent_in(seconds: int) -> str:
        if seconds <= LONGEST_READ_SECONDS:
            return f"sum{by} (increase({cost}[{window_name(seconds)}]))"
        return f"sum_over_time({recorded}[{window_name(seconds)}:{base}])"

    yield record(f"cost_budget:spent:increase{base}", spent_in(BASE_SECONDS))
    yield record("cost_budget:spent:total", spent_in(budget.period_seconds))
    yield record("cost_budget:amount:total", f"vector({amount})")
    yield record("cost_budget:spent:ratio", f"{spent} / {amount}")
    pace = spent_in(budget.period_seconds // HOURS_OF_DAY)
    yield record("cost_budget:burn_rate:ratio", f"{pace} * {HOURS_OF_DAY} / {amount}")
    history = window_name(budget.period_seconds // HOURS_OF_DAY)
    horizon = budget.period_seconds // HORIZON_PART
    yield record(
        "cost_budget:forecast:total",
        f"clamp_min(predict_linear({spent}[{history}:{base}], {horizon}), 0) or {spent}",
    )


def _alerts(budget: CostBudget) -> Iterator[Alert]:
    whose = "".join(f" of {{{{ $labels.{label} }}}}" for label in budget.by)
    plan = f"the {budget.amount:g} US dollars of {budget.period} for {budget.description}"
    money = '{{ $value | printf "%.2f" }}'
    yield Alert(
        name=budget.alert_name("Spent"),
        expression=f"{_select(budget, 'cost_budget:spent:total')} > {budget.amount:g}",
        severity=budget.severity,
        summary=f"The budget {budget.name}{whose} is spent",
        description=f"{money} were spent of {plan}.",
        runbook=budget.runbook or f"{RUNBOOKS}#budget-{budget.name}",
        drill=budget.drill,
    )
    yield Alert(
        name=budget.alert_name("AtRisk"),
        expression=(
            f"{_select(budget, 'cost_budget:forecast:total')} > {budget.amount:g}"
            f" and {_select(budget, 'cost_budget:burn_rate:ratio')} > 1"
        ),
        for_seconds=AT_RISK_FOR_SECONDS,
        severity=budget.severity,
        summary=f"The budget {budget.name}{whose} will not last",
        description=f"At this pace {money} are going to be spent of {plan}.",
        runbook=budget.runbook or f"{RUNBOOKS}#budget-{budget.name}",
    )


def _select(budget: CostBudget, name: str) -> str:
    return f'{name}{{budget="{budget.name}"}}'
