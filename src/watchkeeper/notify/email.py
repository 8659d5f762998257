"""Mail: plain text and HTML, in a thread of its own for each group."""

from __future__ import annotations

import asyncio
import email.policy
import hashlib
import ipaddress
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, parseaddr
from pathlib import Path

from watchkeeper.configuration import Secret
from watchkeeper.errors import DeliveryError
from watchkeeper.http_client import TlsConfig
from watchkeeper.notify.integration import rendered, secret_text
from watchkeeper.notify.message import Message
from watchkeeper.notify.post import Poster, tls_context
from watchkeeper.templates import Template

TIMEOUT_SECONDS = 30.0
_IMPLICIT_TLS_PORT = 465
_POLICY = email.policy.SMTP


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """How mail leaves: `smarthost` is host:port; port 465 speaks TLS from the first byte."""

    smarthost: str
    hello: str
    username: str
    password: Secret | None
    password_file: Path | None
    require_tls: bool
    tls: TlsConfig | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """Mailboxes. `texts` are the compiled templates: to, from_, text, html and headers.NAME."""

    send_resolved: bool
    server: MailServer
    texts: dict[str, Template]
    name: str = "email"

    async def send(self, message: Message, poster: Poster) -> str:
        mail = self.compose(message)
        return await asyncio.to_thread(_deliver, self.server, mail)

    def compose(self, message: Message) -> EmailMessage:
        """Return the mail of a message."""
        mail = EmailMessage(policy=_POLICY)
        sender = _one_line(rendered(self.texts["from_"], message))
        mail["From"] = sender
        mail["To"] = _one_line(rendered(self.texts["to"], message))
        for field, template in self.texts.items():
            if field.startswith("headers."):
                name = field.removeprefix("headers.")
                del mail[name]
                mail[name] = _one_line(rendered(template, message))
        domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        thread = f"<{hashlib.sha256(message.group_key.encode()).hexdigest()[:32]}@{domain}>"
        own = hashlib.sha256(f"{message.group_key} {message.now_ns} {mail['To']}".encode())
        mail["Message-ID"] = f"<{own.hexdigest()[:32]}.{message.now_ns}@{domain}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
        mail["Date"] = format_datetime(datetime.fromtimestamp(message.now_ns // 10**9, tz=UTC))
        mail["Auto-Submitted"] = "auto-generated"
        text, page = self.texts.get("text"), self.texts.get("html")
        if text is not None:
            mail.set_content(rendered(text, message))
        if page is not None:
            shown = rendered(page, message, as_html=True)
            if text is None:
                mail.set_content(shown, subtype="html")
            else:
                mail.add_alternative(shown, subtype="html")
        return mail


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _deliver(server: MailServer, mail: EmailMessage) -> str:
    host, _, port = server.smarthost.rpartition(":")
    try:
        with _connection(server, host.strip("[]"), int(port)) as connection:
            _secure(connection, server, host)
            if server.username:
                password = secret_text(server.password, server.password_file, "the mail password")
                connection.login(server.username, password)
            recipients = [address for _, address in getaddresses([mail["To"]])]
            refused = connection.send_message(mail, to_addrs=recipients)
    except smtplib.SMTPRecipientsRefused as error:
        code = min(reply[0] for reply in error.recipients.values())
        raise DeliveryError(
            f"{server.smarthost} takes no recipient ({code})", retryable=code < 500
        ) from None
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        shown = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise DeliveryError(
            f"{server.smarthost} answered {error.smtp_code} {shown[:200]}",
            retryable=400 <= error.smtp_code < 500,
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryError(f"{server.smarthost}: {error}", retryable=False) from None
    except ssl.SSLCertVerificationError as error:
        raise DeliveryError(
            f"{server.smarthost}: {error.verify_message}", retryable=False
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(
            f"{server.smarthost} cannot be reached: {error}", retryable=True
        ) from None
    if refused:
        return f"accepted, but not for {', '.join(refused)}"
    return "accepted"


def _connection(server: MailServer, host: str, port: int) -> smtplib.SMTP:
    hello = server.hello or None
    if port == _IMPLICIT_TLS_PORT:
        return smtplib.SMTP_SSL(
            host,
            port,
            local_hostname=hello,
            timeout=TIMEOUT_SECONDS,
            context=tls_context(server.tls),
        )
    return smtplib.SMTP(host, port, local_hostname=hello, timeout=TIMEOUT_SECONDS)


def _secure(connection: smtplib.SMTP, server: MailServer, host: str) -> None:
    """Start TLS where it is required; never send a password across a network in the clear."""
    if isinstance(connection, smtplib.SMTP_SSL):
        return
    connection.ehlo()
    if server.require_tls:
        if not connection.has_extn("starttls"):
            raise DeliveryError(
                f"{server.smarthost} does not offer STARTTLS: set require_tls to false, "
                "or use a server that does",
                retryable=False,
            )
        connection.starttls(context=tls_context(server.tls))
        connection.ehlo()
    elif server.username and not _is_loopback(host):
        raise DeliveryError(
            f"{server.smarthost}: require_tls is false, and the password is not sent without TLS",
            retryable=False,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
