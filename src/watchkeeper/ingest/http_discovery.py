"""Discovery by HTTP: an address that answers with a JSON list of target groups.

Source: prometheus.io, "HTTP SD": UTF-8, application/json, status 200; whoever does not answer so
keeps the targets it gave before.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import httpx2
import orjson

from watchkeeper import http_client
from watchkeeper.configuration import convert
from watchkeeper.errors import ConfigError
from watchkeeper.ingest.config import HttpDiscovery, StaticConfig

_OK = 200
_MOST_BYTES = 64 << 20
_ANSWER_SECONDS = 30.0


class HttpTargets:
    """Asks one address."""

    def __init__(self, config: HttpDiscovery, client: httpx2.AsyncClient | None = None) -> None:
        self._config = config
        self._client = client
        self._found: list[StaticConfig] = []
        self.refresh_seconds = float(config.refresh_interval)

    async def open(self, stack: AsyncExitStack) -> None:
        if self._client is None:
            self._client = await stack.enter_async_context(http_client.open_client_of(self._config))

    async def groups(self) -> tuple[list[StaticConfig], list[str]]:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                self._found = await self._ask()
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            reason = str(error) or type(error).__name__
            return self._found, [f"{self._config.url}: {reason}"]
        except ConfigError as error:
            return self._found, [str(error)]
        return self._found, []

    async def _ask(self) -> list[StaticConfig]:
        assert self._client is not None
        config, url = self._config, self._config.url
        headers = {
            "Accept": "application/json",
            "User-Agent": "watchkeeper",
            "X-Prometheus-Refresh-Interval-Seconds": f"{self.refresh_seconds:g}",
            **await asyncio.to_thread(http_client.headers_of, config),
        }
        async with self._client.stream(
            "GET", url, headers=headers, extensions=http_client.extensions_of(config.tls_config)
        ) as response:
            if response.status_code != _OK:
                raise ConfigError(f"answered with status {response.status_code}", source=url)
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise ConfigError(f"answered with {kind!r}, not application/json", source=url)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ConfigError(f"answered with more than {_MOST_BYTES} bytes", source=url)
        return await asyncio.to_thread(_read, bytes(body), url)


def _read(body: bytes, url: str) -> list[StaticConfig]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"answered with what is not JSON: {error}", source=url) from None
    groups = convert(document or [], list[StaticConfig], source=url)
    return [
        StaticConfig(targets=group.targets, labels={"__meta_url": url, **group.labels})
        for group in groups
    ]
