"""Alertmanager's webhook: JSON, version 4."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchkeeper.configuration import Secret
from watchkeeper.notify.alert import Alert, fingerprint
from watchkeeper.notify.integration import secret_text
from watchkeeper.notify.message import FIRING, RESOLVED, Message
from watchkeeper.notify.post import TIMEOUT_SECONDS, Poster
from watchkeeper.notify.receiver_config import HttpConfig
from watchkeeper.templates import Moment

VERSION = "4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A URL that is told everything. `max_alerts` 0 is all of them."""

    send_resolved: bool
    url: Secret | None
    url_file: Path | None
    http: HttpConfig | None
    max_alerts: int = 0
    timeout_seconds: float = TIMEOUT_SECONDS
    name: str = "webhook"

    async def send(self, message: Message, poster: Poster) -> str:
        url = secret_text(self.url, self.url_file, "the webhook's URL")
        body = payload(message, self.max_alerts)
        return await poster.post(url, body, self.http, timeout_seconds=self.timeout_seconds)


def payload(message: Message, max_alerts: int = 0) -> dict[str, object]:
    """Return the JSON of a message."""
    shown = message.alerts[:max_alerts] if max_alerts else message.alerts
    return {
        "version": VERSION,
        "groupKey": message.group_key,
        "truncatedAlerts": len(message.alerts) - len(shown),
        "status": message.status,
        "receiver": message.receiver,
        "groupLabels": dict(message.group_labels),
        "commonLabels": dict(message.common_labels),
        "commonAnnotations": dict(message.common_annotations),
        "externalURL": message.external_url,
        "alerts": [_alert(message, alert) for alert in shown],
    }


def _alert(message: Message, alert: Alert) -> dict[str, object]:
    return {
        "status": RESOLVED if alert.is_resolved(message.now_ns) else FIRING,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": Moment(alert.starts_at_ns).rfc3339(),
        "endsAt": message.ends_at(alert).rfc3339(),
        "generatorURL": alert.generator_url,
        "fingerprint": fingerprint(alert.labels),
    }
