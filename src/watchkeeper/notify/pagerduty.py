"""PagerDuty, Events API v2: an incident is triggered and resolved under one key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.notify.integration import rendered, secret_text
from watchkeeper.notify.message import FIRING, Message
from watchkeeper.notify.post import Poster
from watchkeeper.notify.receiver_config import PagerDutyConfig
from watchkeeper.templates import Moment, Template

SUMMARY_LIMIT = 1024
"""Characters of a summary that PagerDuty keeps (Events API v2)."""

SEVERITIES = ("critical", "error", "warning", "info")
"""The words that PagerDuty takes for severity; any other becomes `error`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """A PagerDuty service. `texts` are the compiled templates, by the path of their field."""

    config: PagerDutyConfig
    url: str
    texts: dict[str, Template]
    routing_key_file: Path | None
    name: str = "pagerduty"

    @property
    def send_resolved(self) -> bool:
        return self.config.send_resolved

    async def send(self, message: Message, poster: Poster) -> str:
        key = secret_text(self.config.routing_key, self.routing_key_file, "the routing key")
        body = {"routing_key": key, **self.payload(message)}
        return await poster.post(self.url, body, self.config.http_config)

    def payload(self, message: Message) -> dict[str, object]:
        """Return the event without its routing key."""

        def text(field: str) -> str:
            return rendered(self.texts[field], message)

        event: dict[str, object] = {
            "event_action": "trigger" if message.status == FIRING else "resolve",
            "dedup_key": deduplication_key(message.group_key),
        }
        if message.status != FIRING:
            return event
        severity = text("severity").lower()
        since_ns = min(alert.starts_at_ns for alert in message.firing)
        return {
            **event,
            "client": text("client"),
            "client_url": text("client_url"),
            "payload": {
                "summary": text("description")[:SUMMARY_LIMIT],
                "source": text("source"),
                "severity": severity if severity in SEVERITIES else "error",
                "timestamp": Moment(since_ns).rfc3339(),
                "class": text("class_"),
                "component": text("component"),
                "group": text("group"),
                "custom_details": {name: text(f"details.{name}") for name in self.detail_names},
            },
            "images": [
                {
                    "src": text(f"images[{number}].src"),
                    "href": text(f"images[{number}].href"),
                    "alt": text(f"images[{number}].alt"),
                }
                for number in range(len(self.config.images))
            ],
            "links": [
                {"href": text(f"links[{number}].href"), "text": text(f"links[{number}].text")}
                for number in range(len(self.config.links))
            ],
        }

    @property
    def detail_names(self) -> tuple[str, ...]:
        """The names of the custom details."""
        prefix = "details."
        return tuple(name[len(prefix) :] for name in self.texts if name.startswith(prefix))


def deduplication_key(group_key: str) -> str:
    """Return the key under which a group's incident is opened and closed."""
    return hashlib.sha256(group_key.encode()).hexdigest()
