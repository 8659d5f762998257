import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from resume_optimizer.failures import Failure
from resume_optimizer.resumes.addresses import is_public, resolve

pytestmark = pytest.mark.anyio

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fec0::1", "2001:db8::1",
]  # fmt: skip


async def code_of(url: str, allow_private: tuple[str, ...] = ()) -> str:
    with pytest.raises(Failure) as raised:
        await resolve(url, allow_private)
    return raised.value.code


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14"])
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "localhost",
        "[::ffff:127.0.0.1]",
        "127.0.0.1.",
        "169.254.169.254",
        "①②⑦.0.0.1",
    ],
)
async def test_every_way_to_write_a_private_address_is_refused(host: str) -> None:
    assert await code_of(f"http://{host}/") == "posting_url_private"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "posting",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "http://a:b@example.com/",
        "http://example.com:99999/",
        "http://exa mple.com/",
        "http://[::1/",
        "http://a\\b/",
        "http://example.com/" + "a" * 3000,
        "http://" + "a" * 80 + ".com/",
        "gopher://x/",
    ],
)
async def test_what_is_no_url_of_the_web_is_refused(url: str) -> None:
    assert await code_of(url) == "posting_url_invalid"


async def test_only_the_very_host_and_port_that_is_allowed_may_be_private() -> None:
    target = await resolve("http://127.0.0.1:8080/a?b=c", ("127.0.0.1:8080",))
    assert target.connect_url == "http://127.0.0.1:8080/a?b=c"
    assert await code_of("http://127.0.0.1:8081/", ("127.0.0.1:8080",)) == "posting_url_private"


async def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_with(monkeypatch, "93.184.215.14")
    target = await resolve("https://Jobs.Example.com/one#top", ())
    assert target.connect_url == "https://93.184.215.14:443/one"
    assert (target.host_header, target.host) == ("jobs.example.com", "jobs.example.com")


async def test_a_name_with_one_private_address_among_others_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_with(monkeypatch, "93.184.215.14", "10.0.0.1")
    assert await code_of("https://jobs.example.com/") == "posting_url_private"


def answer_with(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
