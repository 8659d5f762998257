"""Where one signal goes over OTLP, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from watchkeeper.errors import ConfigError

SIGNALS = ("spans", "logs")
"""What goes over OTLP; metrics are scraped."""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""Source: RFC 9110, 5.1 and 5.5."""

COMPRESSIONS = ("gzip", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a signal goes; what is not given is as for all signals (`Settings.destination_of`).

    `endpoint` is the whole URL; a user and a password in it are sent as basic authentication.
    `certificate` is a file of the authorities that are trusted in
    place of the system's; `client_certificate` and `client_key` are files that show who sends.
    `compression` is `gzip` or `none`; '' compresses for every host but this one.
    """

    endpoint: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = 0.0
    compression: str = ""
    certificate: str = ""
    client_certificate: str = ""
    client_key: str = ""

    def check(self, signal: str) -> None:
        """Raise ConfigError that names the variable, of `signal` (`TRACES_`, `LOGS_` or '')."""
        if self.endpoint and not _is_url(self.endpoint):
            raise ConfigError(
                "must be a URL such as http://127.0.0.1:9400",
                source=f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT",
            )
        for name, value in self.headers.items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise ConfigError(
                    f"{name!r} is no header, or its value cannot be sent in one",
                    source=f"OTEL_EXPORTER_OTLP_{signal}HEADERS",
                )
        if self.compression not in ("", *COMPRESSIONS):
            raise ConfigError(
                f"{self.compression!r} is not known; choose gzip or none",
                source=f"OTEL_EXPORTER_OTLP_{signal}COMPRESSION",
            )
        if not self.timeout_seconds >= 0.0:
            raise ConfigError("must be 0 or more", source=f"OTEL_EXPORTER_OTLP_{signal}TIMEOUT")

    def compresses(self) -> bool:
        """Return whether requests are gzipped on their way: it pays over a network."""
        if self.compression:
            return self.compression == "gzip"
        host = urlsplit(self.endpoint).hostname or ""
        return not (host in ("localhost", "::1") or host.startswith("127."))


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


AS_FOR_ALL = Destination()
"""A signal that goes the way of all."""
