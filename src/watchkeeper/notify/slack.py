"""Slack, by incoming webhook: one attachment a notification."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from watchkeeper.errors import DeliveryError
from watchkeeper.notify.integration import rendered, secret_text
from watchkeeper.notify.message import Message
from watchkeeper.notify.post import Poster
from watchkeeper.notify.receiver_config import SlackConfig
from watchkeeper.templates import Template

TITLE_LIMIT = 1024
"""Characters of a title that Slack shows (Alertmanager, notify/slack)."""

TEXT_LIMIT = 8_000
"""Characters of a text: beyond, nobody reads on, and Slack refuses 40,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A channel. `texts` are the compiled templates, by the path of their field."""

    config: SlackConfig
    texts: dict[str, Template]
    url_file: Path | None
    name: str = "slack"

    @property
    def send_resolved(self) -> bool:
        return self.config.send_resolved

    async def send(self, message: Message, poster: Poster) -> str:
        url = secret_text(self.config.api_url, self.url_file, "Slack's api_url")
        answer = await poster.post(url, self.payload(message), self.config.http_config)
        _require_accepted(answer)
        return answer

    def payload(self, message: Message) -> dict[str, object]:
        """Return the JSON of a message."""

        def text(field: str, limit: int = TEXT_LIMIT) -> str:
            shown = rendered(self.texts[field], message)
            return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"

        attachment: dict[str, object] = {
            "title": text("title", TITLE_LIMIT),
            "title_link": text("title_link"),
            "pretext": text("pretext"),
            "text": text("text"),
            "fallback": text("fallback"),
            "callback_id": text("callback_id"),
            "image_url": text("image_url"),
            "thumb_url": text("thumb_url"),
            "footer": text("footer"),
            "color": text("color"),
            "mrkdwn_in": self.config.mrkdwn_in,
            "fields": [
                {
                    "title": text(f"fields[{number}].title"),
                    "value": text(f"fields[{number}].value"),
                    "short": self.config.short_fields if field.short is None else field.short,
                }
                for number, field in enumerate(self.config.fields)
            ],
            "actions": [
                {
                    "type": action.type,
                    "text": text(f"actions[{number}].text"),
                    "url": text(f"actions[{number}].url"),
                    "style": action.style,
                }
                for number, action in enumerate(self.config.actions)
            ],
        }
        body: dict[str, object] = {
            "channel": text("channel"),
            "username": text("username"),
            "icon_emoji": text("icon_emoji"),
            "icon_url": text("icon_url"),
            "link_names": self.config.link_names,
            "attachments": [_without_empty(attachment)],
        }
        return _without_empty(body)


def _without_empty(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value not in ("", [], False)}


def _require_accepted(answer: str) -> None:
    """Slack's Web API says no with a 200; an incoming webhook just says `ok`."""
    if not answer.startswith("{"):
        return
    try:
        document = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return
    if document.get("ok") is False:
        raise DeliveryError(f"Slack refused it: {document.get('error', '')}", retryable=False)
