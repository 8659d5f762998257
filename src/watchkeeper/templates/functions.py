"""The functions that Prometheus and Alertmanager give to their templates."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence

import re2

from watchkeeper.configuration import Duration
from watchkeeper.errors import TemplateError
from watchkeeper.regex import compile_regex
from watchkeeper.templates import humanize
from watchkeeper.templates.moment import Moment, Span
from watchkeeper.templates.values import Record, SafeHtml, text

QueryFunction = Callable[[str], Sequence[tuple[Mapping[str, str], float]]]
"""Answers PromQL at the moment of the evaluation: (labels, value) of every series."""

_EXPANSION = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def prometheus_functions(
    query: QueryFunction, *, external_url: str = "", now_ns: int = 0
) -> dict[str, Callable[..., object]]:
    """Return the functions of rule annotations and labels."""

    def answer(expression: str) -> list[Record]:
        return [
            Record("sample", {"Labels": dict(labels), "Value": value})
            for labels, value in query(expression)
        ]

    return {
        **_SHARED,
        "query": answer,
        "first": _first,
        "value": lambda sample: _sample(sample).member("Value"),
        "label": lambda name, sample: _labels(sample).get(name, ""),
        "strvalue": lambda sample: _labels(sample).get("__value__", ""),
        "sortByLabel": _sorted_by_label,
        "args": lambda *values: {f"arg{number}": value for number, value in enumerate(values)},
        "humanize": humanize.humanize,
        "humanize1024": humanize.humanize_1024,
        "humanizePercentage": humanize.humanize_percentage,
        "humanizeTimestamp": humanize.humanize_timestamp,
        "toTime": lambda value: Moment(int(humanize.to_float(value) * 1e9)),
        "parseDuration": _parse_duration,
        "now": lambda: now_ns / 1e9,
        "stripPort": _without_port,
        "stripDomain": _without_domain,
        "graphLink": lambda expression: _page_link(expression, tab=0),
        "tableLink": lambda expression: _page_link(expression, tab=1),
        "pathPrefix": lambda: urllib.parse.urlsplit(external_url).path,
        "externalURL": lambda: external_url,
    }


def alertmanager_functions(now_ns: int = 0) -> dict[str, Callable[..., object]]:
    """Return the functions of notification templates."""
    return {
        **_SHARED,
        "trimSpace": lambda value: text(value).strip(),
        "since": lambda moment: Span(now_ns - _moment(moment).time_ns),
        "date": lambda layout, moment: _moment(moment).format(layout),
        "tz": lambda zone, moment: _moment(moment).in_zone(zone),
    }


def _pattern(expression: str) -> re2._Regexp:
    try:
        return compile_regex(expression, dot_is_any=False)
    except ValueError as error:
        raise TemplateError(str(error)) from None


def _matches(expression: str, value: object) -> bool:
    return _pattern(expression).search(text(value)) is not None


def _replace_all(expression: str, replacement: str, value: object) -> str:
    def expand(found: re2._Match) -> str:
        def group(reference: re.Match[str]) -> str:
            if reference[1]:
                return "$"
            name = reference[2] or reference[3]
            try:
                return found.group(int(name) if name.isdigit() else name) or ""
            except (IndexError, KeyError):
                return ""

        return _EXPANSION.sub(group, replacement)

    return str(_pattern(expression).sub(expand, text(value)))


def _title(value: object) -> str:
    return re.sub(r"(^|[^\w'])(\w)", lambda match: match[1] + match[2].upper(), text(value))


def _join(separator: str, values: object) -> str:
    if not isinstance(values, list | tuple):
        raise TemplateError("join takes a separator and a list")
    return separator.join(text(value) for value in values)


def _sample(value: object) -> Record:
    if not isinstance(value, Record):
        raise TemplateError("not a sample: query gives a list, `first` takes one of it")
    return value


def _labels(value: object) -> Mapping[str, str]:
    labels = _sample(value).member("Labels")
    if not isinstance(labels, Mapping):
        raise TemplateError("not a sample")
    return labels


def _first(samples: Sequence[object]) -> object:
    if not samples:
        raise TemplateError("first() called on vector with no elements")
    return samples[0]


def _sorted_by_label(name: str, samples: Sequence[object]) -> list[object]:
    return sorted(samples, key=lambda sample: _labels(sample).get(name, ""))


def _parse_duration(value: str) -> float:
    return float(Duration.parse(value))


def _moment(value: object) -> Moment:
    if not isinstance(value, Moment):
        raise TemplateError(f"{text(value)} is not a time")
    return value


def _without_port(address: str) -> str:
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit():
        return address
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _without_domain(address: str) -> str:
    host = _without_port(address)
    port = address[len(host) :] if address.startswith(host) else ""
    if re.fullmatch(r"[\d.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", host):
        return address
    return host.split(".", 1)[0] + port


def _page_link(expression: str, *, tab: int) -> str:
    return f"/graph?g0.expr={urllib.parse.quote_plus(expression)}&g0.tab={tab}"


_SHARED: Mapping[str, Callable[..., object]] = {
    "toUpper": lambda value: text(value).upper(),
    "toLower": lambda value: text(value).lower(),
    "title": _title,
    "join": _join,
    "match": _matches,
    "reReplaceAll": _replace_all,
    "safeHtml": lambda value: SafeHtml(text(value)),
    "stringSlice": lambda *values: [text(value) for value in values],
    "urlUnescape": lambda value: urllib.parse.unquote_plus(text(value)),
    "humanizeDuration": humanize.humanize_duration,
}

NAMES = frozenset(prometheus_functions(lambda _: ())) | frozenset(alertmanager_functions())
"""Every function of both programs, by name."""
