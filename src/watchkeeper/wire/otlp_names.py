"""OTLP names and units as Prometheus spells them.

Source: OpenTelemetry, "Prometheus and OpenMetrics Compatibility"; Prometheus, otlptranslator,
UnderscoreEscapingWithSuffixes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchkeeper.model import AttributeValue

_TOKENS = re.compile(r"[^a-zA-Z0-9:]+")
_LABEL_GAPS = re.compile(r"[^a-zA-Z0-9_]")

_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
_PER = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}


def metric_name(name: str, unit: str, *, counter: bool = False, gauge: bool = False) -> str:
    """Return `http.server.duration` with unit `s` as `http_server_duration_seconds`.

    A counter ends in `_total`, a gauge of unit `1` in `_ratio`.
    """
    tokens = [token for token in _TOKENS.split(name) if token]
    for part in _unit_tokens(unit):
        if part not in tokens:
            tokens.append(part)
    if counter:
        tokens = [token for token in tokens if token != "total"] + ["total"]
    if gauge and unit == "1":
        tokens = [token for token in tokens if token != "ratio"] + ["ratio"]
    joined = "_".join(tokens)
    return f"_{joined}" if joined[:1].isdigit() else joined


def unit_name(unit: str) -> str:
    """Return the unit as a metric's name ends in it: `By/s` is `bytes_per_second`."""
    return "_".join(_unit_tokens(unit))


def _unit_tokens(unit: str) -> list[str]:
    if "{" in unit:
        return []
    main, _, per = unit.partition("/")
    tokens = [token for token in _TOKENS.split(_UNITS.get(main.strip(), main.strip())) if token]
    if per.strip():
        tokens += ["per", *_TOKENS.split(_PER.get(per.strip(), per.strip()))]
    return [token for token in tokens if token]


def label_name(attribute: str) -> str:
    """Return an attribute's key as a label's name: `http.route` is `http_route`."""
    name = _LABEL_GAPS.sub("_", attribute)
    return f"key_{name}" if name[:1].isdigit() else name


def label_pairs(attributes: Iterable[tuple[str, AttributeValue]]) -> dict[str, str]:
    """Return attributes as labels; values of keys that become equal are joined with `;`."""
    pairs: dict[str, str] = {}
    for key, value in sorted(attributes, key=lambda item: item[0]):
        name = label_name(key)
        text = label_text(value)
        pairs[name] = f"{pairs[name]};{text}" if name in pairs else text
    return pairs


def label_text(value: AttributeValue) -> str:
    """Return an attribute's value as a label's text; lists as JSON does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ",".join(_quoted(element) for element in value) + "]"
    return str(value)


def _quoted(value: str | bool | int | float) -> str:
    return f'"{value}"' if isinstance(value, str) else label_text(value)
