"""Groups of alerts, and when each of them is next looked at. Pure: time is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from watchkeeper.model import Labels
from watchkeeper.notify.alert import Alert
from watchkeeper.notify.route import Route


@dataclass(slots=True)
class Group:
    """Alerts of one route that share its `group_by` labels.

    `flushes_at_ns` is when it is next looked at; `in_flight` while a notification of it is on
    its way, during which it is not looked at again.
    """

    route: Route
    labels: Labels
    flushes_at_ns: int
    has_flushed: bool = False
    in_flight: bool = False
    alerts: dict[Labels, Alert] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Alertmanager's name for the group; receivers see it, PagerDuty's key is made of it."""
        pairs = ", ".join(f'{name}="{value}"' for name, value in self.labels)
        return f"{self.route.key}:{{{pairs}}}"


class Dispatcher:
    """All groups. Not safe for threads: its owner locks.

    `was_told` says whether somebody was told that an alert of a group (by its key) fires.
    """

    def __init__(self, root: Route, was_told: Callable[[str, Labels], bool]) -> None:
        self._root = root
        self._was_told = was_told
        self._groups: dict[tuple[str, Labels], Group] = {}

    def put(self, alert: Alert, now_ns: int) -> None:
        """Sort an alert into the groups of its routes.

        An alert that has ended makes a new group only if somebody still believes that it fires,
        as after a restart.
        """
        for route in self._root.match(dict(alert.labels)):
            labels = route.group_labels(alert.labels)
            group = self._groups.get((route.identity, labels))
            if group is None:
                group = Group(route, labels, now_ns + route.group_wait_ns)
                if alert.is_resolved(now_ns) and not self._was_told(group.key, alert.labels):
                    continue
                self._groups[route.identity, labels] = group
            group.alerts[alert.labels] = alert
            if not group.has_flushed and alert.starts_at_ns + route.group_wait_ns < now_ns:
                group.flushes_at_ns = now_ns

    def groups(self) -> tuple[Group, ...]:
        """Return every group."""
        return tuple(self._groups.values())

    def holds(self, labels: Labels) -> bool:
        """Whether some group still has the alert."""
        return any(labels in group.alerts for group in self._groups.values())

    def next_due_ns(self) -> int | None:
        """Return when the next group is to be looked at; None while there is none."""
        waiting = [group.flushes_at_ns for group in self._groups.values() if not group.in_flight]
        return min(waiting, default=None)

    def due(self, now_ns: int) -> list[Group]:
        """Return the groups to look at now, each marked as in flight until `settle`."""
        found = [
            group
            for group in self._groups.values()
            if not group.in_flight and group.flushes_at_ns <= now_ns
        ]
        for group in found:
            group.has_flushed = group.in_flight = True
            group.flushes_at_ns = now_ns + group.route.group_interval_ns
        return found

    def settle(self, group: Group, finished: Iterable[Alert]) -> None:
        """End a look: drop alerts whose end everybody knows, unless they changed meanwhile."""
        group.in_flight = False
        for alert in finished:
            if group.alerts.get(alert.labels) == alert:
                del group.alerts[alert.labels]
        if not group.alerts:
            self._groups.pop((group.route.identity, group.labels), None)
