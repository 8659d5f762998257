"""alertmanager.yml as it is written: every key that is read, with Alertmanager's defaults.

These types only say what a file may hold; config_file turns them into routes and receivers.
"""

from __future__ import annotations

import msgspec

from watchkeeper.configuration import Duration, Secret, SecretUrl
from watchkeeper.http_client import TlsConfig
from watchkeeper.notify.receiver_config import (
    EmailConfig,
    HttpConfig,
    PagerDutyConfig,
    SlackConfig,
    WebhookConfig,
)

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
"""Where PagerDuty takes events (Events API v2)."""


class GlobalConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """What receivers fall back to."""

    resolve_timeout: Duration = Duration(300)
    http_config: HttpConfig | None = None
    smtp_from: str = ""
    smtp_hello: str = "localhost"
    smtp_smarthost: str = ""
    smtp_auth_username: str = ""
    smtp_auth_password: Secret | None = None
    smtp_auth_password_file: str = ""
    smtp_require_tls: bool = True
    smtp_tls_config: TlsConfig | None = None
    slack_api_url: SecretUrl | None = None
    slack_api_url_file: str = ""
    pagerduty_url: str = PAGERDUTY_URL


class RouteConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A node of the routing tree; what it leaves out it has from the node above."""

    receiver: str = ""
    group_by: list[str] | None = None
    continue_: bool = msgspec.field(name="continue", default=False)
    matchers: list[str] = []
    match: dict[str, str] = {}
    match_re: dict[str, str] = {}
    mute_time_intervals: list[str] = []
    active_time_intervals: list[str] = []
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    routes: list[RouteConfig] = []


class InhibitRuleConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """One inhibition; `*_match` and `*_match_re` are the older way to write matchers."""

    name: str = ""
    source_matchers: list[str] = []
    source_match: dict[str, str] = {}
    source_match_re: dict[str, str] = {}
    target_matchers: list[str] = []
    target_match: dict[str, str] = {}
    target_match_re: dict[str, str] = {}
    equal: list[str] = []


class ReceiverConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A receiver and the ways in which it is told."""

    name: str
    webhook_configs: list[WebhookConfig] = []
    slack_configs: list[SlackConfig] = []
    email_configs: list[EmailConfig] = []
    pagerduty_configs: list[PagerDutyConfig] = []


class TimeRangeConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Part of a day, `HH:MM`; the end is not included."""

    start_time: str
    end_time: str


class TimesConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """Times at which an interval holds."""

    times: list[TimeRangeConfig] = []
    weekdays: list[str] = []
    days_of_month: list[str | int] = []
    months: list[str | int] = []
    years: list[str | int] = []
    location: str = "UTC"


class TimeIntervalConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A named interval: it holds while one of its times does."""

    name: str
    time_intervals: list[TimesConfig] = []


class FileConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """The whole file."""

    global_: GlobalConfig = msgspec.field(name="global", default=GlobalConfig())
    route: RouteConfig
    receivers: list[ReceiverConfig]
    inhibit_rules: list[InhibitRuleConfig] = []
    templates: list[str] = []
    time_intervals: list[TimeIntervalConfig] = []
    mute_time_intervals: list[TimeIntervalConfig] = []
