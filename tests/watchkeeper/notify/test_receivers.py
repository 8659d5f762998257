"""Receivers against real servers that behave as receivers do: well, slowly, or not at all."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from watchkeeper.errors import DeliveryError
from watchkeeper.model import labels
from watchkeeper.notify.alert import Alert
from watchkeeper.notify.email import Email
from watchkeeper.notify.message import Message
from watchkeeper.notify.pagerduty import deduplication_key
from watchkeeper.notify.post import Poster
from watchkeeper.notify.retry import deliver
from watchkeeper.testing import NEW_YEAR_2026_NS, FakeClock

pytestmark = pytest.mark.anyio

SECOND = 1_000_000_000
GROUP_KEY = '{}:{alertname="HighErrorRate"}'


def message(*, resolved: bool = False, now_ns: int = NEW_YEAR_2026_NS) -> Message:
    alert = Alert(
        labels=labels({"alertname": "HighErrorRate", "severity": "critical", "job": "api"}),
        annotations=labels(
            {
                "summary": "5 % of requests fail on <api>",
                "description": "Users see errors.",
                "runbook_url": "http://127.0.0.1/runbook",
                "dashboard_url": "http://127.0.0.1/dashboard",
            }
        ),
        starts_at_ns=now_ns - 125 * SECOND,
        ends_at_ns=now_ns - 5 * SECOND if resolved else now_ns + 300 * SECOND,
        updated_at_ns=now_ns,
        generator_url="http://127.0.0.1/graph",
    )
    return Message(
        receiver="team",
        group_key=GROUP_KEY,
        group_labels=(("alertname", "HighErrorRate"),),
        alerts=(alert,),
        now_ns=now_ns,
        external_url="http://127.0.0.1:9400",
    )


@dataclass
class Script:
    """What the server answers, in turn (the last for ever), and what it was asked."""

    answers: list[int | str] = field(default_factory=lambda: [200])
    body: bytes = b"ok"
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Script]:
    """A real HTTP server. `slow` answers after the client gave up; `hang up` closes at once."""
    script = Script()
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            script.requests.append(orjson.loads(self.rfile.read(length)))
            script.headers.append(dict(self.headers))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            if answer == "hang up":
                self.close_connection = True
                self.connection.close()
                return
            if answer == "slow":
                released.wait(60)
                answer = 200
            self.send_response(cast("int", answer))
            self.send_header("Content-Length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

        def log_message(self, *arguments: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.handle_error = lambda *_: None  # type: ignore[method-assign]  # hung up on purpose
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{listening.server_port}/hook?token=hidden"
    yield script
    released.set()
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    poster = Poster()
    yield poster
    await poster.close()


@pytest.fixture
def integration(read_config):
    """The one integration of a receiver that is configured as given."""

    def build(kind: str, config: str, global_: str = ""):
        config = read_config(
            f"global: {{{global_}}}\nroute: {{receiver: team}}\n"
            f"receivers: [{{name: team, {kind}: [{{{config}}}]}}]"
        )
        return config.receivers["team"].integrations[0]

    return build


async def tried(integration, poster: Poster, budget_seconds: float = 30):
    clock = FakeClock()

    async def pause(seconds: float) -> None:
        clock.advance(seconds)

    return await deliver(
        lambda: integration.send(message(), poster),
        budget_seconds=budget_seconds,
        clock=clock,
        sleep=pause,
    )


async def test_a_webhook_gets_alertmanagers_json(server, poster, integration) -> None:
    await integration("webhook_configs", f'url: "{server.url}"').send(message(), poster)
    [body] = server.requests
    assert body == {
        "version": "4",
        "groupKey": GROUP_KEY,
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "team",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {"alertname": "HighErrorRate", "severity": "critical", "job": "api"},
        "commonAnnotations": {
            "summary": "5 % of requests fail on <api>",
            "description": "Users see errors.",
            "runbook_url": "http://127.0.0.1/runbook",
            "dashboard_url": "http://127.0.0.1/dashboard",
        },
        "externalURL": "http://127.0.0.1:9400",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "HighErrorRate", "severity": "critical", "job": "api"},
                "annotations": body["commonAnnotations"],
                "startsAt": "2025-12-31T23:57:55Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://127.0.0.1/graph",
                "fingerprint": body["alerts"][0]["fingerprint"],
            }
        ],
    }


async def test_a_recovery_says_when_it_came(server, poster, integration) -> None:
    webhook = integration("webhook_configs", f'url: "{server.url}"')
    await webhook.send(message(resolved=True), poster)
    [body] = server.requests
    assert body["status"] == "resolved"
    assert body["alerts"][0]["endsAt"] == "2025-12-31T23:59:55Z"


async def test_a_server_error_is_tried_again(server, poster, integration) -> None:
    server.answers = [500, 429, "hang up", 200]
    outcome = await tried(integration("webhook_configs", f'url: "{server.url}"'), poster)
    assert (outcome.delivered, outcome.attempts) == (True, 4)


async def test_a_client_error_is_final(server, poster, integration) -> None:
    server.answers = [404]
    outcome = await tried(integration("webhook_configs", f'url: "{server.url}"'), poster)
    assert (outcome.delivered, outcome.attempts) == (False, 1)
    assert "404" in outcome.detail


async def test_trying_ends_with_the_budget(server, poster, integration) -> None:
    server.answers = [503]
    webhook = integration("webhook_configs", f'url: "{server.url}"')
    outcome = await tried(webhook, poster, budget_seconds=5)
    assert not outcome.delivered
    assert 3 <= outcome.attempts <= 6


async def test_a_slow_receiver_is_left_after_its_timeout(server, poster, integration) -> None:
    server.answers = ["slow"]
    webhook = integration("webhook_configs", f'url: "{server.url}", timeout: 100ms')
    with pytest.raises(DeliveryError, match=r"no answer within 0.1 s") as raised:
        await webhook.send(message(), poster)
    assert raised.value.retryable


async def test_no_error_holds_the_address(server, poster, integration) -> None:
    nobody = integration("webhook_configs", 'url: "http://127.0.0.1:1/hook?token=hidden"')
    broken = integration("webhook_configs", 'url: "nonsense://hidden"')
    for webhook in (nobody, broken):
        with pytest.raises(DeliveryError) as raised:
            await webhook.send(message(), poster)
        assert "hidden" not in str(raised.value)
        assert "hidden" not in repr(webhook)


async def test_an_address_is_read_from_its_file_when_it_is_needed(
    server, poster, integration, tmp_path: Path
) -> None:
    webhook = integration("webhook_configs", "url_file: secret/url")
    with pytest.raises(DeliveryError, match="cannot be read"):
        await webhook.send(message(), poster)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "url").write_text(f"{server.url}\n")
    await webhook.send(message(), poster)
    assert len(server.requests) == 1


async def test_a_receiver_is_given_its_credentials(
    server, poster, integration, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    webhook = integration(
        "webhook_configs",
        f'url: "{server.url}", http_config: {{authorization: {{credentials_file: token}}}}',
    )
    await webhook.send(message(), poster)
    assert server.headers[0]["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("token", ["one\nhidden", "hidden-€"])
async def test_credentials_that_no_header_can_hold_are_told_of_and_not_told(
    server, poster, integration, tmp_path: Path, token: str
) -> None:
    (tmp_path / "token").write_text(token)
    webhook = integration(
        "webhook_configs",
        f'url: "{server.url}", http_config: {{authorization: {{credentials_file: token}}}}',
    )
    with pytest.raises(DeliveryError, match="credentials") as raised:
        await webhook.send(message(), poster)
    assert "hidden" not in str(raised.value)
    assert not raised.value.retryable


async def test_the_environments_proxy_is_not_asked(
    server, poster, integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    await integration("webhook_configs", f'url: "{server.url}"').send(message(), poster)
    assert len(server.requests) == 1


async def test_slack_reads_what_since_when_and_where_to_look(server, poster, integration) -> None:
    slack = integration("slack_configs", f'api_url: "{server.url}", channel: "#ops"')
    await slack.send(message(), poster)
    [body] = server.requests
    [attachment] = body["attachments"]
    assert body["channel"] == "#ops"
    assert attachment["title"] == "[FIRING:1] 5 % of requests fail on &lt;api&gt; (HighErrorRate)"
    assert attachment["color"] == "danger"
    for part in (
        "*5 % of requests fail on &lt;api&gt;*",
        "since 2025-12-31 23:57:55 UTC (2m 5s)",
        "http://127.0.0.1/runbook",
        "http://127.0.0.1/dashboard",
        "http://127.0.0.1/graph",
    ):
        assert part in attachment["text"]


async def test_slack_may_refuse_with_a_success(server, poster, integration) -> None:
    server.body = b'{"ok": false, "error": "channel_not_found"}'
    slack = integration("slack_configs", f'api_url: "{server.url}", channel: "#ops"')
    with pytest.raises(DeliveryError, match="channel_not_found"):
        await slack.send(message(), poster)


async def test_a_broken_text_says_so_and_the_rest_arrives(server, poster, integration) -> None:
    slack = integration("slack_configs", f"api_url: \"{server.url}\", text: '{{{{ .Nope }}}}'")
    await slack.send(message(), poster)
    [attachment] = server.requests[0]["attachments"]
    assert "can't evaluate field Nope" in attachment["text"]
    assert attachment["title"] == "[FIRING:1] 5 % of requests fail on &lt;api&gt; (HighErrorRate)"


async def test_pagerduty_opens_and_closes_one_incident(server, poster, integration) -> None:
    server.answers = [202]
    pagerduty = integration("pagerduty_configs", f'routing_key: k3y, url: "{server.url}"')
    await pagerduty.send(message(), poster)
    await pagerduty.send(message(resolved=True), poster)
    opened, closed = server.requests
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"] == deduplication_key(GROUP_KEY)
    assert opened["routing_key"] == "k3y"
    assert opened["payload"]["severity"] == "critical"
    assert opened["payload"]["timestamp"] == "2025-12-31T23:57:55Z"
    assert "5 % of requests fail" in opened["payload"]["summary"]
    assert "runbook" in opened["payload"]["custom_details"]["firing"]


@dataclass
class Mailbox:
    """What a mail server took in, and what it answers."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answer: str = "250 taken"
    logins: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            content = cast("bytes", envelope.content)
            self.mails.append(
                cast("EmailMessage", message_from_bytes(content, policy=policy.default))
            )
            self.recipients.append(list(envelope.rcpt_tos))
        return self.answer

    def authenticate(self, server, session, envelope, mechanism, data) -> AuthResult:
        self.logins.append(data.password)
        return AuthResult(success=data.password == b"s3cret", handled=False)


@asynccontextmanager
async def mail_server(mailbox: Mailbox, **options: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(mailbox, hostname="localhost", loop=loop, **options), "127.0.0.1", 0
    )
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def mail(integration, port: int, more: str = "") -> Email:
    return integration(
        "email_configs",
        f'to: "one@example.org, two@example.org", send_resolved: true{more}',
        f'smtp_smarthost: "127.0.0.1:{port}", smtp_from: "Watch <watch@example.org>"',
    )


async def test_mail_says_what_since_when_and_where_in_text_and_html(poster, integration) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        await mail(integration, port, ", require_tls: false").send(message(), poster)
    [received] = mailbox.mails
    assert received["Subject"] == "[FIRING:1] 5 % of requests fail on <api> (HighErrorRate)"
    assert mailbox.recipients == [["one@example.org", "two@example.org"]]
    text = received.get_body(("plain",)).get_content()
    page = received.get_body(("html",)).get_content()
    for part in (text, page):
        assert "since 2025-12-31 23:57:55 UTC (2m 5s)" in part
        assert "http://127.0.0.1/runbook" in part
        assert "http://127.0.0.1/dashboard" in part
    assert "fail on <api>" in text
    assert "fail on &lt;api&gt;" in page


async def test_mails_of_one_group_are_one_thread(poster, integration) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        email = mail(integration, port, ", require_tls: false")
        await email.send(message(), poster)
        await email.send(message(resolved=True, now_ns=NEW_YEAR_2026_NS + 60 * SECOND), poster)
    first, second = mailbox.mails
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert second["Subject"] == "[RESOLVED] 5 % of requests fail on <api> (HighErrorRate)"


@dataclass
class Certificate:
    """A certificate for 127.0.0.1 and the server's context with it."""

    file: Path
    context: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:

    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return Certificate(file, context)


async def test_mail_is_sent_over_tls_with_a_password(poster, integration, certificate) -> None:
    mailbox = Mailbox()
    options = {
        "tls_context": certificate.context,
        "require_starttls": True,
        "authenticator": mailbox.authenticate,
        "auth_required": True,
    }
    login = ', auth_username: watch, auth_password: "s3cret"'
    trust = f", tls_config: {{ca_file: {certificate.file}}}"
    async with mail_server(mailbox, **options) as port:
        await mail(integration, port, login + trust).send(message(), poster)
        assert len(mailbox.mails) == 1
        with pytest.raises(DeliveryError) as raised:
            await mail(integration, port, login.replace("s3cret", "wr0ng") + trust).send(
                message(), poster
            )
        assert not raised.value.retryable
        assert "wr0ng" not in str(raised.value)


async def test_a_server_that_cannot_prove_itself_gets_no_mail(
    poster, integration, certificate
) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox, tls_context=certificate.context) as port:
        with pytest.raises(DeliveryError, match="self-signed") as raised:
            await mail(integration, port).send(message(), poster)
    assert not raised.value.retryable
    assert mailbox.mails == []


async def test_tls_that_is_required_and_not_offered_is_an_error(poster, integration) -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as port:
        with pytest.raises(DeliveryError, match="does not offer STARTTLS"):
            await mail(integration, port).send(message(), poster)


@pytest.mark.parametrize(("answer", "retryable"), [("451 later", True), ("554 never", False)])
async def test_a_mail_server_says_whether_to_try_again(
    poster, integration, answer: str, retryable: bool
) -> None:
    mailbox = Mailbox(answer=answer)
    async with mail_server(mailbox) as port:
        with pytest.raises(DeliveryError, match=answer.split()[1]) as raised:
            await mail(integration, port, ", require_tls: false").send(message(), poster)
    assert raised.value.retryable is retryable


async def test_no_mail_server_is_worth_another_try(poster, integration) -> None:
    with pytest.raises(DeliveryError, match="cannot be reached") as raised:
        await mail(integration, 1, ", require_tls: false").send(message(), poster)
    assert raised.value.retryable
