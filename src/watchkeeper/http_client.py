"""HTTP clients as configuration files describe them: whom to trust, and how to show who asks.

Source: prometheus.io, "Configuration", <http_config>: Prometheus and Alertmanager share it.
"""

from __future__ import annotations

import ssl
from base64 import b64encode

import httpx2
import msgspec

from watchkeeper.configuration import Secret, revealed
from watchkeeper.errors import ConfigError


class _Section(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A mapping of a file: unknown keys are errors."""


class TlsConfig(_Section, frozen=True, kw_only=True):
    """How a server proves itself, and we ourselves to it."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure_skip_verify: bool = False


class BasicAuth(_Section, frozen=True, kw_only=True):
    """A user name and a password, or the file that holds it."""

    username: str = ""
    password: Secret | None = None
    password_file: str = ""


class Authorization(_Section, frozen=True, kw_only=True):
    """The Authorization header: its type, and the credentials or the file that holds them."""

    type: str = "Bearer"
    credentials: Secret | None = None
    credentials_file: str = ""


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
