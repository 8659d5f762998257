"""Inhibition: while one alert fires, others that it explains are not sent."""

from __future__ import annotations

from collections.abc import Iterable
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

    def source_of(self, labels: Labels, firing: Iterable[Alert]) -> Alert | None:
        """Return the alert that mutes `labels`, or None.

        An alert that is source and target at once is not muted by another such: two alerts
        would otherwise silence each other.
        """
        target = dict(labels)
        if not self.target.matches(target):
            return None
        is_both = self.source.matches(target)
        for alert in firing:
            source = dict(alert.labels)
            if not self.source.matches(source):
                continue
            if is_both and self.target.matches(source):
                continue
            if all(source.get(name, "") == target.get(name, "") for name in self.equal):
                return alert
        return None


def inhibited_by(
    rules: Iterable[InhibitRule], labels: Labels, firing: tuple[Alert, ...]
) -> Alert | None:
    """Return the first alert that mutes `labels`, or None."""
    for rule in rules:
        source = rule.source_of(labels, firing)
        if source is not None:
            return source
    return None
