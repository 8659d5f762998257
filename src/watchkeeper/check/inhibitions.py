"""Checks of inhibitions: what hides what, and whether it can."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.finding import Severity
from watchkeeper.check.reach import matches, may_have
from watchkeeper.check.routing import is_positive, written
from watchkeeper.check.subject import Inhibition


def _hidden_sources(examined: Examined) -> Iterator[Problem]:
    for inhibition in _inhibitions(examined):
        both = [
            alert.name.value
            for alert in examined.subjects.alerts
            if matches(examined, alert, inhibition.source) is True
            and matches(examined, alert, inhibition.target) is True
        ]
        same = set(inhibition.target) <= set(inhibition.source)
        if both or same:
            who = both[0] if both else "every source"
            yield Problem(
                inhibition.place,
                "inhibition",
                f"{who} matches as source and as target, so that alerts of the same kind are "
                "never hidden, or hide each other",
            )


def _inhibitions(examined: Examined) -> Iterator[Inhibition]:
    for routing in examined.subjects.routings:
        yield from routing.inhibitions


def _unbound_inhibitions(examined: Examined) -> Iterator[Problem]:
    for inhibition in _inhibitions(examined):
        if not inhibition.equal:
            yield Problem(
                inhibition.place,
                "inhibition",
                f"one alert with {written(inhibition.source)} hides every "
                f"{written(inhibition.target)}, wherever it comes from",
            )


def _empty_inhibitions(examined: Examined) -> Iterator[Problem]:
    alerts = examined.subjects.alerts
    if not alerts:
        return
    for inhibition in _inhibitions(examined):
        for side, matchers in (("source", inhibition.source), ("target", inhibition.target)):
            found = [one for one in alerts if matches(examined, one, matchers) is not False]
            if not found:
                message = f"no alert can be its {side}: {written(matchers)}"
                yield Problem(inhibition.place, "inhibition", message)
                continue
            for label in inhibition.equal:
                if not any(may_have(examined, alert, label) for alert in found):
                    yield Problem(
                        inhibition.place,
                        "inhibition",
                        f"no {side} has the label {label!r}: missing counts as equal",
                    )


def _no_inhibition(examined: Examined) -> Iterator[Problem]:
    for routing in examined.subjects.routings:
        if routing.inhibitions or routing.route is None:
            continue
        severities = {
            one.value
            for route in routing.route.walk()
            for one in route.matchers
            if one.name == "severity" and is_positive(one)
        }
        if len(severities) > 1:
            yield Problem(
                routing.place,
                "inhibition",
                f"there is none, and severities are told apart ({', '.join(sorted(severities))})",
            )


CHECKS = (
    Check(
        id="inhibition-hides-source",
        severity=Severity.WARNING,
        reason="An alert that is source and target of one inhibition is not hidden by its like.",
        repair="Let target_matchers leave out what source_matchers take.",
        find=_hidden_sources,
    ),
    Check(
        id="inhibition-without-equal",
        severity=Severity.WARNING,
        reason="A fault in one place hides faults in all others.",
        repair="List under `equal` the labels that source and target must share.",
        find=_unbound_inhibitions,
    ),
    Check(
        id="empty-inhibition",
        severity=Severity.WARNING,
        reason="An inhibition without sources or targets hides nothing; one whose `equal` label "
        "nobody has hides too much.",
        repair="Use matchers and labels that the alerts have.",
        find=_empty_inhibitions,
    ),
    Check(
        id="no-inhibition",
        severity=Severity.WARNING,
        reason="When a database is down, everything that needs it alerts too.",
        repair="Add inhibit_rules: the critical alert hides the warnings of the same thing.",
        find=_no_inhibition,
    ),
)
