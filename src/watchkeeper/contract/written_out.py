"""What the parts, objectives and budgets of a contract stand for, written out where it is read.

What is there already is left as it is, so that a contract that was changed (`replace`, a quicker
pace) keeps its rules once, and as they were changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from watchkeeper.contract.alert import Alert, RecordingRule, RuleGroup
from watchkeeper.contract.cost_budget_rules import cost_budget_rule_group
from watchkeeper.contract.dashboard import Dashboard
from watchkeeper.contract.objective_panels import objectives_dashboard
from watchkeeper.contract.signals import Signals
from watchkeeper.contract.slo_rules import slo_rule_groups

if TYPE_CHECKING:
    from watchkeeper.contract.contract import Contract

Declared = TypeVar("Declared")


def written_out(contract: Contract) -> Iterator[tuple[str, Any]]:
    """Yield the fields that change, and their values."""
    if contract.parts:
        yield "signals", _signals(contract)
        runbooks = chain.from_iterable(part.runbooks for part in contract.parts)
        yield "runbooks", _and_missing(contract.runbooks, runbooks)
    yield "rule_groups", _completed(contract, _rule_groups(contract))
    yield "dashboards", _dashboards(contract)


def _signals(contract: Contract) -> Signals:
    own = contract.signals
    parts = [part.signals for part in contract.parts]
    return Signals(
        metrics=_and_missing(own.metrics, chain.from_iterable(one.metrics for one in parts)),
        spans=_and_missing(own.spans, chain.from_iterable(one.spans for one in parts)),
        events=_and_missing(own.events, chain.from_iterable(one.events for one in parts)),
    )


def _rule_groups(contract: Contract) -> tuple[RuleGroup, ...]:
    groups = [part.rule_group for part in contract.parts if part.rule_group.rules]
    groups += chain.from_iterable(slo_rule_groups(slo, contract.service) for slo in contract.slos)
    groups += [cost_budget_rule_group(budget, contract.service) for budget in contract.budgets]
    written = {group.name for group in contract.rule_groups}
    return contract.rule_groups + tuple(group for group in groups if group.name not in written)


def _completed(contract: Contract, groups: tuple[RuleGroup, ...]) -> tuple[RuleGroup, ...]:
    """Return the groups, every alert with the owner and the first drill that proves it."""
    proved = {name: drill.name for drill in reversed(contract.drills) for name in drill.proves}
    owner = {"owner": contract.owner} if contract.owner else {}

    def complete(rule: Alert | RecordingRule) -> Alert | RecordingRule:
        if isinstance(rule, RecordingRule):
            return rule
        drill = rule.drill or proved.get(rule.name, "")
        return replace(rule, drill=drill, labels={**owner, **rule.labels})

    return tuple(
        replace(group, rules=tuple(complete(rule) for rule in group.rules)) for group in groups
    )


def _dashboards(contract: Contract) -> tuple[Dashboard, ...]:
    """Return the dashboards, and one for the rows of parts that none of them shows."""
    shown = {row.title for dashboard in contract.dashboards for row in dashboard.rows}
    rows = tuple(row for part in contract.parts for row in part.rows if row.title not in shown)
    made = []
    annotations = tuple(chain.from_iterable(part.annotations for part in contract.parts))
    if rows:
        made.append(
            Dashboard(
                uid=f"{contract.service}-overview",
                title=f"{contract.service} - Overview",
                description="Everything that the parts of the service show.",
                rows=rows,
                variables=tuple(chain.from_iterable(part.variables for part in contract.parts)),
                annotations=annotations,
            )
        )
    if contract.slos or contract.budgets:
        objectives = objectives_dashboard(contract.service, contract.slos, contract.budgets)
        made.append(replace(objectives, annotations=annotations))
    written = {dashboard.uid for dashboard in contract.dashboards}
    return contract.dashboards + tuple(one for one in made if one.uid not in written)


def _and_missing(own: tuple[Declared, ...], others: Iterable[Declared]) -> tuple[Declared, ...]:
    return own + tuple(one for one in others if one not in own)
