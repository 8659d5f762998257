"""The exposition formats: what `/metrics` answers, and what a scrape reads.

    encode_text(families) -> bytes                  Prometheus text 0.0.4
    encode_openmetrics(families) -> bytes           OpenMetrics 1.0
    encode_protobuf(families) -> bytes              delimited MetricFamily messages
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
from watchkeeper.wire.protobuf_encode import encode_protobuf
from watchkeeper.wire.protobuf_parse import HistogramChoice, parse_protobuf
from watchkeeper.wire.series import SeriesCache
from watchkeeper.wire.text_encode import encode_text
from watchkeeper.wire.text_parse import parse_text

__all__ = [
    "OPENMETRICS_CONTENT_TYPE",
    "PROTOBUF_CONTENT_TYPE",
    "TEXT_CONTENT_TYPE",
    "accepts_gzip",
    "encode",
    "encode_openmetrics",
    "encode_protobuf",
    "encode_text",
    "parse",
    "preferred_format",
]

TEXT_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
OPENMETRICS_MEDIA_TYPE = "application/openmetrics-text"
PROTOBUF_MEDIA_TYPE = "application/vnd.google.protobuf"
_PROTO, _ENCODING = "io.prometheus.client.MetricFamily", "delimited"
PROTOBUF_CONTENT_TYPE = f"{PROTOBUF_MEDIA_TYPE}; proto={_PROTO}; encoding={_ENCODING}"


def encode(families: Iterable[MetricFamily], accept: str = "") -> tuple[bytes, str]:
    """Return body and content type in the format that an Accept header prefers."""
    preferred = preferred_format(accept)
    if preferred == PROTOBUF_MEDIA_TYPE:
        return encode_protobuf(families), PROTOBUF_CONTENT_TYPE
    if preferred == OPENMETRICS_MEDIA_TYPE:
        return encode_openmetrics(families), OPENMETRICS_CONTENT_TYPE
    return encode_text(families), TEXT_CONTENT_TYPE


def preferred_format(accept: str) -> str:
    """Return the media type that an Accept header ranks highest; plain text when silent.

    Of those ranked alike, the one that carries most.
    """
    ranks = {PROTOBUF_MEDIA_TYPE: 0.0, OPENMETRICS_MEDIA_TYPE: 0.0, "text/plain": 0.0}
    for entry in accept.split(","):
        media_type, _, parameters = entry.partition(";")
        name = media_type.strip().lower()
        if name == PROTOBUF_MEDIA_TYPE and not _is_delimited(parameters):
            continue
        if name in ranks:
            ranks[name] = max(ranks[name], _quality(parameters))
    best = max(ranks, key=ranks.__getitem__)
    return best if ranks[best] else "text/plain"


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an Accept-Encoding header takes gzip: `gzip;q=0` says that it does not.

    Source: RFC 9110, 12.5.3.
    """
    given: dict[str, float] = {}
    for entry in accept_encoding.split(","):
        coding, _, parameters = entry.partition(";")
        given[coding.strip().lower()] = _quality(parameters)
    return given.get("gzip", given.get("x-gzip", given.get("*", 0.0))) > 0


def _is_delimited(parameters: str) -> bool:
    pairs = [parameter.partition("=") for parameter in parameters.split(";")]
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    asked = given.get("proto", _PROTO), given.get("encoding", _ENCODING)
    return asked == (_PROTO, _ENCODING)


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
    read = parse_openmetrics if media_type == OPENMETRICS_MEDIA_TYPE else parse_text
    return read(text, default_timestamp_ms, series or SeriesCache())
