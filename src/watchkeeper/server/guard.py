"""What every request passes first: access, origin, the headers of its answer, its count."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchkeeper.clock import Clock
from watchkeeper.server.access import LOOPBACK_NAMES, Access, Role
from watchkeeper.server.answers import Failure, error_answer
from watchkeeper.server.intake import TENANT

OPEN_PATHS = frozenset({"/healthz", "/prometheus/-/healthy", "/prometheus/-/ready"})

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_PROMETHEUS = "/prometheus/api/v1/"
_PROTOCOLS = frozenset(
    (
        *("prometheus", "jaeger", "alertmanager", "elasticsearch"),
        *("api", "assets", "metrics", "healthz"),
    )
)
_WRITES = ("/v1/", f"{_PROMETHEUS}write", "/alertmanager/api/v2/alerts", "/elasticsearch/")


class RequestTally(Protocol):
    """Counts requests by the protocol they came for."""

    def count_request(self, protocol: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        ...


class Guard:
    """Pure ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, *, access: Access, tally: RequestTally, clock: Clock) -> None:
        self._app = app
        self._access = access
        self._tally = tally
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_ns = self._clock.monotonic_ns()
        path: str = scope["path"]
        status = 500

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if not path.startswith("/assets/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            headers = Headers(scope=scope)
            caller = self._access.caller(headers.get("authorization", ""))
            scope[TENANT] = caller.tenant
            refusal = self._refusal(scope["method"], path, headers, caller.role)
            await (refusal or self._app)(scope, receive, send_guarded)
        finally:
            seconds = (self._clock.monotonic_ns() - started_ns) / 1e9
            self._tally.count_request(protocol_of(path), status, seconds)

    def _refusal(self, method: str, path: str, headers: Headers, role: Role) -> Response | None:
        host = headers.get("host", "").rpartition("@")[2]
        if self._access.loopback_only and _host_name(host) not in LOOPBACK_NAMES:
            message = "this backend answers on localhost only; the request named another host"
            return error_answer(Failure(421, "wrong_host", message))
        if method not in ("GET", "HEAD", "OPTIONS") and _is_foreign(headers, host):
            message = "a page of another origin may not write here"
            return error_answer(Failure(403, "foreign_origin", message))
        needed = needed_role(method, path)
        if role >= needed:
            return None
        if "authorization" in headers and role:
            message = f"this needs the role {needed.name.lower()}"
            return error_answer(Failure(403, "forbidden", message))
        answer = error_answer(Failure(401, "unauthorized", "this needs a token"))
        answer.headers["www-authenticate"] = 'Basic realm="watchkeeper", Bearer'
        return answer


def protocol_of(path: str) -> str:
    """Return what a path belongs to, as a label value: few, whatever is asked for."""
    first = path.removeprefix("/").partition("/")[0]
    if first in _PROTOCOLS:
        return first
    return "otlp" if first == "v1" else "page"


def needed_role(method: str, path: str) -> Role:
    """Return the role that a request needs."""
    if path in OPEN_PATHS:
        return Role.NONE
    if method in ("GET", "HEAD", "OPTIONS"):
        return Role.READ
    if path.startswith(_WRITES):
        return Role.WRITE
    return Role.READ if path.startswith(_PROMETHEUS) else Role.ADMIN


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def _is_foreign(headers: Headers, host: str) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    return urlsplit(origin).netloc != host
