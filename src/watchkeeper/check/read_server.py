"""What a running Prometheus, or anything that answers its API, knows of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from watchkeeper.check.known import KnownMetric
from watchkeeper.check.read_exposition import metrics_of
from watchkeeper.errors import ConfigError
from watchkeeper.model import MetricMetadata, MetricType, labels

_TYPES = {kind.value: kind for kind in MetricType}
_MOST_SERIES = 500_000


def read_server(url: str, *, timeout_seconds: float = 30.0) -> tuple[KnownMetric, ...]:
    """Return the metrics of the series that a server has now, with their metadata.

    `url` is what stands before `/api/v1`. Raises ConfigError where it does not answer so.
    """
    with httpx2.Client(timeout=timeout_seconds, trust_env=False) as client:
        metadata = _ask(client, url, "metadata", {})
        series = _ask(
            client, url, "series", {"match[]": '{__name__=~".+"}', "limit": str(_MOST_SERIES)}
        )
    try:
        return metrics_of(
            [labels({str(name): str(value) for name, value in one.items()}) for one in series],
            [
                MetricMetadata(
                    name=name,
                    type=_TYPES.get(entries[0].get("type", ""), MetricType.UNKNOWN),
                    help=entries[0].get("help", ""),
                    unit=entries[0].get("unit", ""),
                )
                for name, entries in metadata.items()
                if entries
            ],
        )
    except (AttributeError, KeyError, TypeError):
        raise ConfigError("does not answer as Prometheus does", source=url) from None


def _ask(client: httpx2.Client, url: str, what: str, parameters: Mapping[str, str]) -> Any:
    try:
        answer = client.get(f"{url.rstrip('/')}/api/v1/{what}", params=dict(parameters))
        document = answer.json()
    except httpx2.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise ConfigError(f"does not answer ({reason}); is it running?", source=url) from None
    except ValueError:
        raise ConfigError(
            f"does not answer as Prometheus does; is {url}/api/v1 right?", source=url
        ) from None
    if not isinstance(document, dict) or document.get("status") != "success":
        raise ConfigError(f"refuses /api/v1/{what} (status {answer.status_code})", source=url)
    return document.get("data")
