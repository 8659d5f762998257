"""Routing: who is told, how, and what hides what. The terms are Alertmanager's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchkeeper.contract.events import MATCHER
from watchkeeper.errors import ContractError


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A Slack channel. The incoming webhook's URL is a secret: only its file is named."""

    channel: str
    webhook_url_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A mailbox."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """A PagerDuty service (Events API v2). `url` is '' for PagerDuty's own."""

    routing_key_file: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A URL that takes Alertmanager's webhook JSON. The URL is read from a file if it is secret."""

    url: str = ""
    url_file: str = ""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.url_file):
            raise ContractError("webhook: give either url or url_file")


@dataclass(frozen=True, slots=True)
class Receiver:
    """A named set of ways to tell somebody. Recovery is always sent."""

    name: str
    ways: tuple[Slack | Email | PagerDuty | Webhook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the routing tree: the first child whose matchers hold takes the alert, unless
    it says `continue_`. `matchers` are Alertmanager's (`severity="critical"`)."""

    receiver: str
    matchers: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    group_wait_seconds: float | None = None
    group_interval_seconds: float | None = None
    repeat_interval_seconds: float | None = None
    continue_: bool = False
    routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        _require_matchers(f"route to {self.receiver}", self.matchers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an alert that matches `source` fires, those that match `target` and agree with it
    in the `equal` labels are not sent."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    equal: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.source or not self.target:
            raise ContractError("inhibition: without source or target it hides everything")
        _require_matchers("inhibition", self.source + self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """How mail leaves. The password is a secret: only its file is named."""

    smarthost: str
    sender: str
    username: str = ""
    password_file: str = ""
    require_tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Receivers, the routing tree and inhibitions."""

    receivers: tuple[Receiver, ...]
    route: Route
    inhibitions: tuple[Inhibition, ...] = ()
    mail: MailServer | None = None
    external_labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {receiver.name for receiver in self.receivers}
        if len(known) != len(self.receivers):
            raise ContractError("a receiver is declared twice")
        _require_receivers(self.route, known)
        sends_mail = any(
            isinstance(way, Email) for receiver in self.receivers for way in receiver.ways
        )
        if sends_mail and self.mail is None:
            raise ContractError("a receiver sends mail: declare `mail`, the server it leaves by")


def _require_matchers(whose: str, matchers: tuple[str, ...]) -> None:
    for matcher in matchers:
        if not MATCHER.match(matcher):
            raise ContractError(
                f'{whose}: {matcher!r} is no matcher; write it as severity="critical"'
            )


def _require_receivers(route: Route, known: set[str]) -> None:
    if route.receiver not in known:
        raise ContractError(f"route: receiver {route.receiver!r} is not declared")
    for child in route.routes:
        _require_receivers(child, known)
