"""Which alert can match which matchers, and which routes and receivers it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchkeeper.check.check import Examined
from watchkeeper.check.subject import Alert, Receiver, Route, Routing
from watchkeeper.model import Matcher
from watchkeeper.notify.matchers import holds


def matches(examined: Examined, alert: Alert, matchers: Iterable[Matcher]) -> bool | None:
    """Whether an alert fulfils matchers: always, never, or (None) as its series have it."""
    answers = [_holds(examined, alert, matcher) for matcher in matchers]
    if False in answers:
        return False
    return None if None in answers else True


def _holds(examined: Examined, alert: Alert, matcher: Matcher) -> bool | None:
    if matcher.name == "alertname":
        return holds(matcher, alert.name.value)
    text = alert.labels.get(matcher.name)
    if text is not None:
        return None if "{{" in text.value else holds(matcher, text.value)
    labels = examined.root(alert.query).labels
    if not labels.may_have(matcher.name):
        return holds(matcher, "")
    values = labels.values.get(matcher.name)
    if values is None or matcher.name not in labels.certain:
        return None
    answers = {holds(matcher, value) for value in values}
    return answers.pop() if len(answers) == 1 else None


def may_have(examined: Examined, alert: Alert, label: str) -> bool:
    """Whether an alert can carry a label."""
    if label == "alertname" or label in alert.labels:
        return True
    if label in examined.timing.external_labels:
        return True
    return examined.root(alert.query).labels.may_have(label)


def reached(examined: Examined, alert: Alert, route: Route) -> Iterator[Route]:
    """Give the routes that an alert may end at, below one that takes it."""
    taken = False
    for child in route.children:
        answer = matches(examined, alert, child.matchers)
        if answer is False:
            continue
        yield from reached(examined, alert, child)
        taken = taken or answer is True
        if answer is True and not child.continues:
            break
    if not taken:
        yield route


def receivers_of(examined: Examined, alert: Alert, routing: Routing) -> list[Receiver]:
    """Return the receivers that an alert may reach."""
    if routing.route is None:
        return []
    names = {route.receiver for route in reached(examined, alert, routing.route)}
    return [one for one in routing.receivers if one.name in names]
