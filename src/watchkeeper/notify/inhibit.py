"""Inhibition: while one alert fires, others that it explains are not sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchkeeper.model import Labels
from watchkeeper.notify.alert import Alert
from watchkeeper.notify.matchers import Matchers


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """An alert that fulfils `target` is muted while one that fulfils `source` fires and agrees
    with it in the `equal` labels (a missing label is empty)."""

    source: Matchers
    target: Matchers
    equal: tuple[str, ...]

    def agreement(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the values in which source and target must agree."""
        return tuple(labels.get(name, "") for name in self.equal)


class Inhibitor:
    """The rules against the alerts that fire at one moment."""

    def __init__(self, rules: Iterable[InhibitRule], firing: Iterable[Alert]) -> None:
        alerts = [(alert, dict(alert.labels)) for alert in firing]
        self._sources = [(rule, _by_agreement(rule, alerts)) for rule in rules]

    def source_of(self, labels: Labels) -> Alert | None:
        """Return the alert that mutes `labels`, or None.

        An alert that is source and target at once is not muted by another such: two alerts
        would otherwise silence each other.
        """
        target = dict(labels)
        for rule, sources in self._sources:
            if not rule.target.matches(target):
                continue
            is_both = rule.source.matches(target)
            for alert, source_is_both in sources.get(rule.agreement(target), ()):
                if not (is_both and source_is_both):
                    return alert
        return None


def _by_agreement(
    rule: InhibitRule, alerts: Iterable[tuple[Alert, Mapping[str, str]]]
) -> dict[tuple[str, ...], list[tuple[Alert, bool]]]:
    """Return the sources of a rule, and whether each is a target too, by what must agree."""
    sources: dict[tuple[str, ...], list[tuple[Alert, bool]]] = {}
    for alert, labels in alerts:
        if rule.source.matches(labels):
            entry = alert, rule.target.matches(labels)
            sources.setdefault(rule.agreement(labels), []).append(entry)
    return sources
