"""Which hosts the application may fetch from: the public internet, and what tests allow."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from resume_optimizer.failures import Failure

MOST_URL_CHARACTERS = 2_000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRANSLATED = (
    ipaddress.IPv6Network("64:ff9b::/96"),  # RFC 6052: IPv4 inside IPv6
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # RFC 8215
    ipaddress.IPv6Network("2002::/16"),  # RFC 3056: 6to4
    ipaddress.IPv6Network("2001::/32"),  # RFC 4380: Teredo
    ipaddress.IPv6Network("fec0::/10"),  # RFC 3879: site-local, deprecated
)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """One place to fetch from: the name the server knows itself by, and the address we checked."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def connect_url(self) -> str:
        """The URL with the address in place of the name: nobody resolves it a second time."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """The Host header: the name, with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


async def resolve(url: str, allow_private: Collection[str]) -> Target:
    """Check a URL, resolve its name once, and return the address to connect to.

    `allow_private` holds "host:port" pairs, as the URL writes them, that may be private. Every
    address of the name must be public, so that a mixed answer cannot be played with. Raises
    Failure posting_url_invalid, posting_url_private, posting_unreachable.
    """
    parts, host, port = _parts(url)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Failure("posting_unreachable") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses:
        raise Failure("posting_unreachable")
    allowed = f"{host}:{port}" in allow_private
    if not allowed and not all(is_public(address) for address in addresses):
        raise Failure("posting_url_private")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, str(addresses[0]), path)


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _TRANSLATED) or address < _FIRST_MEANT:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


_FIRST_MEANT = ipaddress.IPv6Address(1 << 64)
"""Below it lie ::, ::1 and the IPv4-compatible addresses of RFC 4291, long deprecated."""


def _parts(url: str) -> tuple[SplitResult, str, int]:
    if len(url) > MOST_URL_CHARACTERS or any(char <= " " or char == "\\" for char in url):
        raise Failure("posting_url_invalid")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if ":" in host else host.rstrip(".").encode("idna").decode("ascii")
    except ValueError:  # a bad port, bracket or name; UnicodeError is one
        raise Failure("posting_url_invalid") from None
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.username is not None:
        raise Failure("posting_url_invalid")
    return parts, host, _DEFAULT_PORTS[parts.scheme] if port is None else port
