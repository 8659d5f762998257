import smtplib
from email.message import EmailMessage

import httpx2
import pytest
from aiosmtpd.controller import Controller

from resume_optimizer.devstack.inbox import Inbox, application
from resume_optimizer.devstack.ports import free_ports

pytestmark = pytest.mark.anyio


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def client(inbox):
    transport = httpx2.ASGITransport(application(inbox))
    async with httpx2.AsyncClient(transport=transport, base_url="http://inbox") as made:
        yield made


async def test_each_service_is_answered_in_its_own_words(client):
    slack = await client.post("/slack", json={"channel": "#alerts", "text": "Disk full"})
    event = {"event_action": "trigger", "dedup_key": "k", "payload": {"summary": "Disk full"}}
    pager = await client.post("/pagerduty/v2/enqueue", json=event)
    alerts = {"status": "firing", "alerts": [{"labels": {"alertname": "DiskFull"}}]}
    await client.post("/incidents", json=alerts)
    assert slack.text == "ok"
    assert (pager.status_code, pager.json()["dedup_key"]) == (202, "k")
    kept = (await client.get("/messages")).json()
    assert [(message["way"], message["recipient"], message["title"]) for message in kept] == [
        ("slack", "#alerts", "Disk full"),
        ("pagerduty", "incident", "trigger: Disk full"),
        ("webhook", "incidents", "firing: DiskFull"),
    ]


async def test_it_can_be_told_to_fail(client):
    await client.post("/faults", json={"status": 503})
    assert (await client.post("/slack", json={"text": "x"})).status_code == 503
    await client.post("/faults", json={"status": 0})
    assert (await client.post("/slack", json={"text": "x"})).status_code == 200


async def test_what_it_shows_is_text_and_never_markup(client):
    await client.post("/slack", json={"text": "<script>alert(1)</script>"})
    assert "<script>" not in (await client.get("/")).text


def test_mail_arrives_over_smtp(inbox):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@shop.example", "b@shop.example", "Disk full"
    mail.set_content("On db-1, since noon.")
    (port,) = free_ports(1)
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.send_message(mail)
    finally:
        server.stop()
    (message,) = inbox.messages
    assert (message.way, message.recipient, message.title) == (
        "mail",
        "b@shop.example",
        "Disk full",
    )
    assert "since noon" in message.body
