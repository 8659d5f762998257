"""Prometheus text 0.0.4, read as leniently as Prometheus reads it.

Blank space is free, order does not matter, types are hints. A line that is no sample, though,
refuses the whole body. Source: prometheus.io, "Exposition formats"; UTF-8 names in quotes as
Prometheus 3 has them.
"""

from __future__ import annotations

import re

from watchkeeper.errors import DecodeError
from watchkeeper.model import Labels, MetricMetadata, MetricType
from watchkeeper.wire.family import ParsedExposition
from watchkeeper.wire.page_shape import PageShape
from watchkeeper.wire.series import (
    METRIC_NAME_PATTERN,
    SeriesCache,
    parse_labels,
    parse_number,
    unescape,
)

_SAMPLE = re.compile(
    r"""[ \t]*
    (?P<series> (?P<name>[^\s{]*+)
      (?: [ \t]* \{(?P<labels> [^"}]*+ (?: "[^"\\]*+(?:\\.[^"\\]*+)*" [^"}]*+ )* )\} )? )
    [ \t]* (?P<value>\S++) (?: [ \t]+ (?P<time>-?\d++) )? [ \t]* \Z""",
    re.VERBOSE,
)
_COMMENT = re.compile(r"#[ \t]*(HELP|TYPE)[ \t]+(\S+)(?:[ \t](.*))?\Z")
_TYPES = {kind.value: kind for kind in MetricType} | {"untyped": MetricType.UNKNOWN}
_SHOWN = 80
_LONGEST_TIME = 18


def parse_text(text: str, default_timestamp_ms: int, series: SeriesCache) -> ParsedExposition:
    """Return what a text body holds. Raises DecodeError with the line's number."""
    lines = text.split("\n")
    if series.shape is not None:
        page = series.shape.read(lines, default_timestamp_ms)
        if page is not None:
            return page
    found = ParsedExposition()
    types: dict[str, MetricType] = {}
    helps: dict[str, str] = {}
    received = 0
    usual: dict[int, str] = {}
    known = series.known
    rows, times, values = found.labels, found.timestamps_ms, found.values
    for number, line in enumerate(lines, 1):
        # The usual line is a series seen before, one space and a value.
        start, _, end = line.rpartition(" ")
        labels: Labels | None
        if end and start in known:
            labels = known[start]
            value = _value(end, number)
            usual[number - 1] = start
            time = None
        elif not line or line.isspace():
            continue
        elif line.lstrip(" \t").startswith("#"):
            _note(line.lstrip(" \t"), types, helps)
            continue
        else:
            labels, value, time = _parse_sample(line, number, series)
        received += 1
        if labels is None:
            continue
        if time is not None:
            found.timed.append(len(rows))
        rows.append(labels)
        values.append(value)
        times.append(default_timestamp_ms if time is None else time)
    metadata = [
        MetricMetadata(name, types.get(name, MetricType.UNKNOWN), helps.get(name, ""))
        for name in types | dict.fromkeys(helps)
    ]
    if received == len(usual):
        series.shape = PageShape(lines, usual, known, metadata)
    series.trim(received)
    return ParsedExposition(rows, times, values, found.exemplars, metadata, found.timed, received)


def _parse_sample(
    line: str, number: int, series: SeriesCache
) -> tuple[Labels | None, float, int | None]:
    match = _SAMPLE.match(line)
    where = f"line {number}"
    if match is None:
        raise DecodeError(f"{where}: not a sample: {line[:_SHOWN]!r}")
    text = match["series"]
    if text in series.known:
        labels = series.known[text]
    else:
        name, pairs = parse_labels(match["labels"] or "", where)
        plain = match["name"]
        if bool(name) == bool(plain) or (plain and not METRIC_NAME_PATTERN.match(plain)):
            raise DecodeError(f"{where}: {plain[:_SHOWN]!r} is not a metric name")
        labels = series.learn(text, name or plain, pairs)
    return labels, _value(match["value"], number), _time(match["time"], number)


def _time(text: str | None, number: int) -> int | None:
    if text is None:
        return None
    if len(text) > _LONGEST_TIME:
        raise DecodeError(f"line {number}: {text[:_SHOWN]!r} is not a time in milliseconds")
    return int(text)


def _value(text: str, number: int) -> float:
    try:
        return parse_number(text)
    except ValueError:
        raise DecodeError(f"line {number}: {text[:_SHOWN]!r} is not a number") from None


def _note(line: str, types: dict[str, MetricType], helps: dict[str, str]) -> None:
    match = _COMMENT.match(line)
    if match is None:
        return
    keyword, name, rest = match.groups(default="")
    if keyword == "HELP":
        helps[name] = unescape(rest)
    else:
        types[name] = _TYPES.get(rest.strip(), MetricType.UNKNOWN)
