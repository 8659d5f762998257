"""Discovery by DNS: the addresses that names stand for.

Source: prometheus.io, "Configuration", dns_sd_config. A name that does not exist has no targets;
one whose servers do not answer keeps those it had.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from watchkeeper.errors import ConfigError
from watchkeeper.ingest.config import DnsDiscovery, StaticConfig

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

_LOOKUP_SECONDS = 10.0


class DnsTargets:
    """Asks a resolver, by default that of the machine, for the records of some names."""

    def __init__(self, config: DnsDiscovery, resolver: Resolver | None = None) -> None:
        self._config = config
        self._resolver = resolver
        self._of_name: dict[str, list[StaticConfig]] = {}
        self.refresh_seconds = float(config.refresh_interval)

    async def open(self, stack: AsyncExitStack) -> None:
        if self._resolver is not None:
            return
        from dns.asyncresolver import Resolver
        from dns.exception import DNSException

        try:
            self._resolver = await asyncio.to_thread(Resolver)
        except DNSException as error:
            raise ConfigError(f"dns_sd_configs: this machine has no resolver: {error}") from None

    async def groups(self) -> tuple[list[StaticConfig], list[str]]:
        problems = await asyncio.gather(*(self._look_up(name) for name in self._config.names))
        found = [group for name in self._config.names for group in self._of_name.get(name, ())]
        return found, [problem for problem in problems if problem]

    async def _look_up(self, name: str) -> str:
        """Ask for one name, and return what was wrong."""
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN, NoAnswer

        kind = self._config.type
        records: list[Any] = []
        try:
            assert self._resolver is not None
            answer = await self._resolver.resolve(name, kind, search=True, lifetime=_LOOKUP_SECONDS)
            records = list(answer)
        except (NXDOMAIN, NoAnswer):
            pass
        except (DNSException, OSError, UnicodeError) as error:
            return f"DNS: {kind} of {name}: {error}"
        groups = [self._group(name, record) for record in records]
        self._of_name[name] = sorted(groups, key=lambda group: group.targets)
        return ""

    def _group(self, name: str, record: Any) -> StaticConfig:
        port = self._config.port
        host, more = "", {}
        match self._config.type:
            case "SRV":
                host, port = str(record.target).rstrip("."), record.port
                more = {
                    "__meta_dns_srv_record_target": str(record.target),
                    "__meta_dns_srv_record_port": str(port),
                }
            case "MX":
                host = str(record.exchange).rstrip(".")
                more = {"__meta_dns_mx_record_target": str(record.exchange)}
            case "NS":
                host = str(record.target).rstrip(".")
                more = {"__meta_dns_ns_record_target": str(record.target)}
            case "AAAA":
                host = f"[{record.address}]"
            case "A":
                host = record.address
        return StaticConfig(targets=(f"{host}:{port}",), labels={"__meta_dns_name": name, **more})
