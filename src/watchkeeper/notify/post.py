"""JSON over HTTP to receivers: which answers are success, worth another try, or final."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import httpx2
import orjson

from watchkeeper import http_client
from watchkeeper.configuration import MASK
from watchkeeper.errors import ConfigError, DeliveryError
from watchkeeper.http_client import Authorization, TlsConfig
from watchkeeper.notify.receiver_config import HttpConfig

TIMEOUT_SECONDS = 30.0
"""How long one try may take, unless the receiver says otherwise."""

_ANSWER_BYTES = 2_000
_TOO_MANY_REQUESTS = 429


class Poster:
    """Sends JSON; keeps one client for each way to connect. `client` replaces the plain one."""

    def __init__(self, client: httpx2.AsyncClient | None = None) -> None:
        self._given = client
        self._clients: dict[HttpConfig | None, httpx2.AsyncClient] = {}

    async def post(
        self,
        url: str,
        body: object,
        http: HttpConfig | None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Return the start of the answer to a POST. Raises DeliveryError, without the URL."""
        try:
            content = orjson.dumps(body)
            sent = {"Content-Type": "application/json", **_authorization(http), **(headers or {})}
            async with (
                asyncio.timeout(timeout_seconds),
                self._client(http).stream(
                    "POST",
                    url,
                    content=content,
                    headers=sent,
                    extensions=http_client.extensions_of(http.tls_config if http else None),
                ) as response,
            ):
                answer = await _start_of(response)
        except TimeoutError:
            raise DeliveryError(f"no answer within {timeout_seconds:g} s", retryable=True) from None
        except (httpx2.LocalProtocolError, UnicodeError):
            # The error's own text would show the header, and with it the secret.
            raise DeliveryError(
                "its address or its credentials hold what HTTP cannot carry", retryable=False
            ) from None
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError):
            raise DeliveryError("its URL cannot be used", retryable=False) from None
        except (httpx2.HTTPError, OSError) as error:
            reason = str(error).replace(url, MASK) or type(error).__name__
            raise DeliveryError(f"cannot be reached: {reason}", retryable=True) from None
        _require_success(response, answer)
        return answer

    async def close(self) -> None:
        """Close the connections that it opened itself."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    def _client(self, http: HttpConfig | None) -> httpx2.AsyncClient:
        if http is None and self._given is not None:
            return self._given
        key = http
        if key not in self._clients:
            self._clients[key] = _new_client(http or HttpConfig())
        return self._clients[key]


def tls_context(tls: TlsConfig | None) -> ssl.SSLContext:
    """Return how a server is verified. Raises DeliveryError if a file of it cannot be used."""
    try:
        return http_client.tls_context(tls or TlsConfig())
    except ConfigError as error:
        raise DeliveryError(str(error), retryable=False) from None


def _new_client(http: HttpConfig) -> httpx2.AsyncClient:
    proxy = http.proxy_url.reveal() if http.proxy_url else None
    try:
        return http_client.open_client(
            http.tls_config or TlsConfig(), follow_redirects=http.follow_redirects, proxy=proxy
        )
    except ConfigError as error:
        raise DeliveryError(str(error), retryable=False) from None


def _authorization(http: HttpConfig | None) -> dict[str, str]:
    if http is None:
        return {}
    shown = http.authorization
    if shown is None and (http.bearer_token is not None or http.bearer_token_file):
        shown = Authorization(
            credentials=http.bearer_token, credentials_file=http.bearer_token_file
        )
    try:
        return http_client.authorization_header(http.basic_auth, shown)
    except OSError as error:
        reason = f"{error.filename} cannot be read ({error.strerror})"
        raise DeliveryError(reason, retryable=False) from None


async def _start_of(response: httpx2.Response) -> str:
    content = b""
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) >= _ANSWER_BYTES:
            break
    return content[:_ANSWER_BYTES].decode("utf-8", "replace").strip()


def _require_success(response: httpx2.Response, answer: str) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    retryable = status >= 500 or status == _TOO_MANY_REQUESTS
    detail = f": {answer[:200]}" if answer else ""
    raise DeliveryError(f"answered {status}{detail}", retryable=retryable)
