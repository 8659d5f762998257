"""A look at everything from outside: the service, what it depends on, and the monitoring.

Every part is looked at, whatever the others say, and nothing needs a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from watchkeeper.clock import Clock
from watchkeeper.errors import ConfigError

TIMEOUT_SECONDS = 10.0
MONITORING = ("scraping", "storing", "evaluating", "notifying")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. `part` is `service` or `monitoring`."""

    part: str
    name: str
    ok: bool
    detail: str = ""
    latency_seconds: float | None = None


def look(
    service: str,
    backend: str,
    *,
    clock: Clock,
    token: str = "",
    transport: httpx2.BaseTransport | None = None,
) -> list[Finding]:
    """Return what is found, the service first. Raises ConfigError for an address that is none."""
    for url in (service, backend):
        _require_address(url)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with (
        httpx2.Client(timeout=TIMEOUT_SECONDS, trust_env=False, transport=transport) as client,
        ThreadPoolExecutor(3) as threads,
    ):
        looks: list[Callable[[], list[Finding]]] = [
            lambda: _live(client, service.rstrip("/"), clock),
            lambda: _dependencies(client, service.rstrip("/")),
            lambda: _monitoring(client, backend.rstrip("/"), headers),
        ]
        return [finding for found in threads.map(lambda look: look(), looks) for finding in found]


def as_table(findings: list[Finding]) -> str:
    """Return findings as aligned lines, and a sentence on the whole."""
    rows = [
        (
            finding.part,
            finding.name,
            "up" if finding.ok else "DOWN",
            "" if finding.latency_seconds is None else f"{finding.latency_seconds * 1000:.1f} ms",
            finding.detail,
        )
        for finding in findings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
        for row in rows
    ]
    down = [finding.name for finding in findings if not finding.ok]
    verdict = f"Down: {', '.join(down)}." if down else "Everything is up."
    return "\n".join([*(line.rstrip() for line in lines), "", verdict])


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """Return findings as plain data, with one `ok` for all."""
    return {
        "ok": all(finding.ok for finding in findings),
        "findings": [asdict(finding) for finding in findings],
    }


def _live(client: httpx2.Client, service: str, clock: Clock) -> list[Finding]:
    started_ns = clock.monotonic_ns()
    try:
        answer = client.get(f"{service}/health/live")
    except httpx2.HTTPError as error:
        return [Finding("service", "api", False, _reason(error, service))]
    seconds = (clock.monotonic_ns() - started_ns) / 1e9
    detail = "" if answer.is_success else f"HTTP {answer.status_code}"
    return [Finding("service", "api", answer.is_success, detail, seconds)]


def _dependencies(client: httpx2.Client, service: str) -> list[Finding]:
    report, reason = _report(client, f"{service}/health/ready", {})
    found = [
        Finding(
            "service",
            str(entry.get("name", "unnamed")),
            entry.get("up") is True,
            str(entry.get("detail") or ""),
            _seconds(entry),
        )
        for entry in _entries(report, "dependencies")
    ]
    reason = reason or "the service lists none"
    return found or [Finding("service", "dependencies", False, f"not known: {reason}")]


def _monitoring(client: httpx2.Client, backend: str, headers: Mapping[str, str]) -> list[Finding]:
    report, reason = _report(client, f"{backend}/api/health", headers)
    checks = {str(entry.get("name")): entry for entry in _entries(report, "checks")}
    found = []
    for name in (*MONITORING, *(name for name in checks if name not in MONITORING)):
        check = checks.get(
            name, {"detail": f"not known: {reason or 'the backend is silent on it'}"}
        )
        detail = str(check.get("detail") or "")
        found.append(Finding("monitoring", name, check.get("ok") is True, detail, _seconds(check)))
    return found


def _report(
    client: httpx2.Client, url: str, headers: Mapping[str, str]
) -> tuple[dict[str, Any], str]:
    """Return a JSON object and ''; or nothing and why. 503 says what is down: it counts."""
    try:
        answer = client.get(url, headers=dict(headers))
        report = answer.json()
    except httpx2.HTTPError as error:
        return {}, _reason(error, url)
    except ValueError:
        return {}, f"{url} answered HTTP {answer.status_code} without JSON"
    if answer.status_code not in (200, 503) or not isinstance(report, dict):
        return {}, f"{url} answered HTTP {answer.status_code}"
    return report, ""


def _entries(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    entries = report.get(name)
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []


def _seconds(entry: dict[str, Any]) -> float | None:
    seconds = entry.get("latency_seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else None


def _reason(error: httpx2.HTTPError, url: str) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return f"{url} did not answer within {TIMEOUT_SECONDS:g} s"
    if isinstance(error, httpx2.ConnectError):
        return f"{url} cannot be reached"
    return f"{url}: {type(error).__name__}"


def _require_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{url!r} is not an http:// or https:// address")
    if parts.username or parts.password:
        raise ConfigError(
            "an address on the command line holds no user name or password; "
            "put a token into WATCHKEEPER_TOKEN"
        )
