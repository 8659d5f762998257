"""Where to look: a service's /metrics, or a Prometheus, or what answers like one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from watchkeeper.clock import Clock
from watchkeeper.contract import Contract
from watchkeeper.errors import ConfigError
from watchkeeper.live.emitted import Emitted, emitted
from watchkeeper.model import MetricMetadata, MetricType
from watchkeeper.wire.exposition import OPENMETRICS_CONTENT_TYPE, TEXT_CONTENT_TYPE, parse

API_PREFIXES = ("", "/prometheus")
"""Where a Prometheus answers below an address, and where Watchkeeper's backend does."""
EXPOSITION_TYPES = ("text/plain", "application/openmetrics-text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An address and how to ask there. `since_seconds` is how far back a Prometheus looks, and
    `selector` which series it looks for; '' for those of the contract's scrape jobs."""

    url: str
    token: str = ""
    selector: str = ""
    since_seconds: float = 3600.0
    timeout_seconds: float = 30.0


def emitted_at(contract: Contract, source: Source, *, clock: Clock) -> Emitted:
    """Return what is emitted at an address. Raises ConfigError if nothing there can be read."""
    parts = urlsplit(source.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("must be a URL such as http://127.0.0.1:8000", source=source.url)
    headers = {"authorization": f"Bearer {source.token}"} if source.token else {}
    url = source.url.rstrip("/")
    with httpx2.Client(
        headers=headers, timeout=source.timeout_seconds, trust_env=False, follow_redirects=True
    ) as client:
        for prefix in API_PREFIXES:
            if _answer(client, f"{url}{prefix}/api/v1/metadata", {"limit": "1"}) is not None:
                return _of_prometheus(client, f"{url}{prefix}", contract, source, clock)
        for address in (url, f"{url}/metrics"):
            found = _of_service(client, address)
            if found is not None:
                return found
    raise ConfigError(
        "neither metrics nor the API of a Prometheus are here; give the address of a service,"
        " of its /metrics, or of a Prometheus",
        source=source.url,
    )


def _of_service(client: httpx2.Client, url: str) -> Emitted | None:
    """Return what a service's metrics page holds, or None if there is no such page."""
    accept = f"{OPENMETRICS_CONTENT_TYPE}, {TEXT_CONTENT_TYPE};q=0.5"
    answer = _get(client, url, {}, accept=accept)
    content_type = answer.headers.get("content-type", "")
    if not answer.is_success or not content_type.startswith(EXPOSITION_TYPES):
        return None
    found = parse(answer.content, content_type, 0)
    return emitted((dict(labels) for labels in found.labels), found.metadata)


def _of_prometheus(
    client: httpx2.Client, url: str, contract: Contract, source: Source, clock: Clock
) -> Emitted:
    now = clock.time_ns() / 1e9
    selector = source.selector or _selector(contract)
    series = _required(
        client,
        f"{url}/api/v1/series",
        {"match[]": selector, "start": f"{now - source.since_seconds:.3f}", "end": f"{now:.3f}"},
    )
    metadata = _required(client, f"{url}/api/v1/metadata", {})
    return emitted(series, _metadata(metadata), _of_target(series))


def _selector(contract: Contract) -> str:
    if contract.scrape_jobs:
        jobs = "|".join(job.name for job in contract.scrape_jobs if job.name != "watchkeeper")
        return f'{{job=~"{jobs}"}}'
    return f'{{service="{contract.service}"}}'


def _of_target(series: Iterable[Mapping[str, str]]) -> set[str]:
    """Return the labels of targets: `up` has these and no others."""
    found = {"job", "instance", "service"}
    for labels in series:
        if labels.get("__name__") == "up":
            found |= labels.keys()
    return found


def _metadata(data: Mapping[str, list[dict[str, str]]]) -> list[MetricMetadata]:
    types = {kind.value: kind for kind in MetricType}
    return [
        MetricMetadata(name, types.get(entry.get("type", ""), MetricType.UNKNOWN))
        for name, entries in data.items()
        for entry in entries
    ]


def _answer(client: httpx2.Client, url: str, parameters: Mapping[str, str]) -> Any:
    """Return the data of an answer of Prometheus' API, or None if it is none."""
    answer = _get(client, url, parameters)
    try:
        document = answer.json()
    except ValueError:
        return None
    if not isinstance(document, dict) or document.get("status") != "success":
        return None
    return document.get("data")


def _required(client: httpx2.Client, url: str, parameters: Mapping[str, str]) -> Any:
    data = _answer(client, url, parameters)
    if data is None:
        raise ConfigError("refuses the question", source=url)
    return data


def _get(
    client: httpx2.Client, url: str, parameters: Mapping[str, str], *, accept: str = "*/*"
) -> httpx2.Response:
    try:
        answer = client.get(url, params=dict(parameters), headers={"accept": accept})
    except httpx2.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise ConfigError(f"does not answer ({reason}); is it running?", source=url) from None
    if answer.status_code in (401, 403):
        raise ConfigError(
            "wants a token: put one into the environment variable WATCHKEEPER_TOKEN", source=url
        )
    return answer
