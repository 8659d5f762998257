"""Who may do what: tokens with roles, and the addresses on which none are needed."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from watchkeeper.errors import ConfigError
from watchkeeper.ingest.quota import DEFAULT_TENANT

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SHORTEST_TOKEN = 24


class Role(IntEnum):
    """What a token allows; each role includes the ones before."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


class Caller(NamedTuple):
    """What a token's holder may do, and whose limits hold for what it sends."""

    role: Role
    tenant: str = DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server. Without tokens whoever reaches the port may do everything."""

    loopback_only: bool = True
    tokens: Mapping[bytes, Caller] = field(default_factory=dict)

    def caller(self, authorization: str) -> Caller:
        """Return who an Authorization header stands for: `Bearer TOKEN`, or Basic with the token
        as its password, which is how a browser asks for one."""
        if not self.tokens:
            return Caller(Role.ADMIN)
        digest = _digest(_presented_token(authorization))
        granted = Caller(Role.NONE)
        for known, caller in self.tokens.items():
            if hmac.compare_digest(known, digest):
                granted = caller
        return granted

    def role(self, authorization: str) -> Role:
        """Return the role of an Authorization header."""
        return self.caller(authorization).role


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_tokens(path: Path) -> dict[bytes, Caller]:
    """Return the digests of a token file: `role token` a line, roles read, write and admin, and
    the name of a tenant after it, if the token has one.

    Raises ConfigError with the line, never with what it holds.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"cannot read the tokens: {reason}", source=str(path)) from None
    tokens: dict[bytes, Caller] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) not in (2, 3) or words[0].upper() not in ("READ", "WRITE", "ADMIN"):
            raise ConfigError(
                "a line is `read|write|admin TOKEN`, and perhaps a tenant after it",
                source=str(path),
                path=f"line {number}",
            )
        if len(words[1]) < SHORTEST_TOKEN:
            raise ConfigError(
                f"a token has at least {SHORTEST_TOKEN} characters",
                source=str(path),
                path=f"line {number}",
            )
        tokens[_digest(words[1])] = Caller(Role[words[0].upper()], *words[2:])
    return tokens


def decide_access(
    host: str, *, tokens: Mapping[bytes, Caller], encrypted: bool, plain_http_accepted: bool
) -> Access:
    """Return the rules for listening on `host`.

    Raises ConfigError where the backend would be open to a network: an address other than
    loopback needs tokens, and TLS or the explicit word that something in front provides it.
    """
    if is_loopback(host):
        return Access(loopback_only=True, tokens=tokens)
    if not tokens:
        raise ConfigError(
            "an address that others can reach needs --tokens FILE", source=f"--host {host}"
        )
    if not encrypted and not plain_http_accepted:
        raise ConfigError(
            "an address that others can reach needs --tls-certificate and --tls-key, or "
            "--accept-plain-http where something in front encrypts",
            source=f"--host {host}",
        )
    return Access(loopback_only=False, tokens=tokens)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _presented_token(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""
