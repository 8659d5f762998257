"""The ways to tell somebody, as alertmanager.yml writes them, with our own default texts.

Texts are templates. `{{ template "..." . }}` names a default that a file under `templates:`
may replace.
"""

from __future__ import annotations

import msgspec

from watchkeeper.configuration import Duration, Secret, SecretUrl
from watchkeeper.http_client import Authorization, BasicAuth, TlsConfig


class HttpConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """How an HTTP receiver is reached."""

    authorization: Authorization | None = None
    basic_auth: BasicAuth | None = None
    bearer_token: Secret | None = None
    bearer_token_file: str = ""
    proxy_url: SecretUrl | None = None
    tls_config: TlsConfig | None = None
    follow_redirects: bool = True


class WebhookConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A URL that takes JSON. `max_alerts` 0 is all; `timeout` 0 is the notifier's own."""

    send_resolved: bool = True
    http_config: HttpConfig | None = None
    url: SecretUrl | None = None
    url_file: str = ""
    max_alerts: int = 0
    timeout: Duration = Duration(0)


class SlackFieldConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A title and a value in a message."""

    title: str
    value: str
    short: bool | None = None


class SlackActionConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A button that opens a URL."""

    type: str
    text: str
    url: str = ""
    style: str = ""


class SlackConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A Slack channel, by its incoming webhook."""

    send_resolved: bool = False
    http_config: HttpConfig | None = None
    api_url: SecretUrl | None = None
    api_url_file: str = ""
    channel: str = ""
    username: str = '{{ template "slack.default.username" . }}'
    color: str = '{{ template "slack.default.color" . }}'
    title: str = '{{ template "slack.default.title" . }}'
    title_link: str = '{{ template "slack.default.titlelink" . }}'
    pretext: str = ""
    text: str = '{{ template "slack.default.text" . }}'
    fallback: str = '{{ template "slack.default.fallback" . }}'
    footer: str = '{{ template "slack.default.footer" . }}'
    callback_id: str = ""
    icon_emoji: str = ""
    icon_url: str = ""
    image_url: str = ""
    thumb_url: str = ""
    link_names: bool = False
    short_fields: bool = False
    mrkdwn_in: tuple[str, ...] = ("text", "pretext", "fallback")
    fields: list[SlackFieldConfig] = []
    actions: list[SlackActionConfig] = []


class EmailConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Mailboxes, separated by commas; what is empty comes from `global`."""

    to: str
    send_resolved: bool = False
    from_: str = msgspec.field(name="from", default="")
    hello: str = ""
    smarthost: str = ""
    auth_username: str = ""
    auth_password: Secret | None = None
    auth_password_file: str = ""
    headers: dict[str, str] = {}
    html: str = '{{ template "email.default.html" . }}'
    text: str = '{{ template "email.default.text" . }}'
    require_tls: bool | None = None
    tls_config: TlsConfig | None = None


class PagerDutyImageConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A picture in an incident."""

    src: str
    href: str = ""
    alt: str = ""


class PagerDutyLinkConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A link in an incident."""

    href: str
    text: str = ""


class PagerDutyConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A PagerDuty service, by Events API v2; an empty `url` is the one of `global`."""

    send_resolved: bool = True
    http_config: HttpConfig | None = None
    routing_key: Secret | None = None
    routing_key_file: str = ""
    url: str = ""
    client: str = '{{ template "pagerduty.default.client" . }}'
    client_url: str = '{{ template "pagerduty.default.clientURL" . }}'
    description: str = '{{ template "pagerduty.default.description" . }}'
    severity: str = '{{ template "pagerduty.default.severity" . }}'
    source: str = '{{ template "pagerduty.default.client" . }}'
    class_: str = msgspec.field(name="class", default="")
    component: str = ""
    group: str = ""
    details: dict[str, str] = {}
    images: list[PagerDutyImageConfig] = []
    links: list[PagerDutyLinkConfig] = []
