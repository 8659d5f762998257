"""Receivers and routes as the Prometheus Operator's AlertmanagerConfig writes them.

Where alertmanager.yml names the file of a secret, this names a key of one Secret: the key is the
file's own name (`secrets/slack_url` is the key `slack_url`).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from watchkeeper.contract import (
    Email,
    MailServer,
    Notifications,
    PagerDuty,
    Receiver,
    Slack,
    Webhook,
)
from watchkeeper.notify.matchers import parse_matchers
from watchkeeper.render.alertmanager import route_tree


def secret_name(service: str) -> str:
    """Return the name of the Secret that holds what the receivers need."""
    return f"{service}-notifications"


def alertmanager_config(service: str, notifications: Notifications) -> dict[str, Any]:
    """Return the `spec` of an AlertmanagerConfig."""
    writer = _Writer(secret_name(service), notifications.mail)
    spec: dict[str, Any] = {
        "route": route_tree(notifications.route, key=_camel_case, matchers=_matchers),
        "receivers": [writer.receiver(receiver) for receiver in notifications.receivers],
    }
    if notifications.inhibitions:
        spec["inhibitRules"] = [
            {
                "sourceMatch": _matchers(inhibition.source),
                "targetMatch": _matchers(inhibition.target),
                "equal": list(inhibition.equal),
            }
            for inhibition in notifications.inhibitions
        ]
    return spec


def _camel_case(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _matchers(texts: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"name": matcher.name, "matchType": matcher.operator.value, "value": matcher.value}
        for text in texts
        for matcher in parse_matchers(text)
    ]


class _Writer:
    """Writes receivers whose secrets are keys of one Secret."""

    def __init__(self, secret: str, mail: MailServer | None) -> None:
        self._secret = secret
        self._mail = mail

    def receiver(self, receiver: Receiver) -> dict[str, Any]:
        content: dict[str, Any] = {"name": receiver.name}
        for way in receiver.ways:
            key, value = self._way(way)
            content.setdefault(key, []).append({**value, "sendResolved": True})
        return content

    def _way(self, way: Slack | Email | PagerDuty | Webhook) -> tuple[str, dict[str, Any]]:
        match way:
            case Slack():
                key = self._key(way.webhook_url_file)
                return "slackConfigs", {"channel": way.channel, "apiURL": key}
            case Email():
                return "emailConfigs", {"to": way.to, **self._smtp()}
            case PagerDuty():
                url = {"url": way.url} if way.url else {}
                return "pagerdutyConfigs", {"routingKey": self._key(way.routing_key_file), **url}
            case Webhook():
                where = {"url": way.url} if way.url else {"urlSecret": self._key(way.url_file)}
                return "webhookConfigs", where

    def _smtp(self) -> dict[str, Any]:
        """An AlertmanagerConfig has no global part: each mailbox names its server."""
        if self._mail is None:
            return {}
        content: dict[str, Any] = {
            "smarthost": self._mail.smarthost,
            "from": self._mail.sender,
            "requireTLS": self._mail.require_tls,
        }
        if self._mail.username:
            content["authUsername"] = self._mail.username
            content["authPassword"] = self._key(self._mail.password_file)
        return content

    def _key(self, path: str) -> dict[str, str]:
        return {"name": self._secret, "key": PurePosixPath(path).name}
