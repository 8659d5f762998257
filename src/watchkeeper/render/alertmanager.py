"""alertmanager.yml: receivers, routes, inhibition. Secrets are named by file, never written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchkeeper.contract import (
    Contract,
    Email,
    MailServer,
    Notifications,
    PagerDuty,
    Receiver,
    Route,
    Slack,
    Webhook,
)
from watchkeeper.render.document import Document, duration, yaml_document


def config(contract: Contract) -> Document | None:
    """Return alertmanager.yml, or None if the contract notifies nobody."""
    notifications = contract.notifications
    if notifications is None:
        return None
    content: dict[str, Any] = {"global": _global(notifications)}
    content["route"] = route_tree(notifications.route)
    if notifications.inhibitions:
        content["inhibit_rules"] = [
            {
                "source_matchers": list(inhibition.source),
                "target_matchers": list(inhibition.target),
                "equal": list(inhibition.equal),
            }
            for inhibition in notifications.inhibitions
        ]
    content["receivers"] = [_receiver(receiver) for receiver in notifications.receivers]
    return yaml_document("alertmanager/alertmanager.yml", contract.service, content)


def _global(notifications: Notifications) -> dict[str, Any]:
    content: dict[str, Any] = {"resolve_timeout": "5m"}
    if notifications.mail is not None:
        content |= _mail(notifications.mail)
    return content


def _mail(mail: MailServer) -> dict[str, Any]:
    content: dict[str, Any] = {
        "smtp_smarthost": mail.smarthost,
        "smtp_from": mail.sender,
        "smtp_require_tls": mail.require_tls,
    }
    if mail.username:
        content["smtp_auth_username"] = mail.username
        content["smtp_auth_password_file"] = mail.password_file
    return content


def route_tree(
    route: Route,
    *,
    key: Callable[[str], str] = str,
    matchers: Callable[[tuple[str, ...]], list[Any]] = list,
) -> dict[str, Any]:
    """Return a route and those below it; `key` and `matchers` say how a reader spells them."""
    content: dict[str, Any] = {"receiver": route.receiver}
    if route.matchers:
        content["matchers"] = matchers(route.matchers)
    if route.group_by:
        content[key("group_by")] = list(route.group_by)
    for name, seconds in (
        ("group_wait", route.group_wait_seconds),
        ("group_interval", route.group_interval_seconds),
        ("repeat_interval", route.repeat_interval_seconds),
    ):
        if seconds is not None:
            content[key(name)] = duration(seconds)
    if route.continue_:
        content["continue"] = True
    if route.routes:
        content["routes"] = [
            route_tree(child, key=key, matchers=matchers) for child in route.routes
        ]
    return content


def _receiver(receiver: Receiver) -> dict[str, Any]:
    content: dict[str, Any] = {"name": receiver.name}
    for way in receiver.ways:
        key, value = _way(way)
        content.setdefault(key, []).append({**value, "send_resolved": True})
    return content


def _way(way: Slack | Email | PagerDuty | Webhook) -> tuple[str, dict[str, Any]]:
    match way:
        case Slack():
            return "slack_configs", {"channel": way.channel, "api_url_file": way.webhook_url_file}
        case Email():
            return "email_configs", {"to": way.to}
        case PagerDuty():
            url = {"url": way.url} if way.url else {}
            return "pagerduty_configs", {"routing_key_file": way.routing_key_file, **url}
        case Webhook():
            return "webhook_configs", {"url": way.url} if way.url else {"url_file": way.url_file}
