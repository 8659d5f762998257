"""Targets by HTTP: the answer, its refusals, and what is kept meanwhile."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx2
import pytest

from watchkeeper.configuration import convert
from watchkeeper.ingest.config import HttpDiscovery
from watchkeeper.ingest.discovery import Discovery
from watchkeeper.ingest.http_discovery import HttpTargets
from watchkeeper.ingest.polling import Polled
from watchkeeper.ingest.scrape import Scraper

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


class Answering(BaseHTTPRequestHandler):
    """Answers as its server says now: status, type and body."""

    def do_GET(self):
        self.server.seen.append(dict(self.headers))
        status, kind, body = self.server.answer
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def answer_of(*targets):
    return 200, "application/json; charset=utf-8", json.dumps([{"targets": targets}]).encode()


@pytest.fixture
def serving():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.seen = []
    server.answer = answer_of("127.0.0.1:1", "127.0.0.1:2")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Following:
    """A scraper that asks again when it is told to, and never for any other reason."""

    def __init__(self, config, sink):
        self.again = asyncio.Queue()
        self.looked = asyncio.Event()
        self.scraper = Scraper(config, sink, sleep=self.sleep)

    async def sleep(self, seconds):
        if asyncio.current_task().get_coro().__qualname__ == "Polled.run":
            await self.again.get()
        else:
            self.looked.set()
            await asyncio.Event().wait()

    async def found(self, ports, problem=""):
        """Wait until there are targets at these ports and discovery complains of `problem`."""
        while not self._shows(ports, problem):
            self.looked.clear()
            await self.looked.wait()

    def _shows(self, ports, problem):
        problems = " ".join(self.scraper.problems)
        shown = [urlsplit(status.url).port for status in self.scraper.targets()]
        return shown == ports and problem in problems and bool(problem) == bool(problems)


async def test_a_scraper_follows_a_real_server_through_its_failures(configured, sink, serving):
    url = f"http://127.0.0.1:{serving.server_port}/targets"
    config = configured(
        f"http_sd_configs: [{{url: '{url}', refresh_interval: 30s, authorization:"
        " {credentials: open-sesame}}]"
    )
    following = Following(config, sink)
    running = asyncio.create_task(following.scraper.run())
    async with asyncio.timeout(20):
        await following.found([1, 2])
        for answer, problem in (
            ((503, "text/plain", b"later"), "status 503"),
            ((200, "application/json", b'[{"targets": ["127.0.0.1'), "not JSON"),
            ((200, "application/json", b'{"targets": []}'), "array"),
            ((200, "text/html", b"<html>"), "text/html"),
            ((302, "text/plain", b""), "302"),
        ):
            serving.answer = answer
            following.again.put_nowait(None)
            await following.found([1, 2], problem)
        serving.answer = answer_of("127.0.0.1:2", "127.0.0.1:3")
        following.again.put_nowait(None)
        await following.found([2, 3])
        serving.answer = answer_of()
        following.again.put_nowait(None)
        await following.found([])
    running.cancel()
    await asyncio.wait([running])
    assert {one["Authorization"] for one in serving.seen} == {"Bearer open-sesame"}
    assert {one["X-Prometheus-Refresh-Interval-Seconds"] for one in serving.seen} == {"30"}
