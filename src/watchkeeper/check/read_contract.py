"""A contract as subjects and known signals, with the places of its declarations in its code."""

from __future__ import annotations

from watchkeeper.check.declarations import Declarations
from watchkeeper.check.known import Known, KnownLabel, KnownMetric
from watchkeeper.check.query import Role, query_of
from watchkeeper.check.source import Place, Text
from watchkeeper.check.subject import (
    Alert,
    Dashboard,
    Group,
    Inhibition,
    Panel,
    Receiver,
    Recording,
    Route,
    Routing,
    Subjects,
    Target,
    Timing,
    Way,
)
from watchkeeper.contract import alert as declared_alert
from watchkeeper.contract import dashboard as declared_dashboard
from watchkeeper.contract import routing as declared_routing
from watchkeeper.contract.contract import Contract
from watchkeeper.contract.metric import Histogram, Metric
from watchkeeper.model import Matcher
from watchkeeper.notify import parse_matchers

_KINDS = {"Slack": "slack", "Email": "email", "PagerDuty": "pagerduty", "Webhook": "webhook"}
SERVICE_LABEL = "service"
"""The label that every target and alert of a contract carries."""


def known_of(contract: Contract, declarations: Declarations) -> Known:
    """Return the signals that a contract declares: nothing else exists."""
    metrics = tuple(_metric(one, declarations) for one in contract.signals.metrics)
    return Known(metrics, closed=True)


def _metric(metric: Metric, declarations: Declarations) -> KnownMetric:
    return KnownMetric(
        name=metric.name,
        type=metric.type,
        labels={
            label.name: KnownLabel(
                label.name,
                frozenset(label.values) if label.values else None,
                label.pattern,
                label.limit,
            )
            for label in metric.labels
        },
        unit=metric.unit,
        help=metric.help,
        buckets=metric.buckets if isinstance(metric, Histogram) else (),
        origin="contract",
        zeroed=True,
        declared=declarations.text(metric.name, metric.name),
        most_series=metric.most_series,
    )


def subjects_of(contract: Contract, declarations: Declarations) -> Subjects:
    """Return the rules, dashboards and routes that a contract declares."""
    return _Reader(contract, declarations).read()


class _Reader:
    def __init__(self, contract: Contract, declarations: Declarations) -> None:
        self._contract = contract
        self._declarations = declarations

    def read(self) -> Subjects:
        contract = self._contract
        routings: tuple[Routing, ...] = ()
        if contract.notifications is not None:
            routings = (self._routing(contract.notifications),)
        external = contract.notifications.external_labels if contract.notifications else {}
        groups = tuple(self._group(group) for group in contract.rule_groups)
        dashboards = tuple(self._dashboard(one) for one in contract.dashboards)
        return Subjects(
            groups=groups,
            dashboards=dashboards,
            routings=routings,
            sources=self._declarations.sources,
            timing=Timing(
                scrape_seconds=contract.scrape_interval_seconds,
                evaluation_seconds=contract.evaluation_interval_seconds,
                external_labels=frozenset(external),
            ),
        )

    def _group(self, group: declared_alert.RuleGroup) -> Group:
        return Group(
            name=self._declarations.text(group.name, group.name),
            rules=tuple(self._rule(rule) for rule in group.rules),
            interval_seconds=group.interval_seconds,
        )

    def _rule(self, rule: declared_alert.Alert | declared_alert.RecordingRule) -> Alert | Recording:
        def text(value: str, keyword: str = "") -> Text:
            makers = rule.labels.values()
            return self._declarations.text(rule.name, value, keyword, made_by=makers)

        name = text(rule.name)
        expression = text(rule.expression, "expression")
        labels = {label: text(value) for label, value in rule.labels.items()}
        if isinstance(rule, declared_alert.RecordingRule):
            query = query_of(expression, Role.RECORDING, f"rule {rule.name}")
            return Recording(name=name, query=query, labels=labels)
        return Alert(
            name=name,
            query=query_of(expression, Role.ALERT, f"alert {rule.name}"),
            labels={
                "severity": text(rule.severity.value),
                SERVICE_LABEL: text(self._contract.service),
                **labels,
            },
            annotations={
                "summary": text(rule.summary, "summary"),
                "description": text(rule.description, "description"),
                "runbook_url": text(rule.runbook, "runbook"),
            },
            for_seconds=rule.for_seconds,
            keep_firing_for_seconds=rule.keep_firing_for_seconds,
            duration=text(f"{rule.for_seconds:g}s", "for_seconds") if rule.for_seconds else None,
        )

    def _dashboard(self, dashboard: declared_dashboard.Dashboard) -> Dashboard:
        return Dashboard(
            title=dashboard.title,
            place=self._place(dashboard.uid),
            panels=tuple(
                self._panel(panel, dashboard.title)
                for row in dashboard.rows
                for panel in row.panels
            ),
        )

    def _panel(self, panel: declared_dashboard.Panel, dashboard: str) -> Panel:
        subject = f"panel {panel.title!r} of {dashboard!r}"
        place = self._place(panel.title)
        return Panel(
            title=panel.title,
            kind=panel.kind.value,
            place=place,
            dashboard=dashboard,
            description=panel.description,
            unit=panel.unit,
            unit_place=place,
            thresholds=tuple(one.value for one in panel.thresholds),
            targets=tuple(
                Target(
                    query=query_of(
                        self._declarations.text(panel.title, query.expression),
                        Role.PANEL,
                        subject,
                        dashboard=True,
                    ),
                    legend=self._declarations.text(panel.title, query.legend),
                )
                for query in panel.queries
            ),
        )

    def _routing(self, notifications: declared_routing.Notifications) -> Routing:
        return Routing(
            receivers=tuple(self._receiver(one) for one in notifications.receivers),
            route=self._route(notifications.route),
            inhibitions=tuple(self._inhibition(one) for one in notifications.inhibitions),
            place=self._place(notifications.route.receiver),
        )

    def _receiver(self, receiver: declared_routing.Receiver) -> Receiver:
        place = self._place(receiver.name)
        return Receiver(
            name=receiver.name,
            ways=tuple(
                Way(kind=_KINDS[type(way).__name__], sends_resolved=True, place=place)
                for way in receiver.ways
            ),
            place=place,
        )

    def _route(self, route: declared_routing.Route) -> Route:
        return Route(
            receiver=route.receiver,
            matchers=_matchers(route.matchers),
            place=self._place(route.receiver),
            group_by=route.group_by or None,
            group_wait_seconds=route.group_wait_seconds,
            group_interval_seconds=route.group_interval_seconds,
            repeat_interval_seconds=route.repeat_interval_seconds,
            continues=route.continue_,
            children=tuple(self._route(child) for child in route.routes),
        )

    def _inhibition(self, inhibition: declared_routing.Inhibition) -> Inhibition:
        return Inhibition(
            source=_matchers(inhibition.source),
            target=_matchers(inhibition.target),
            equal=inhibition.equal,
            place=self._place(inhibition.source[0] if inhibition.source else ""),
        )

    def _place(self, name: str) -> Place:
        return self._declarations.text(name, name).place()


def _matchers(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    return tuple(matcher for text in texts for matcher in parse_matchers(text))
