"""Receivers ready to send, from what the file says about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from watchkeeper.configuration import Secret
from watchkeeper.errors import ConfigError
from watchkeeper.http_client import TlsConfig
from watchkeeper.notify.config import GlobalConfig, ReceiverConfig
from watchkeeper.notify.default_templates import PAGERDUTY_DETAILS
from watchkeeper.notify.email import Email, MailServer
from watchkeeper.notify.integration import Integration, Receiver
from watchkeeper.notify.pagerduty import PagerDuty
from watchkeeper.notify.post import TIMEOUT_SECONDS
from watchkeeper.notify.receiver_config import (
    EmailConfig,
    HttpConfig,
    PagerDutyConfig,
    SlackConfig,
    WebhookConfig,
)
from watchkeeper.notify.slack import Slack
from watchkeeper.notify.webhook import Webhook
from watchkeeper.templates import Library, Template

_PLAIN_FIELDS = frozenset(
    {"url_file", "api_url_file", "routing_key_file", "auth_password_file", "smarthost", "hello"}
    | {"auth_username", "url", "type", "style"}
)


class ReceiverBuilder:
    """Builds receivers: fills in `global`, resolves files, compiles every text."""

    def __init__(
        self, global_: GlobalConfig, library: Library, directory: Path, source: str
    ) -> None:
        self._global = global_
        self._library = library
        self._directory = directory
        self._source = source

    def build(self, config: ReceiverConfig, path: str) -> Receiver:
        """Return a receiver. Raises ConfigError that names the place."""
        integrations: list[Integration] = []
        for number, webhook in enumerate(config.webhook_configs):
            integrations.append(self._webhook(webhook, f"{path}.webhook_configs[{number}]"))
        for number, slack in enumerate(config.slack_configs):
            integrations.append(self._slack(slack, f"{path}.slack_configs[{number}]"))
        for number, email in enumerate(config.email_configs):
            integrations.append(self._email(email, f"{path}.email_configs[{number}]"))
        for number, pagerduty in enumerate(config.pagerduty_configs):
            integrations.append(self._pagerduty(pagerduty, f"{path}.pagerduty_configs[{number}]"))
        return Receiver(config.name, tuple(integrations))

    def _webhook(self, config: WebhookConfig, path: str) -> Webhook:
        self._require_one(config.url, config.url_file, "url", path)
        return Webhook(
            send_resolved=config.send_resolved,
            url=config.url,
            url_file=self._file(config.url_file),
            http=self._http(config.http_config),
            max_alerts=config.max_alerts,
            timeout_seconds=float(config.timeout) or TIMEOUT_SECONDS,
        )

    def _slack(self, config: SlackConfig, path: str) -> Slack:
        url, file = config.api_url, config.api_url_file
        if url is None and not file:
            url, file = self._global.slack_api_url, self._global.slack_api_url_file
        self._require_one(url, file, "api_url", path)
        filled = msgspec.structs.replace(
            config, api_url=url, http_config=self._http(config.http_config)
        )
        return Slack(config=filled, texts=self._texts(config, path), url_file=self._file(file))

    def _email(self, config: EmailConfig, path: str) -> Email:
        shared = self._global
        password, file = config.auth_password, config.auth_password_file
        if password is None and not file:
            password, file = shared.smtp_auth_password, shared.smtp_auth_password_file
        sender = config.from_ or shared.smtp_from
        smarthost = config.smarthost or shared.smtp_smarthost
        for value, key in ((sender, "smtp_from"), (smarthost, "smtp_smarthost")):
            if not value:
                raise self._error(f"mail needs `{key}` in `global`", path)
        if not smarthost.rpartition(":")[2].isdigit():
            raise self._error(f"smarthost {smarthost!r}: write host:port", path)
        username = config.auth_username or shared.smtp_auth_username
        if username and password is None and not file:
            raise self._error(f"user {username!r} has no password: set auth_password_file", path)
        headers = {"Subject": '{{ template "email.default.subject" . }}', **config.headers}
        required = shared.smtp_require_tls if config.require_tls is None else config.require_tls
        tls = self._tls(config.tls_config or shared.smtp_tls_config)
        if tls is not None and tls.server_name:
            reason = "mail is checked against the name in `smarthost`: leave out `server_name`"
            raise self._error(reason, path)
        return Email(
            send_resolved=config.send_resolved,
            server=MailServer(
                smarthost=smarthost,
                hello=config.hello or shared.smtp_hello,
                username=username,
                password=password,
                password_file=self._file(file),
                require_tls=required,
                tls=tls,
            ),
            texts=self._texts(msgspec.structs.replace(config, from_=sender, headers=headers), path),
        )

    def _pagerduty(self, config: PagerDutyConfig, path: str) -> PagerDuty:
        self._require_one(config.routing_key, config.routing_key_file, "routing_key", path)
        details = {**PAGERDUTY_DETAILS, **config.details}
        filled = msgspec.structs.replace(
            config, details=details, http_config=self._http(config.http_config)
        )
        return PagerDuty(
            config=filled,
            url=config.url or self._global.pagerduty_url,
            texts=self._texts(filled, path),
            routing_key_file=self._file(config.routing_key_file),
        )

    def _texts(self, config: msgspec.Struct, path: str) -> dict[str, Template]:
        """Compile every text of a configuration; `text` and `html` of mail may be left empty."""
        texts: dict[str, Template] = {}
        for field, source in _sources(config):
            if isinstance(config, EmailConfig) and field in ("text", "html") and not source:
                continue
            try:
                texts[field] = self._library.compile(source, name=f"{path}.{field}")
            except ConfigError as error:
                raise self._error(f"{error.path}: {error.reason}", f"{path}.{field}") from None
        return texts

    def _file(self, name: str) -> Path | None:
        return self._directory / name if name else None

    def _http(self, config: HttpConfig | None) -> HttpConfig | None:
        config = config or self._global.http_config
        if config is None:
            return None
        basic, authorization = config.basic_auth, config.authorization
        return msgspec.structs.replace(
            config,
            tls_config=self._tls(config.tls_config),
            bearer_token_file=self._name(config.bearer_token_file),
            basic_auth=basic
            and msgspec.structs.replace(basic, password_file=self._name(basic.password_file)),
            authorization=authorization
            and msgspec.structs.replace(
                authorization, credentials_file=self._name(authorization.credentials_file)
            ),
        )

    def _tls(self, config: TlsConfig | None) -> TlsConfig | None:
        if config is None:
            return None
        return msgspec.structs.replace(
            config,
            ca_file=self._name(config.ca_file),
            cert_file=self._name(config.cert_file),
            key_file=self._name(config.key_file),
        )

    def _name(self, file: str) -> str:
        return str(self._directory / file) if file else ""

    def _require_one(self, secret: Secret | None, file: str, key: str, path: str) -> None:
        if (secret is None) == (not file):
            raise self._error(f"give either `{key}` or `{key}_file`", path)

    def _error(self, reason: str, path: str) -> ConfigError:
        return ConfigError(reason, source=self._source, path=path)


def _sources(config: msgspec.Struct, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the template sources of a configuration with the paths of their fields."""
    for name in config.__struct_fields__:
        value = getattr(config, name)
        if isinstance(value, str) and (name not in _PLAIN_FIELDS or prefix):
            yield f"{prefix}{name}", value
        elif isinstance(value, Mapping):
            yield from ((f"{prefix}{name}.{key}", text) for key, text in value.items())
        elif isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, msgspec.Struct):
                    yield from _sources(item, f"{prefix}{name}[{number}].")
