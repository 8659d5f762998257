"""Targets by HTTP: the answer, its refusals, and what is kept meanwhile."""

import asyncio

import httpx2
import pytest

from watchkeeper.configuration import convert
from watchkeeper.ingest.config import HttpDiscovery
from watchkeeper.ingest.discovery import Discovery
from watchkeeper.ingest.http_discovery import HttpTargets
from watchkeeper.ingest.polling import Polled

pytestmark = pytest.mark.anyio
URL = "http://inventory.test/targets"
GROUPS = [{"targets": ["one:1", "two:2"], "labels": {"team": "shop"}}]


class Inventory:
    def __init__(self):
        self.answers = [httpx2.Response(200, json=GROUPS)]
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def inventory():
    return Inventory()


@pytest.fixture
def asked(inventory):
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(inventory))
    return HttpTargets(HttpDiscovery(url=URL), client)


async def test_groups_are_targets_with_labels(configured, inventory, asked):
    job = configured("http_sd_configs: [{url: 'http://x'}]")
    discovery = Discovery(job.scrape_configs[0], source=job.source, asked=[asked])
    before = discovery.fingerprint()
    changed = asyncio.Event()
    await discovery.polled[0].ask(changed)
    assert changed.is_set()
    assert discovery.fingerprint() != before
    targets, problems = discovery.targets()
    assert ([target.url for target in targets], problems) == (
        ["http://one:1/metrics", "http://two:2/metrics"],
        [],
    )
    assert dict(targets[0].labels)["team"] == "shop"
    assert dict(targets[0].discovered_labels)["__meta_url"] == URL
    assert inventory.requests[0].headers["x-prometheus-refresh-interval-seconds"] == "60"


async def test_credentials_and_headers_of_the_section_are_sent(inventory, tmp_path):
    (tmp_path / "key").write_text("from a file\n")
    config = convert(
        {
            "url": URL,
            "basic_auth": {"username": "u", "password": "p"},
            "http_headers": {"X-Team": {"values": ["shop"], "files": [str(tmp_path / "key")]}},
        },
        HttpDiscovery,
        source="test",
    )
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(inventory))
    await HttpTargets(config, client).groups()
    headers = inventory.requests[0].headers
    assert headers["authorization"] == "Basic dTpw"
    assert headers["x-team"] == "shop, from a file"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx2.Response(503), "status 503"),
        (httpx2.Response(200, text="[]"), "not application/json"),
        (httpx2.Response(200, content=b"[", headers={"content-type": "application/json"}), "JSON"),
        (httpx2.Response(200, json=[{"targts": []}]), "targts"),
        (httpx2.ConnectError("refused"), "refused"),
    ],
)
async def test_whoever_does_not_answer_well_keeps_the_targets(inventory, asked, answer, reason):
    first, _ = await asked.groups()
    inventory.answers = [answer]
    inventory.requests.clear()
    again, problems = await asked.groups()
    assert again == first
    assert URL in problems[0]
    assert reason in problems[0]


async def test_an_equal_answer_changes_nothing_and_a_bug_stops_nothing(inventory, asked, caplog):
    polled = Polled(asked)
    await polled.ask(asyncio.Event())
    changed = asyncio.Event()
    await polled.ask(changed)
    assert not changed.is_set()
    asked.groups = None
    await polled.ask(changed)
    assert changed.is_set()
    assert len(polled.groups) == 1
    assert polled.problems == ["unexpected TypeError"]
