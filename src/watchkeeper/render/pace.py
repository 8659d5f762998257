"""The same contract at a quicker pace: every duration shorter by one factor.

Rules with a `for` of two minutes take two minutes to prove against a real fault. Scrape and
evaluation intervals, ranges in expressions, `for` and the timings of routes all shrink
together, so that their proportions, and therefore the behaviour, stay what they were.
"""

from __future__ import annotations

from dataclasses import replace

from watchkeeper.contract import Alert, Contract, Notifications, RecordingRule, Route, RuleGroup
from watchkeeper.promql import format as format_expression
from watchkeeper.promql import map_durations, parse


def quicken(contract: Contract, factor: float) -> Contract:
    """Return `contract` with every duration divided by `factor`."""
    notifications = contract.notifications
    return replace(
        contract,
        rule_groups=tuple(_group(group, factor) for group in contract.rule_groups),
        notifications=notifications and _notifications(notifications, factor),
        scrape_jobs=tuple(
            replace(job, interval_seconds=job.interval_seconds / factor)
            for job in contract.scrape_jobs
        ),
        scrape_interval_seconds=contract.scrape_interval_seconds / factor,
        evaluation_interval_seconds=contract.evaluation_interval_seconds / factor,
    )


def _group(group: RuleGroup, factor: float) -> RuleGroup:
    return replace(
        group,
        interval_seconds=group.interval_seconds / factor,
        rules=tuple(_rule(rule, factor) for rule in group.rules),
    )


def _rule(rule: Alert | RecordingRule, factor: float) -> Alert | RecordingRule:
    def shorten(duration_ms: int) -> int:
        return round(duration_ms / factor)

    expression = format_expression(map_durations(parse(rule.expression), shorten))
    if isinstance(rule, RecordingRule):
        return replace(rule, expression=expression)
    return replace(
        rule,
        expression=expression,
        for_seconds=rule.for_seconds / factor,
        keep_firing_for_seconds=rule.keep_firing_for_seconds / factor,
    )


def _notifications(notifications: Notifications, factor: float) -> Notifications:
    return replace(notifications, route=_route(notifications.route, factor))


def _route(route: Route, factor: float) -> Route:
    def shorten(seconds: float | None) -> float | None:
        return None if seconds is None else seconds / factor

    return replace(
        route,
        group_wait_seconds=shorten(route.group_wait_seconds),
        group_interval_seconds=shorten(route.group_interval_seconds),
        repeat_interval_seconds=shorten(route.repeat_interval_seconds),
        routes=tuple(_route(child, factor) for child in route.routes),
    )
