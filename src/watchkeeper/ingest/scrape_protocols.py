"""Which formats a target is asked for, and which one its answer is in.

Source: Prometheus 3, config.ScrapeProtocols, scrape.acceptHeader, and textparse.New: an answer
whose type says nothing is refused unless the job names a fallback.
"""

from __future__ import annotations

from typing import Literal, get_args

ScrapeProtocol = Literal[
    "PrometheusProto",
    "OpenMetricsText1.0.0",
    "OpenMetricsText0.0.1",
    "PrometheusText1.0.0",
    "PrometheusText0.0.4",
]
EscapingScheme = Literal["allow-utf-8", "underscores", "dots", "values"]

OPENMETRICS = "application/openmetrics-text"
PROTOBUF = "application/vnd.google.protobuf"
TEXT = "text/plain"

_WITH_NATIVE: tuple[ScrapeProtocol, ...] = get_args(ScrapeProtocol)
_TEXTUAL = _WITH_NATIVE[1:]

_HEADERS: dict[ScrapeProtocol, str] = {
    "PrometheusProto": f"{PROTOBUF};proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "OpenMetricsText1.0.0": f"{OPENMETRICS};version=1.0.0",
    "OpenMetricsText0.0.1": f"{OPENMETRICS};version=0.0.1",
    "PrometheusText1.0.0": f"{TEXT};version=1.0.0",
    "PrometheusText0.0.4": f"{TEXT};version=0.0.4",
}
_ESCAPED = ("OpenMetricsText1.0.0", "PrometheusText1.0.0")


def default_protocols(*, native_histograms: bool) -> tuple[ScrapeProtocol, ...]:
    """Return what is asked for where the file does not say: only protobuf has histograms."""
    return _WITH_NATIVE if native_histograms else _TEXTUAL


def accept_header(protocols: tuple[ScrapeProtocol, ...], escaping: EscapingScheme) -> str:
    """Return the Accept header that ranks the protocols in their order."""
    weight = len(_HEADERS) + 1
    parts = []
    for protocol in protocols:
        scheme = f";escaping={escaping}" if protocol in _ESCAPED else ""
        parts.append(f"{_HEADERS[protocol]}{scheme};q=0.{weight}")
        weight -= 1
    return ",".join([*parts, f"*/*;q=0.{weight}"])


def media_type_of(content_type: str, fallback: ScrapeProtocol | None) -> str:
    """Return the type by which an answer is read; '' if it has none and there is no fallback."""
    found = content_type.partition(";")[0].strip().lower()
    if found == PROTOBUF and "proto=io.prometheus.client.metricfamily" not in (
        content_type.lower().replace('"', "").replace(" ", "")
    ):
        found = ""
    if found in (OPENMETRICS, PROTOBUF, TEXT):
        return found
    return _HEADERS[fallback].partition(";")[0] if fallback else ""
