"""HTTP clients as configuration files describe them: whom to trust, and how to show who asks.

Source: prometheus.io, "Configuration", <http_config>: Prometheus and Alertmanager share it.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any, Literal

import httpx2
import msgspec

from watchkeeper.configuration import Secret, SecretUrl, revealed
from watchkeeper.errors import ConfigError

TlsVersion = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_OWN_HEADERS = frozenset(
    (
        *("accept", "accept-encoding", "authorization", "connection", "content-encoding"),
        *("content-length", "content-type", "host", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade", "user-agent"),
        "x-prometheus-scrape-timeout-seconds",
    )
)
"""What the client writes itself, and a file may not (Prometheus, config.ReservedHeaders)."""


class _Section(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A mapping of a file: unknown keys are errors."""


class TlsConfig(_Section, frozen=True, kw_only=True):
    """How a server proves itself, and we ourselves to it."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    min_version: TlsVersion | None = None
    max_version: TlsVersion | None = None
    insecure_skip_verify: bool = False

    def problem(self) -> str:
        """Return what contradicts itself; '' if nothing does."""
        if bool(self.cert_file) != bool(self.key_file):
            return "tls_config: cert_file and key_file go together"
        if self.min_version and self.max_version and self.min_version > self.max_version:
            return "tls_config: min_version is above max_version"
        return ""


class BasicAuth(_Section, frozen=True, kw_only=True):
    """A user name and a password, or the file that holds it."""

    username: str = ""
    password: Secret | None = None
    password_file: str = ""

    def problem(self) -> str:
        """Return what contradicts itself; '' if nothing does."""
        if self.password is not None and self.password_file:
            return "basic_auth: give password or password_file, not both"
        return ""


class Authorization(_Section, frozen=True, kw_only=True):
    """The Authorization header: its type, and the credentials or the file that holds them."""

    type: str = "Bearer"
    credentials: Secret | None = None
    credentials_file: str = ""

    def problem(self) -> str:
        """Return what contradicts itself; '' if nothing does."""
        if self.credentials is not None and self.credentials_file:
            return "authorization: give credentials or credentials_file, not both"
        if self.type.strip().lower() == "basic":
            return "authorization: of type Basic is what basic_auth is for"
        return ""


class HeaderValues(_Section, frozen=True, kw_only=True):
    """The values of one header: as they are, as secrets, or as files hold them."""

    values: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    files: tuple[str, ...] = ()


class HttpClientConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What Prometheus' <http_config> says. Connections speak HTTP/1.1, with `enable_http2` too:
    that allows the other, and asks nobody for it."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls_config: TlsConfig | None = None
    follow_redirects: bool = True
    enable_http2: bool = True
    proxy_url: SecretUrl | None = None
    http_headers: dict[str, HeaderValues] = {}

    def problem(self) -> str:
        """Return what contradicts itself; '' if nothing does."""
        if self.basic_auth is not None and self.authorization is not None:
            return "give basic_auth or authorization, not both"
        for name in self.http_headers:
            if name.lower() in _OWN_HEADERS:
                return f"http_headers may not set {name}: the client does"
        sections = (self.basic_auth, self.authorization, self.tls_config)
        problems = (one.problem() for one in sections if one is not None)
        return next(filter(None, problems), "")


def open_client_of(config: HttpClientConfig) -> httpx2.AsyncClient:
    """Return the client that a section describes. Raises ConfigError."""
    proxy = None if config.proxy_url is None else config.proxy_url.reveal()
    return open_client(config.tls_config, follow_redirects=config.follow_redirects, proxy=proxy)


def headers_of(config: HttpClientConfig) -> dict[str, str]:
    """Return the headers of a section, with who asks. Raises OSError and UnicodeError."""
    found = authorization_header(config.basic_auth, config.authorization)
    for name, given in config.http_headers.items():
        texts = [
            *given.values,
            *(secret.reveal() for secret in given.secrets),
            *(Path(file).read_text(encoding="utf-8").strip() for file in given.files),
        ]
        found[name] = ", ".join(texts)
    return found


def extensions_of(tls: TlsConfig | None) -> dict[str, Any]:
    """Return what a request must know beside its headers: the name that a server proves."""
    return {"sni_hostname": tls.server_name} if tls is not None and tls.server_name else {}


def open_client(
    tls: TlsConfig | None, *, follow_redirects: bool, proxy: str | None = None
) -> httpx2.AsyncClient:
    """Return a client without timeouts of its own. Raises ConfigError if a TLS file is no use."""
    return httpx2.AsyncClient(
        verify=True if tls is None else tls_context(tls),
        proxy=proxy,
        follow_redirects=follow_redirects,
        timeout=None,
        # Proxies and .netrc of the environment are not part of what the files say.
        trust_env=False,
    )


def tls_context(tls: TlsConfig) -> ssl.SSLContext:
    """Return how a server is verified. Raises ConfigError if a file of it cannot be used."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_file or None)
        if tls.cert_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
        if tls.min_version:
            context.minimum_version = _VERSIONS[tls.min_version]
        if tls.max_version:
            context.maximum_version = _VERSIONS[tls.max_version]
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"tls_config: {error.strerror or error}; check its files") from None
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def authorization_header(
    basic_auth: BasicAuth | None, authorization: Authorization | None
) -> dict[str, str]:
    """Return the header that shows who asks, none if neither is given.

    Files are read each time, so that a rotated secret counts at once. Raises OSError and
    UnicodeError.
    """
    if basic_auth is not None:
        password = revealed(basic_auth.password, basic_auth.password_file)
        pair = b64encode(f"{basic_auth.username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    if authorization is not None:
        credentials = revealed(authorization.credentials, authorization.credentials_file)
        return {"Authorization": f"{authorization.type} {credentials}"}
    return {}
