"""The exposition formats: what `/metrics` answers, and what a scrape reads.

    encode_text(families) -> bytes                  Prometheus text 0.0.4
    encode_openmetrics(families) -> bytes           OpenMetrics 1.0
    encode(families, accept) -> (bytes, type)       whichever the Accept header prefers
    parse(body, content_type, default_timestamp_ms, series) -> ParsedExposition, protobuf too

Families are `watchkeeper.wire.family.MetricFamily`. `parse` raises DecodeError.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.errors import DecodeError
from watchkeeper.wire.family import MetricFamily, ParsedExposition
from watchkeeper.wire.openmetrics_encode import encode_openmetrics
from watchkeeper.wire.openmetrics_parse import parse_openmetrics
from watchkeeper.wire.protobuf_parse import HistogramChoice, parse_protobuf
from watchkeeper.wire.series import SeriesCache
from watchkeeper.wire.text_encode import encode_text
from watchkeeper.wire.text_parse import parse_text

__all__ = [
    "OPENMETRICS_CONTENT_TYPE",
    "TEXT_CONTENT_TYPE",
    "encode",
    "encode_openmetrics",
    "encode_text",
    "parse",
    "prefers_openmetrics",
]

TEXT_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF_MEDIA_TYPE = "application/vnd.google.protobuf"


def encode(families: Iterable[MetricFamily], accept: str = "") -> tuple[bytes, str]:
    """Return body and content type in the format that an Accept header prefers."""
    if prefers_openmetrics(accept):
        return encode_openmetrics(families), OPENMETRICS_CONTENT_TYPE
    return encode_text(families), TEXT_CONTENT_TYPE


def prefers_openmetrics(accept: str) -> bool:
    """Return whether an Accept header ranks OpenMetrics above plain text; False when silent."""
    best = {"application/openmetrics-text": 0.0, "text/plain": 0.0, "*/*": 0.0, "text/*": 0.0}
    for entry in accept.split(","):
        media_type, _, parameters = entry.partition(";")
        name = media_type.strip().lower()
        if name in best:
            best[name] = max(best[name], _quality(parameters))
    openmetrics = best["application/openmetrics-text"]
    return openmetrics > 0 and openmetrics >= best["text/plain"]


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def parse(
    body: bytes,
    content_type: str,
    default_timestamp_ms: int,
    series: SeriesCache | None = None,
    histograms: HistogramChoice | None = None,
) -> ParsedExposition:
    """Return what a scraped body holds; strict for OpenMetrics, lenient for plain text.

    Samples without a time of their own get `default_timestamp_ms`. `series` is kept by the
    caller from scrape to scrape of one target. `histograms` says which form of them is taken
    from protobuf. Raises DecodeError that names the line.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == PROTOBUF_MEDIA_TYPE:
        choice = histograms or HistogramChoice()
        return parse_protobuf(body, default_timestamp_ms, series or SeriesCache(), choice)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"the exposition is not UTF-8 at byte {error.start}") from None
    read = parse_openmetrics if media_type == "application/openmetrics-text" else parse_text
    return read(text, default_timestamp_ms, series or SeriesCache())
