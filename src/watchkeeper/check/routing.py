"""Checks of routes, receivers and inhibitions: who is told, and who is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.finding import Severity
from watchkeeper.check.mending import inserted_before, matchers_in_one_list
from watchkeeper.check.reach import matches, may_have, reached, receivers_of
from watchkeeper.check.source import Edit
from watchkeeper.check.subject import Alert, Route, Routing, Way
from watchkeeper.check.thresholds import WATCHDOG, is_watchdog
from watchkeeper.model import Matcher, MatchOperator

PAGERS = frozenset(
    {"pagerduty", "opsgenie", "victorops", "pushover", "webhook", "sns", "incidentio", "telegram"}
)
"""Ways that can wake somebody; a webhook may lead to one."""

_CRITICAL = frozenset({"critical", "page", "emergency", "p1", "sev1"})
_READ = re.compile(r"\.(?:Common)?(Annotations|Labels)\.(\w+)")


def _undefined_receivers(examined: Examined) -> Iterator[Problem]:
    for routing, route in _routes(examined):
        if route.receiver not in {receiver.name for receiver in routing.receivers}:
            yield Problem(
                route.place, "route", f"the receiver {route.receiver!r} is not defined anywhere"
            )


def _routes(examined: Examined) -> Iterator[tuple[Routing, Route]]:
    for routing in examined.subjects.routings:
        if routing.route is not None:
            for route in routing.route.walk():
                yield routing, route


def _unused_receivers(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        used = {route.receiver for route in routing.route.walk()} if routing.route else set()
        seen: set[str] = set()
        for receiver in routing.receivers:
            subject = f"receiver {receiver.name}"
            if receiver.name in seen:
                yield Problem(receiver.place, subject, "is defined twice")
            elif receiver.name not in used:
                yield Problem(receiver.place, subject, "no route leads to it")
            seen.add(receiver.name)


def _undefined_intervals(examined: Examined) -> Iterator[Problem]:
    for routing, route in _routes(examined):
        for name in route.intervals:
            if name not in routing.intervals:
                yield Problem(route.place, "route", f"the time interval {name!r} is not defined")


def _unreachable_routes(examined: Examined) -> Iterator[Problem]:
    alerts = examined.subjects.alerts
    for routing in examined.subjects.routings:
        if routing.route is None:
            continue
        shadowed = {id(route): by for route, by in _shadowed(routing.route)}
        found = {id(route) for alert in alerts for route in _passed(examined, alert, routing.route)}
        for route in routing.route.walk():
            if id(route) in shadowed:
                message = f"the route before it takes all of it: {shadowed[id(route)]}"
            elif alerts and id(route) not in found and route is not routing.route:
                message = f"no alert can match {written(route.matchers)}"
            else:
                continue
            yield Problem(route.place, f"route to {route.receiver}", message)


def _passed(examined: Examined, alert: Alert, route: Route) -> Iterator[Route]:
    """Give every route that an alert may pass through."""
    yield route
    for child in route.children:
        answer = matches(examined, alert, child.matchers)
        if answer is not False:
            yield from _passed(examined, alert, child)
        if answer is True and not child.continues:
            break


def _shadowed(route: Route) -> Iterator[tuple[Route, str]]:
    for number, child in enumerate(route.children):
        for earlier in route.children[:number]:
            if not earlier.continues and set(earlier.matchers) <= set(child.matchers):
                yield child, written(earlier.matchers)
                break
        yield from _shadowed(child)


def written(matchers: tuple[Matcher, ...]) -> str:
    """Return matchers as they are written."""
    if not matchers:
        return "it has no matchers"
    return ", ".join(f'{one.name}{one.operator.value}"{one.value}"' for one in matchers)


def _labels_of_routes_dropped(examined: Examined) -> Iterator[Problem]:
    labels = {
        matcher.name: route
        for _, route in _routes(examined)
        for matcher in route.matchers
        if is_positive(matcher)
    }
    for alert in examined.subjects.alerts:
        shape = examined.root(alert.query)
        for label, route in labels.items():
            had = any(label in metric.labels for metric in shape.metrics)
            if had and not may_have(examined, alert, label):
                yield Problem(
                    alert.query.text.place(),
                    alert.subject,
                    f"drops {label!r}, by which the route to {route.receiver} chooses",
                )


def _unheard_alerts(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        for alert in examined.subjects.alerts:
            if is_watchdog(alert) or routing.route is None:
                continue
            for receiver in receivers_of(examined, alert, routing):
                if not receiver.ways:
                    yield Problem(
                        alert.name.place(),
                        alert.subject,
                        f"reaches the receiver {receiver.name!r}, which tells nobody",
                    )


def _critical_without_pager(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        named = {receiver.name: receiver for receiver in routing.receivers}
        seen: set[str] = set()
        for name in _critical_receivers(examined, routing):
            receiver = named.get(name)
            if receiver is None or name in seen or not receiver.ways:
                continue
            seen.add(name)
            kinds = sorted({way.kind for way in receiver.ways})
            if not PAGERS & set(kinds):
                yield Problem(
                    receiver.place,
                    f"receiver {name}",
                    f"critical alerts go to {' and '.join(kinds)} only: nobody is woken",
                )


def _critical_receivers(examined: Examined, routing: Routing) -> Iterator[str]:
    if routing.route is None:
        return
    for route in routing.route.walk():
        equal = [one for one in route.matchers if one.name == "severity"]
        critical = any(set(one.value.split("|")) & _CRITICAL for one in equal if is_positive(one))
        if critical and not route.continues:
            yield route.receiver
    for alert in examined.subjects.alerts:
        severity = alert.labels.get("severity")
        if severity is not None and severity.value in _CRITICAL:
            ends = [route.receiver for route in reached(examined, alert, routing.route)]
            ways = {way.kind for one in routing.receivers if one.name in ends for way in one.ways}
            yield from () if ways & PAGERS else ends


def is_positive(matcher: Matcher) -> bool:
    """Whether a matcher asks for values, and not for others."""
    return matcher.operator in (MatchOperator.EQUAL, MatchOperator.REGEX)


def _unsent_recoveries(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        for receiver in routing.receivers:
            if WATCHDOG.search(receiver.name):
                continue
            for way in receiver.ways:
                if not way.sends_resolved:
                    yield Problem(
                        way.place,
                        f"receiver {receiver.name}",
                        f"{way.kind} is not told that it is over",
                        _sending_recovery(way),
                    )


def _sending_recovery(way: Way) -> tuple[Edit, ...]:
    if way.node is None:
        return ()
    given = way.node.get("send_resolved")
    if given is not None:
        return given.text.edit(0, len(given.raw), "true")
    return inserted_before(way.node, "send_resolved: true")


def _deprecated_matchers(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        if routing.node is None:
            continue
        for _, node in routing.node.walk():
            for prefix in ("", "source_", "target_"):
                entries = [node.get(f"{prefix}match"), node.get(f"{prefix}match_re")]
                for found in entries:
                    if found is None or not isinstance(found.value, dict):
                        continue
                    key = found.source.text[slice(*(found.key or (0, 0)))]
                    alone = entries.count(None) == 1 and node.get(f"{prefix}matchers") is None
                    fix = matchers_in_one_list(found, f"{prefix}matchers") if alone else ()
                    yield Problem(
                        found.name_place, "route", f"`{key}` is the older way to write it", fix
                    )


def _impatient_repeats(examined: Examined) -> Iterator[Problem]:
    for _, route in _routes(examined):
        interval, repeat = route.group_interval_seconds, route.repeat_interval_seconds
        if interval is not None and repeat is not None and repeat < interval:
            yield Problem(
                route.place,
                f"route to {route.receiver}",
                f"repeat_interval is {repeat:g} s, and groups are looked at every {interval:g} s",
            )


def _ungrouped_roots(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        route = routing.route
        if route is not None and not route.group_by:
            yield Problem(route.place, "route", "without `group_by` all alerts are one group")


def _groups_by_nothing(examined: Examined) -> Iterator[Problem]:
    alerts = examined.subjects.alerts
    for _, route in _routes(examined):
        for label in route.group_by or ():
            if label == "..." or not alerts:
                continue
            if not any(may_have(examined, alert, label) for alert in alerts):
                message = f"groups by {label!r}, which no alert has"
                yield Problem(route.place, f"route to {route.receiver}", message)


def _empty_texts(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        told: dict[str, list[Alert]] = {}
        for alert in examined.subjects.alerts:
            for receiver in receivers_of(examined, alert, routing):
                told.setdefault(receiver.name, []).append(alert)
        for receiver in routing.receivers:
            alerts = told.get(receiver.name, [])
            for way in receiver.ways:
                if way.node is not None and alerts:
                    yield from _empty_in(examined, way, receiver.name, alerts)


def _empty_in(
    examined: Examined, way: Way, receiver: str, alerts: list[Alert]
) -> Iterator[Problem]:
    assert way.node is not None
    for _, node in way.node.walk():
        if not isinstance(node.value, str) or "{{" not in node.value:
            continue
        for found in _READ.finditer(node.value):
            name = found[2]
            if found[1] == "Annotations":
                there = any(name in alert.annotations for alert in alerts)
            else:
                there = any(may_have(examined, alert, name) for alert in alerts)
            if not there:
                yield Problem(
                    node.text.place(found.start(), found.end()),
                    f"receiver {receiver}",
                    f"no alert that reaches it has {found[1].lower()[:-1]} {name!r}",
                )


CHECKS = (
    Check(
        id="undefined-receiver",
        severity=Severity.ERROR,
        reason="Alertmanager refuses to start with a route to nowhere.",
        repair="Define the receiver, or correct its name.",
        find=_undefined_receivers,
    ),
    Check(
        id="unused-receiver",
        severity=Severity.WARNING,
        reason="What no route leads to is never told.",
        repair="Route to it, or delete it.",
        find=_unused_receivers,
    ),
    Check(
        id="undefined-interval",
        severity=Severity.ERROR,
        reason="Alertmanager refuses to start with an interval that does not exist.",
        repair="Define it under time_intervals, or correct its name.",
        find=_undefined_intervals,
    ),
    Check(
        id="unreachable-route",
        severity=Severity.WARNING,
        reason="Nothing ever arrives there.",
        repair="Correct the matchers, move the route up, or let the one before it `continue`.",
        find=_unreachable_routes,
    ),
    Check(
        id="route-label-dropped",
        severity=Severity.WARNING,
        reason="The series have the label, the alert no longer does: the route never takes it.",
        repair="Keep the label in the aggregation, or set it as a label of the alert.",
        find=_labels_of_routes_dropped,
    ),
    Check(
        id="alert-reaches-nobody",
        severity=Severity.ERROR,
        reason="The alert fires, and no one hears of it.",
        repair="Add a way to the receiver, or a route to another one.",
        find=_unheard_alerts,
    ),
    Check(
        id="critical-without-pager",
        severity=Severity.WARNING,
        reason="A message in a channel or a mailbox wakes nobody at night.",
        repair="Add PagerDuty, Opsgenie or another way that rings.",
        find=_critical_without_pager,
    ),
    Check(
        id="recovery-not-sent",
        severity=Severity.WARNING,
        reason="Slack and mail are told of the end only where send_resolved says so.",
        repair="Set send_resolved: true.",
        find=_unsent_recoveries,
        fixes=True,
    ),
    Check(
        id="deprecated-match",
        severity=Severity.WARNING,
        reason="Alertmanager deprecated match and match_re in 0.22.",
        repair='Write matchers: [severity="critical"].',
        find=_deprecated_matchers,
        fixes=True,
    ),
    Check(
        id="repeat-below-group-interval",
        severity=Severity.WARNING,
        reason="Nothing is repeated before the group is looked at again.",
        repair="Make repeat_interval a multiple of group_interval.",
        find=_impatient_repeats,
    ),
    Check(
        id="grouping-missing",
        severity=Severity.WARNING,
        reason="An alert that joins the one group of all waits for its group_interval, unseen.",
        repair="Group by alertname and what tells places apart.",
        find=_ungrouped_roots,
    ),
    Check(
        id="group-by-missing-label",
        severity=Severity.WARNING,
        reason="A label that no alert has tells no groups apart.",
        repair="Group by a label that the alerts have, or keep it in their expressions.",
        find=_groups_by_nothing,
    ),
    Check(
        id="notification-hole",
        severity=Severity.WARNING,
        reason="The message has a hole where the text should be.",
        repair="Use an annotation or label that the alerts have.",
        find=_empty_texts,
    ),
)
