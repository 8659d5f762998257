"""OTLP over HTTP, with what the standard library has: one connection that is kept."""

from __future__ import annotations

import gzip
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from watchkeeper.wire.otlp import PROTOBUF_CONTENT_TYPE

RETRYABLE = frozenset((408, 429, 502, 503, 504))
"""Statuses after which OTLP lets a client try again; 408 as others do too."""


_GZIP = b"\x1f\x8b"
"""How gzip begins (RFC 1952), and no OTLP request does."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a request went. `retry_after_seconds` is 0 unless the server named a time."""

    delivered: bool
    retryable: bool = False
    retry_after_seconds: float = 0.0
    reason: str = ""


class OtlpClient:
    """Posts export requests to one endpoint. Used by one thread at a time.

    `endpoint` is the base that a path is added to, or the whole URL.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str], timeout_seconds: float) -> None:
        parts = urlsplit(endpoint)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._path = parts.path
        self._query = f"?{parts.query}" if parts.query else ""
        self._headers = {
            **headers,
            "content-type": PROTOBUF_CONTENT_TYPE,
            "user-agent": "watchkeeper",
        }
        self._timeout_seconds = timeout_seconds
        self._connection: http.client.HTTPConnection | None = None

    def send(self, path: str, body: bytes, now_seconds: float) -> Delivery:
        """Post a request, gzipped or not, to `path` (`/v1/traces`; '' for the endpoint as it is).
        Never raises on a failing server."""
        target = (self._path.rstrip("/") + path if path else self._path or "/") + self._query
        try:
            connection = self._connect()
            encoding = {"content-encoding": "gzip"} if body.startswith(_GZIP) else {}
            connection.request("POST", target, body, self._headers | encoding)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Delivery(False, retryable=True, reason=type(error).__name__)
        if response.will_close:
            self.close()
        if 200 <= response.status < 300:
            return Delivery(True)
        after = _retry_after(response.getheader("retry-after", ""), now_seconds)
        return Delivery(
            False, response.status in RETRYABLE, after, reason=f"HTTP {response.status}"
        )

    def close(self) -> None:
        """Close the connection; the next send opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._secure:
                self._connection = http.client.HTTPSConnection(
                    self._host,
                    self._port,
                    timeout=self._timeout_seconds,
                    context=ssl.create_default_context(),
                )
            else:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=self._timeout_seconds
                )
        return self._connection


def compress(body: bytes) -> bytes:
    """Return `body` gzipped, unless it is; at the level that pays most for its time."""
    return body if body.startswith(_GZIP) else gzip.compress(body, compresslevel=1, mtime=0)


def _retry_after(text: str, now_seconds: float) -> float:
    if not text:
        return 0.0
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_seconds)
    except ValueError:
        return 0.0
