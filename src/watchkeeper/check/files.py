"""Checks of files as such: readable, and with the keys that their reader knows."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.document import Node
from watchkeeper.check.finding import Severity
from watchkeeper.check.read_alertmanager import is_alertmanager
from watchkeeper.notify.config import InhibitRuleConfig, RouteConfig
from watchkeeper.notify.receiver_config import (
    EmailConfig,
    PagerDutyConfig,
    SlackConfig,
    WebhookConfig,
)
from watchkeeper.promql.suggestion import suggest

_NEWER = {
    "slack": {"timeout", "message_text", "app_token", "app_token_file", "app_url", "update_message"}
    | {"actions", "fields", "short_fields", "headers"},
    "email": {"auth_secret", "auth_secret_file", "auth_identity", "auth_username_file"}
    | {"threading", "implicit_tls", "force_implicit_tls"},
    "pagerduty": {"service_key", "service_key_file", "timeout"},
    "webhook": {"payload"},
}
"""Keys of Alertmanager that the embedded notifier does not read."""

_TOP = frozenset(
    {"global", "route", "receivers", "inhibit_rules", "templates", "time_intervals"}
    | {"mute_time_intervals", "tracing"}
)


def _fields(kind: type) -> set[str]:
    names: tuple[str, ...] = kind.__struct_encode_fields__  # type: ignore[attr-defined]
    return set(names)


_WAYS = {
    "slack": _fields(SlackConfig) | _NEWER["slack"],
    "email": _fields(EmailConfig) | _NEWER["email"],
    "pagerduty": _fields(PagerDutyConfig) | _NEWER["pagerduty"],
    "webhook": _fields(WebhookConfig) | _NEWER["webhook"],
}
_ROUTE = _fields(RouteConfig) | {"object_matchers"}
_INHIBITION = _fields(InhibitRuleConfig) | {"sources"}


def _unreadable(examined: Examined) -> Iterator[Problem]:
    for one in examined.subjects.unreadable:
        yield Problem(one.place, "file", one.reason)


def _unknown_keys(examined: Examined) -> Iterator[Problem]:
    for document in examined.subjects.documents:
        if not is_alertmanager(document):
            continue
        yield from _other_keys(document, _TOP, "Alertmanager's configuration")
        for path, node in document.walk():
            if path == ("route",) or path[-2:-1] == ("routes",):
                yield from _other_keys(node, _ROUTE, "a route")
            elif path[-2:-1] == ("inhibit_rules",):
                yield from _other_keys(node, _INHIBITION, "an inhibition")
            elif len(path) >= 2 and path[-2].endswith("_configs"):
                kind = path[-2].removesuffix("_configs")
                if kind in _WAYS:
                    yield from _other_keys(node, _WAYS[kind], f"a receiver of kind {kind}")


def _other_keys(node: Node, known: set[str] | frozenset[str], what: str) -> Iterator[Problem]:
    for name, value in node.items():
        if name not in known:
            message = f"{what} has no key {name!r}{suggest(name, known)}"
            yield Problem(value.name_place, "file", message)


CHECKS = (
    Check(
        id="unreadable",
        severity=Severity.ERROR,
        reason="What reads the file refuses it, and goes on with the old one or not at all.",
        repair="Correct the file.",
        find=_unreadable,
    ),
    Check(
        id="unknown-key",
        severity=Severity.ERROR,
        reason="Alertmanager refuses a configuration with keys that it does not know.",
        repair="Correct the key, or delete it.",
        find=_unknown_keys,
    ),
)
