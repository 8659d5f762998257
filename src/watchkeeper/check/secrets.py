"""Checks for secrets that stand in files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.document import Node
from watchkeeper.check.finding import Severity

_KEYS = frozenset(
    {"smtp_auth_password", "smtp_auth_secret", "auth_password", "auth_secret", "password"}
    | {"routing_key", "service_key", "api_key", "opsgenie_api_key", "victorops_api_key"}
    | {"wechat_api_secret", "api_secret", "bearer_token", "bot_token", "token", "user_key"}
    | {"secret_key", "client_secret", "credentials", "slack_app_token", "app_token"}
    | {"basicAuthPassword", "httpHeaderValue1", "adminPassword", "admin_password"}
)
_URL_KEYS = frozenset({"api_url", "slack_api_url", "webhook_url", "url"})
_SECRET_URL = re.compile(
    r"https?://(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/|"
    r"[\w.-]*webhook\.office\.com/|outlook\.office\.com/webhook/|"
    r"chat\.googleapis\.com/v1/spaces/)\S+"
)
_WITH_PASSWORD = re.compile(r"\w+://[^/\s:@]+:(?P<password>[^/\s@]+)@")
_STAND_IN = re.compile(r"\$\{?\w+\}?|<[^<>]+>|\{\{.*\}\}|\*+|x{3,}|__\w+__|file:.*")
_PROVIDER = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abpr]-[A-Za-z0-9-]{10,}|"
    r"sk-[A-Za-z0-9_-]{20,}|glsa_[A-Za-z0-9_]{20,}|eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,})\b"
)


def _secrets(examined: Examined) -> Iterator[Problem]:
    for document in examined.subjects.documents:
        for path, node in document.walk():
            if not isinstance(node.value, str) or not path:
                continue
            what = _what(path[-1], node)
            if what:
                key = next((name for name in reversed(path) if not name.isdigit()), "value")
                place = node.source.place(node.start, node.end)
                yield Problem(place, f"`{key}`", f"holds {what}")


def _what(key: str, node: Node) -> str:
    text = node.raw.strip()
    if not text or _STAND_IN.fullmatch(text):
        return ""
    if key in _KEYS and not text.startswith(("/", "$")):
        return "a secret as plain text"
    if (key in _URL_KEYS or "://" in text) and _SECRET_URL.search(text):
        return "a webhook address, which is a secret"
    password = _WITH_PASSWORD.search(text)
    if password is not None and not _STAND_IN.fullmatch(password["password"]):
        return "an address with a password in it"
    return "a token" if _PROVIDER.search(text) else ""


CHECKS = (
    Check(
        id="secret-in-file",
        severity=Severity.ERROR,
        reason="Who can read the repository, or the file in the cluster, can use the secret.",
        repair="Name a file instead: smtp_auth_password_file, api_url_file, routing_key_file; then "
        "change the secret, since it was seen.",
        find=_secrets,
    ),
)
