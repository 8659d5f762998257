"""Targets by DNS, asked of a real name server on loopback."""

import asyncio
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from dns.asyncresolver import Resolver

from watchkeeper.ingest.config import DnsDiscovery
from watchkeeper.ingest.discovery import Discovery
from watchkeeper.ingest.dns_discovery import DnsTargets
from watchkeeper.ingest.scrape import Scraper

pytestmark = pytest.mark.anyio


class NameServer(asyncio.DatagramProtocol):
    """Answers from a zone, whose texts are as zone files have them; fails while `fails`."""

    def __init__(self):
        self.zone = {}
        self.fails = False
        self.asked = 0

    def hold(self, name, kind, *texts):
        self.zone[f"{name}.", kind] = dns.rrset.from_text(f"{name}.", 5, "IN", kind, *texts)

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.asked += 1
        query = dns.message.from_wire(data)
        question = query.question[0]
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        name = question.name.to_text()
        found = self.zone.get((name, dns.rdatatype.to_text(question.rdtype)))
        if self.fails:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif found is not None:
            answer.answer.append(found)
        elif all(known != name for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


@pytest.fixture
async def server():
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield server
    transport.close()


@pytest.fixture
def ask(server):
    def make(kind="SRV", port=0, names=("_metrics._tcp.shop.test",)):
        resolver = Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = server.transport.get_extra_info("sockname")[1]
        return DnsTargets(DnsDiscovery(names=names, type=kind, port=port), resolver)

    return make


async def test_a_service_record_names_host_and_port(server, ask):
    server.hold("_metrics._tcp.shop.test", "SRV", "0 5 8002 b.shop.test.", "0 5 8001 a.shop.test.")
    groups, problems = await ask().groups()
    assert problems == []
    assert [group.targets for group in groups] == [("a.shop.test:8001",), ("b.shop.test:8002",)]
    assert groups[0].labels == {
        "__meta_dns_name": "_metrics._tcp.shop.test",
        "__meta_dns_srv_record_target": "a.shop.test.",
        "__meta_dns_srv_record_port": "8001",
    }


@pytest.mark.parametrize(
    ("kind", "text", "target"),
    [
        ("A", "10.0.0.1", "10.0.0.1:9100"),
        ("AAAA", "fd00::1", "[fd00::1]:9100"),
        ("MX", "10 mail.shop.test.", "mail.shop.test:9100"),
        ("NS", "ns.shop.test.", "ns.shop.test:9100"),
    ],
)
async def test_other_records_get_the_port_that_the_job_says(server, ask, kind, text, target):
    server.hold("shop.test", kind, text)
    groups, _ = await ask(kind, 9100, ["shop.test"]).groups()
    assert [group.targets for group in groups] == [(target,)]


async def test_a_name_that_does_not_exist_any_more_has_no_targets(server, ask):
    server.hold("shop.test", "A", "10.0.0.1")
    asked = ask("A", 80, ["shop.test"])
    assert len((await asked.groups())[0]) == 1
    server.zone.clear()
    assert await asked.groups() == ([], [])


async def test_a_server_that_fails_leaves_the_targets_as_they_were(server, ask):
    server.hold("shop.test", "A", "10.0.0.1")
    asked = ask("A", 80, ["shop.test"])
    before, _ = await asked.groups()
    server.fails = True
    after, problems = await asked.groups()
    assert after == before
    assert "A of shop.test" in problems[0]


@asynccontextmanager
async def running(scraper):
    task = asyncio.create_task(scraper.run())
    yield
    task.cancel()
    await asyncio.wait([task])


async def test_a_scraper_follows_the_records(configured, server, ask, sink, monkeypatch):
    """The first answer counts at once, not at the next look at files."""
    server.hold("shop.test", "A", "127.0.0.1")
    asked = ask("A", 1, ["shop.test"])
    monkeypatch.setattr(
        "watchkeeper.ingest.scrape.Discovery",
        lambda job, source: Discovery(job, source=source, asked=[asked]),
    )
    found = asyncio.Event()

    async def sleep(seconds):
        if asyncio.current_task().get_coro().__qualname__ == "TargetBeat.run":
            found.set()
        await asyncio.Event().wait()

    scraper = Scraper(configured("scrape_interval: 1s"), sink, sleep=sleep)
    async with running(scraper), asyncio.timeout(10):
        await found.wait()
    (status,) = scraper.targets()
    assert status.url == "http://127.0.0.1:1/metrics"
    assert dict(status.discovered_labels)["__meta_dns_name"] == "shop.test"
