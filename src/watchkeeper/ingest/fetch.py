"""Fetching an exposition: one bounded GET with the job's credentials."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx2

from watchkeeper import http_client
from watchkeeper.errors import WatchkeeperError
from watchkeeper.ingest.config import ScrapeConfig
from watchkeeper.ingest.scrape_protocols import accept_header, media_type_of
from watchkeeper.ingest.target import Target

UNLIMITED = 1 << 62
_OK = 200


class ScrapeError(WatchkeeperError):
    """A target did not give an exposition; the message says why, as `up == 0` is explained."""


class ScrapeLimitError(ScrapeError):
    """A target gave more than its job allows."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a target answered, decompressed, and the type to read it by."""

    body: bytes
    content_type: str
    media_type: str


def open_client(job: ScrapeConfig) -> httpx2.AsyncClient:
    """Return the client of one job. Raises ConfigError when its TLS files cannot be used."""
    return http_client.open_client_of(job)


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
        "Accept": accept_header(
            job.scrape_protocols or (), job.metric_name_escaping_scheme or "allow-utf-8"
        ),
        "Accept-Encoding": "gzip" if job.enable_compression else "identity",
        "User-Agent": "watchkeeper",
        "X-Prometheus-Scrape-Timeout-Seconds": f"{target.timeout_seconds:g}",
        **await asyncio.to_thread(http_client.headers_of, job),
    }
    extensions = http_client.extensions_of(job.tls_config)
    async with client.stream(
        "GET", target.url, headers=headers, timeout=None, extensions=extensions
    ) as response:
        if response.status_code != _OK:
            raise ScrapeError(f"server returned HTTP status {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit:
                raise ScrapeLimitError(f"body is larger than body_size_limit of {limit} bytes")
    content_type = response.headers.get("content-type", "")
    media_type = media_type_of(content_type, job.fallback_scrape_protocol)
    if not media_type:
        raise ScrapeError(
            f"Content-Type {content_type[:80]!r} is none that can be read; if the target cannot "
            "say its format, name it as fallback_scrape_protocol"
        )
    return Fetched(bytes(body), content_type, media_type)
