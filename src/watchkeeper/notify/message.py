"""A notification on its way: what its texts and its JSON are made of."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.model import Labels
from watchkeeper.notify.alert import Alert, common_pairs, fingerprint
from watchkeeper.templates import (
    ZERO_NS,
    Functions,
    KeyValues,
    Moment,
    Record,
    alertmanager_functions,
)

FIRING = "firing"
RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Alerts of one group for one receiver, as they stood at `now_ns`."""

    receiver: str
    group_key: str
    group_labels: Labels
    alerts: tuple[Alert, ...]
    now_ns: int
    external_url: str = ""

    @property
    def status(self) -> str:
        """`firing` while one alert does, else `resolved`."""
        return FIRING if self.firing else RESOLVED

    @property
    def firing(self) -> tuple[Alert, ...]:
        """The alerts that fire."""
        return tuple(alert for alert in self.alerts if not alert.is_resolved(self.now_ns))

    @property
    def resolved(self) -> tuple[Alert, ...]:
        """The alerts that have ended."""
        return tuple(alert for alert in self.alerts if alert.is_resolved(self.now_ns))

    @property
    def common_labels(self) -> Labels:
        """Labels that all alerts share."""
        return common_pairs(alert.labels for alert in self.alerts)

    @property
    def common_annotations(self) -> Labels:
        """Annotations that all alerts share."""
        return common_pairs(alert.annotations for alert in self.alerts)

    @property
    def summary(self) -> str:
        """One line for people: `firing: HighErrorRate, TargetDown`."""
        names = dict.fromkeys(alert.name or "(no alertname)" for alert in self.alerts)
        return f"{self.status}: {', '.join(names)}"

    def functions(self) -> Functions:
        """The functions of its templates."""
        return alertmanager_functions(self.now_ns)

    def ends_at(self, alert: Alert) -> Moment:
        """Return when an alert ended; Go's zero time while it fires."""
        return Moment(alert.ends_at_ns if alert.is_resolved(self.now_ns) else ZERO_NS)

    def data(self) -> Record:
        """Return what templates stand on (Alertmanager, template.Data)."""
        return Record(
            "Data",
            {
                "Receiver": self.receiver,
                "Status": self.status,
                "Alerts": Alerts(self._alert(alert) for alert in self.alerts),
                "GroupLabels": KeyValues(self.group_labels),
                "CommonLabels": KeyValues(self.common_labels),
                "CommonAnnotations": KeyValues(self.common_annotations),
                "ExternalURL": self.external_url,
                "GroupKey": self.group_key,
            },
        )

    def _alert(self, alert: Alert) -> Record:
        return Record(
            "Alert",
            {
                "Status": RESOLVED if alert.is_resolved(self.now_ns) else FIRING,
                "Labels": KeyValues(alert.labels),
                "Annotations": KeyValues(alert.annotations),
                "StartsAt": Moment(alert.starts_at_ns),
                "EndsAt": self.ends_at(alert),
                "GeneratorURL": alert.generator_url,
                "Fingerprint": fingerprint(alert.labels),
            },
        )


class Alerts(list[Record]):
    """The alerts of a message, with the two selections that templates know."""

    def member(self, name: str) -> object:
        if name not in ("Firing", "Resolved"):
            raise KeyError(name)
        return [alert for alert in self if alert.member("Status") == name.lower()]
