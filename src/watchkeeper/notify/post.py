"""JSON over HTTP to receivers: which answers are success, worth another try, or final."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx2
import orjson

from watchkeeper.configuration import MASK, Secret
from watchkeeper.errors import DeliveryError
from watchkeeper.notify.receiver_config import HttpConfig, TlsConfig

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
                self._client(http).stream("POST", url, content=content, headers=sent) as response,
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


def _new_client(http: HttpConfig) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        verify=tls_context(http.tls_config),
        proxy=http.proxy_url.reveal() if http.proxy_url else None,
        follow_redirects=http.follow_redirects,
        timeout=None,
        # Proxies and .netrc of the environment are not part of what alertmanager.yml says.
        trust_env=False,
    )


def tls_context(tls: TlsConfig | None) -> ssl.SSLContext:
    """Return how a server is verified. Raises DeliveryError if a file of it cannot be used."""
    tls = tls or TlsConfig()
    try:
        context = ssl.create_default_context(cafile=tls.ca_file or None)
        if tls.cert_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
    except (OSError, ssl.SSLError) as error:
        raise DeliveryError(f"tls_config: {error}", retryable=False) from None
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _authorization(http: HttpConfig | None) -> dict[str, str]:
    if http is None:
        return {}
    if http.basic_auth is not None:
        password = _secret(http.basic_auth.password, http.basic_auth.password_file)
        pair = base64.b64encode(f"{http.basic_auth.username}:{password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    if http.authorization is not None:
        credentials = _secret(http.authorization.credentials, http.authorization.credentials_file)
        return {"Authorization": f"{http.authorization.type} {credentials}"}
    if http.bearer_token is not None or http.bearer_token_file:
        return {"Authorization": f"Bearer {_secret(http.bearer_token, http.bearer_token_file)}"}
    return {}


def _secret(secret: Secret | None, file: str) -> str:
    if secret is not None:
        return secret.reveal()
    try:
        return Path(file).read_text(encoding="utf-8").strip() if file else ""
    except OSError as error:
        raise DeliveryError(f"{file} cannot be read ({error.strerror})", retryable=False) from None


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
