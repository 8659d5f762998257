"""What Grafana puts into a query before it sends it: variables of its own and of the dashboard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NAME = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)")
LABEL_VALUES = re.compile(
    r"\s*label_values\(\s*(?:(?P<metric>.+?)\s*,\s*)?(?P<label>\w+)\s*\)\s*\Z"
)
QUERY_RESULT = re.compile(r"\s*query_result\((?P<query>.+)\)\s*\Z", re.DOTALL)
METRICS = re.compile(r"\s*(?:metrics|label_names)\((?P<pattern>.*)\)\s*\Z")
WIDTH_POINTS = 1000
"""So many points wide a panel is taken to be: from it comes $__interval."""


def built_in(range_seconds: int, scrape_seconds: float) -> dict[str, str]:
    """Return Grafana's own variables for a time range.

    $__rate_interval is the greater of four scrapes and one interval more than a scrape (Grafana,
    "Prometheus query editor").
    """
    interval = max(scrape_seconds, round(range_seconds / WIDTH_POINTS) or 1)
    rate = max(interval + scrape_seconds, 4 * scrape_seconds)
    return {
        "__interval": f"{interval:g}s",
        "__interval_ms": f"{interval * 1000:g}",
        "__rate_interval": f"{rate:g}s",
        "__rate_interval_ms": f"{rate * 1000:g}",
        "__range": f"{range_seconds}s",
        "__range_s": f"{range_seconds}",
        "__range_ms": f"{range_seconds * 1000}",
        "__from": "0",
        "__to": f"{range_seconds * 1000}",
    }


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Return a text with every known variable replaced; others stay as they are."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3] or found[5]
        return values.get(name, found[0])

    return NAME.sub(value, text)


def unknown(text: str) -> list[str]:
    """Return the variables that a text still holds."""
    return [found[1] or found[3] or found[5] for found in NAME.finditer(text)]


def variables(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the variables that a dashboard declares."""
    for one in dashboard.get("templating", {}).get("list", []):
        if isinstance(one, Mapping) and one.get("name"):
            yield one


def query_of(variable: Mapping[str, Any]) -> str:
    """Return what a query variable asks, in the older and the newer form."""
    query = variable.get("query", "")
    if isinstance(query, Mapping):
        query = query.get("query", "")
    return str(query or variable.get("definition", ""))


def fixed_values(variable: Mapping[str, Any]) -> list[str]:
    """Return the values of a variable that asks nothing: custom, constant, interval, textbox."""
    kind = variable.get("type")
    if kind == "datasource":
        return ["prometheus"]
    current = variable.get("current", {})
    chosen = current.get("value", "") if isinstance(current, Mapping) else ""
    own = [part.partition(" : ")[2] or part for part in query_of(variable).split(",")]
    listed = [part.strip() for part in own if part.strip()]
    if isinstance(chosen, list):
        chosen = chosen[0] if chosen else ""
    first = [str(chosen)] if chosen and "$__all" not in str(chosen) else []
    return first or listed or ([""] if kind == "textbox" else [])
