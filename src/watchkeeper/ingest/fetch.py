"""Fetching an exposition: one bounded GET with the job's credentials."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import httpx2

from watchkeeper.configuration import Secret
from watchkeeper.errors import ConfigError, WatchkeeperError
from watchkeeper.ingest.config import Authorization, BasicAuth, ScrapeConfig, TlsConfig
from watchkeeper.ingest.target import Target
from watchkeeper.wire.exposition import SCRAPE_ACCEPT

UNLIMITED = 1 << 62
_OK = 200


class ScrapeError(WatchkeeperError):
    """A target did not give an exposition; the message says why, as `up == 0` is explained."""


class ScrapeLimitError(ScrapeError):
    """A target gave more than its job allows."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a target answered, decompressed."""

    body: bytes
    content_type: str


def open_client(job: ScrapeConfig) -> httpx2.AsyncClient:
    """Return the client of one job. Raises ConfigError when its TLS files cannot be used."""
    return httpx2.AsyncClient(
        verify=_tls(job.tls_config) if job.tls_config else True,
        follow_redirects=job.follow_redirects,
        # Proxies and .netrc of the environment are not part of what prometheus.yml says.
        trust_env=False,
    )


async def fetch(client: httpx2.AsyncClient, job: ScrapeConfig, target: Target) -> Fetched:
    """Return a target's exposition. Raises ScrapeError within the target's timeout."""
    try:
        async with asyncio.timeout(target.timeout_seconds):
            return await _fetch(client, job, target)
    except TimeoutError:
        seconds = f"{target.timeout_seconds:g}"
        raise ScrapeError(f"no whole answer within scrape_timeout of {seconds} s") from None
    except (httpx2.LocalProtocolError, UnicodeError):
        # The error's own text would show the header, and with it the secret.
        reason = "credentials: they hold what no HTTP header may; one line of plain ASCII can"
        raise ScrapeError(reason) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
        raise ScrapeError(f"{type(error).__name__}: {error}".rstrip(": ")) from None
    except OSError as error:
        raise ScrapeError(f"credentials: {error.strerror} ({error.filename})") from None


async def _fetch(client: httpx2.AsyncClient, job: ScrapeConfig, target: Target) -> Fetched:
    limit = job.body_size_limit or UNLIMITED
    headers = {
        "Accept": SCRAPE_ACCEPT,
        "Accept-Encoding": "gzip" if job.enable_compression else "identity",
        "User-Agent": "watchkeeper",
        "X-Prometheus-Scrape-Timeout-Seconds": f"{target.timeout_seconds:g}",
        **await asyncio.to_thread(_credentials, job),
    }
    async with client.stream("GET", target.url, headers=headers, timeout=None) as response:
        if response.status_code != _OK:
            raise ScrapeError(f"server returned HTTP status {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                raise ScrapeLimitError(f"body is larger than body_size_limit of {limit} bytes")
        return Fetched(bytes(body), response.headers.get("content-type", ""))


def _credentials(job: ScrapeConfig) -> dict[str, str]:
    # Files are read each time, so that a rotated secret counts at once.
    if job.basic_auth is not None:
        return {"Authorization": f"Basic {_basic(job.basic_auth)}"}
    if job.authorization is not None:
        return {"Authorization": f"{job.authorization.type} {_token(job.authorization)}"}
    return {}


def _basic(auth: BasicAuth) -> str:
    password = _secret(auth.password, auth.password_file)
    return b64encode(f"{auth.username}:{password}".encode()).decode()


def _token(authorization: Authorization) -> str:
    return _secret(authorization.credentials, authorization.credentials_file)


def _secret(value: Secret | None, file: str) -> str:
    if value is not None:
        return value.reveal()
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def _tls(config: TlsConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
        if config.cert_file:
            context.load_cert_chain(config.cert_file, config.key_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"tls_config: {error.strerror or error}; check its files") from None
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
