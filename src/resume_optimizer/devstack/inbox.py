"""Where notifications arrive in development: Slack, PagerDuty, webhooks and mail on loopback.

Each speaks its service's protocol over a socket and can be told to fail. What arrives is kept
in memory, listed at GET / and as JSON at GET /messages, and printed as one line.

`python -m resume_optimizer.devstack.inbox --port 9401 --mail-port 9402`
"""

from __future__ import annotations

import argparse
import html
import json
import sys
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy
from typing import Any

import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

KEPT_MESSAGES = 500


@dataclass(frozen=True, slots=True)
class Message:
    """One notification: when, by which way (slack, pagerduty, webhook, mail), to whom, what."""

    received: str
    way: str
    recipient: str
    title: str
    body: str


class Inbox:
    """The messages, newest last, and the status that the HTTP services answer with."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque(maxlen=KEPT_MESSAGES)
        self.failing_status = 0

    def keep(self, way: str, recipient: str, title: str, body: str) -> None:
        """Keep a message and print a line about it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.messages.append(Message(now, way, recipient, title, body))
        sys.stdout.write(f"{way} {recipient}: {title}\n")
        sys.stdout.flush()

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail."""
        content = envelope.content
        mail = message_from_bytes(
            content if isinstance(content, bytes) else (content or "").encode(), policy=email_policy
        )
        body = mail.get_body(("plain", "html")) if isinstance(mail, EmailMessage) else None
        text = str(body.get_content()) if body is not None else ""
        self.keep("mail", ", ".join(envelope.rcpt_tos), str(mail["Subject"]), text)
        return "250 kept"


def application(inbox: Inbox) -> Starlette:
    """Return the HTTP side of the inbox."""

    async def slack(request: Request) -> Response:
        content = await request.json()
        attachments: list[dict[str, Any]] = content.get("attachments") or [{}]
        title = attachments[0].get("title") or content.get("text") or "(no title)"
        inbox.keep("slack", content.get("channel", ""), title, _pretty(content))
        return _refusal(inbox) or PlainTextResponse("ok")

    async def pagerduty(request: Request) -> Response:
        content = await request.json()
        summary = (content.get("payload") or {}).get("summary", content.get("dedup_key", ""))
        title = f"{content.get('event_action')}: {summary}"
        inbox.keep("pagerduty", "incident", title, _pretty(content))
        answer = {"status": "success", "dedup_key": content.get("dedup_key")}
        return _refusal(inbox) or JSONResponse(answer, 202)

    async def webhook(request: Request) -> Response:
        content = await request.json()
        names = sorted({alert["labels"].get("alertname", "") for alert in content["alerts"]})
        title = f"{content['status']}: {', '.join(names)}"
        inbox.keep("webhook", request.path_params["name"], title, _pretty(content))
        return _refusal(inbox) or PlainTextResponse("ok")

    async def messages(request: Request) -> Response:
        return JSONResponse([asdict(message) for message in inbox.messages])

    async def faults(request: Request) -> Response:
        inbox.failing_status = int((await request.json())["status"])
        return PlainTextResponse("ok")

    async def page(request: Request) -> Response:
        return HTMLResponse(_page(inbox))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/messages", messages),
            Route("/faults", faults, methods=["POST"]),
            Route("/slack", slack, methods=["POST"]),
            Route("/pagerduty/v2/enqueue", pagerduty, methods=["POST"]),
            Route("/{name}", webhook, methods=["POST"]),
        ]
    )


def _refusal(inbox: Inbox) -> Response | None:
    return PlainTextResponse("told to fail", inbox.failing_status) if inbox.failing_status else None


def _pretty(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)


def _page(inbox: Inbox) -> str:
    rows = "".join(
        f"<details><summary><time>{message.received}</time> <b>{html.escape(message.way)}</b> "
        f"{html.escape(message.recipient)}: {html.escape(message.title)}</summary>"
        f"<pre>{html.escape(message.body)}</pre></details>"
        for message in reversed(inbox.messages)
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Inbox</title>"
        "<meta http-equiv=refresh content=10><meta name=color-scheme content='light dark'>"
        "<body style='font: 15px/1.6 system-ui; max-width: 60rem; margin: 2rem auto'>"
        f"<h1>Inbox</h1><p>What Slack, PagerDuty, webhooks and mailboxes received.</p>{rows}"
    )


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mail-port", type=int, required=True)
    options = parser.parse_args()
    inbox = Inbox()
    mail = Controller(inbox, hostname="127.0.0.1", port=options.mail_port)
    mail.start()
    try:
        uvicorn.run(
            application(inbox),
            host="127.0.0.1",
            port=options.port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    finally:
        mail.stop()


if __name__ == "__main__":
    main()
