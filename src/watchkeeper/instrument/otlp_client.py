"""OTLP over HTTP, with what the standard library has: one connection that is kept."""

from __future__ import annotations

import gzip
import http.client
import ssl
from base64 import b64encode
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, unquote, urlsplit

from watchkeeper.errors import DecodeError
from watchkeeper.instrument.destination import Destination
from watchkeeper.wire.otlp import PROTOBUF_CONTENT_TYPE
from watchkeeper.wire.protobuf import LENGTH, VARINT, key, read_fields, signed

RETRYABLE = frozenset((408, 429, 502, 503, 504))
"""Statuses after which OTLP lets a client try again; 408 as others do too."""


LONGEST_RETRY_AFTER_SECONDS = 300.0
"""A collector that asks for longer is asked again all the same: it may have been a mistake."""

_LONGEST_ANSWER = 65_536

_GZIP = b"\x1f\x8b"
"""How gzip begins (RFC 1952), and no OTLP request does."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a request went. `retry_after_seconds` is 0 unless the server named a time; `rejected`
    of the records that were delivered were not taken."""

    delivered: bool
    retryable: bool = False
    retry_after_seconds: float = 0.0
    reason: str = ""
    rejected: int = 0


class OtlpClient:
    """Posts export requests to one endpoint. Used by one thread at a time."""

    def __init__(self, destination: Destination) -> None:
        parts = urlsplit(destination.endpoint)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._destination = destination
        self._headers = {
            **_login(parts),
            **destination.headers,
            "content-type": PROTOBUF_CONTENT_TYPE,
            "user-agent": "watchkeeper",
        }
        self._connection: http.client.HTTPConnection | None = None

    def send(self, body: bytes, now_seconds: float) -> Delivery:
        """Post a request, gzipped or not. Never raises on a failing server."""
        try:
            connection = self._connect()
            encoding = {"content-encoding": "gzip"} if body.startswith(_GZIP) else {}
            connection.request("POST", self._target, body, self._headers | encoding)
            response = connection.getresponse()
            said = response.read(_LONGEST_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Delivery(False, retryable=True, reason=f"{type(error).__name__}: {error}")
        if response.will_close or not response.isclosed():
            self.close()
        if 200 <= response.status < 300:
            return Delivery(True, rejected=rejected_records(said))
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
            timeout_seconds = self._destination.timeout_seconds
            if self._secure:
                self._connection = http.client.HTTPSConnection(
                    self._host,
                    self._port,
                    timeout=timeout_seconds,
                    context=_trusting(self._destination),
                )
            else:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=timeout_seconds
                )
        return self._connection


def compress(body: bytes) -> bytes:
    """Return `body` gzipped, unless it is; at the level that pays most for its time."""
    return body if body.startswith(_GZIP) else gzip.compress(body, compresslevel=1, mtime=0)


def rejected_records(answer: bytes) -> int:
    """Return how many records of a request that was taken the collector did not take.

    Source: ExportTracePartialSuccess and ExportLogsPartialSuccess, alike in this: message 1 of the
    answer, whose field 1 is the number. An answer that is no such message rejects nothing.
    """
    try:
        partial = dict(read_fields(answer)).get(key(1, LENGTH), b"")
        return max(0, signed(dict(read_fields(partial)).get(key(1, VARINT), 0)))
    except DecodeError:
        return 0


def _login(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"authorization": f"Basic {b64encode(login.encode()).decode()}"}


def _trusting(destination: Destination) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=destination.certificate or None)
    if destination.client_certificate:
        context.load_cert_chain(destination.client_certificate, destination.client_key or None)
    return context


def _retry_after(text: str, now_seconds: float) -> float:
    if not text:
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now_seconds
        except (ValueError, OverflowError):
            return 0.0
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)
