"""Every panel and variable of a dashboard over declared signals: is there anything to see?

All that is declared moves: each metric with its label values, counters growing at different
rates, observations in every bucket. A panel that shows nothing then shows nothing ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.promql import parse, selectors
from watchkeeper.promql.syntax import Expression
from watchkeeper.prove.grafana_variables import (
    LABEL_VALUES,
    METRICS,
    QUERY_RESULT,
    built_in,
    expanded,
    fixed_values,
    query_of,
    unknown,
    variables,
)
from watchkeeper.prove.moving import Moving
from watchkeeper.prove.subject import Subject

DEFAULT_RANGE_SECONDS = 3600
PROMETHEUS = "prometheus"


@dataclass(frozen=True)
class Shown:
    """A query of a panel, or a variable: what it is called, and why it shows nothing."""

    dashboard: str
    title: str
    query: str
    fault: str = ""


def prove_dashboards(subject: Subject) -> list[Shown]:
    """Return every query and variable of every dashboard."""
    moving = Moving(subject)
    return [
        shown
        for name, dashboard in subject.dashboards.items()
        for shown in _Dashboard(subject, moving, name, dashboard).shown()
    ]


class _Dashboard:
    def __init__(
        self, subject: Subject, moving: Moving, name: str, dashboard: Mapping[str, Any]
    ) -> None:
        self._subject, self._moving = subject, moving
        self._name = str(dashboard.get("title") or name)
        self._dashboard = dashboard
        self._values = built_in(_range_seconds(dashboard), subject.scrape_interval_seconds)

    def shown(self) -> Iterator[Shown]:
        for variable in variables(self._dashboard):
            yield self._variable(variable)
        for panel in _panels(self._dashboard):
            title = str(panel.get("title", ""))
            for target in panel.get("targets", []):
                if _is_promql(target, panel):
                    yield self._query(title, str(target["expr"]))

    def _variable(self, variable: Mapping[str, Any]) -> Shown:
        name = str(variable["name"])
        asked = expanded(query_of(variable), self._values)
        values = self._asked(asked) if variable.get("type") == "query" else fixed_values(variable)
        fault = "" if values else "it has no value"
        every = bool(variable.get("includeAll")) or bool(variable.get("multi"))
        if values:
            chosen = str(variable.get("allValue") or "") if every else ""
            joined = "|".join(values[:20]) if every else values[0]
            self._values[name] = chosen or joined
        return Shown(self._name, f"variable {name}", asked, fault)

    def _asked(self, query: str) -> list[str]:
        if found := LABEL_VALUES.match(query):
            return self._moving.label_values(found["metric"] or "", found["label"])
        if found := QUERY_RESULT.match(query):
            return self._moving.results(found["query"])
        if found := METRICS.match(query):
            return self._moving.names(found["pattern"])
        return self._moving.results(query) if query else []

    def _query(self, title: str, text: str) -> Shown:
        query = expanded(text, self._values)
        left = unknown(query)
        if left:
            return Shown(self._name, title, query, f"the dashboard has no variable {left[0]}")
        try:
            expression = parse(query)
            fault = self._fault(expression)
        except QueryError as error:
            fault = str(error)
        return Shown(self._name, title, query, fault)

    def _fault(self, expression: Expression) -> str:
        found = self._moving.values(expression)
        if found.size and np.isfinite(found).any():
            return ""
        reasons = [
            reason
            for selector in selectors(expression)
            if (reason := self._moving.why_nothing(selector))
        ]
        if reasons:
            return reasons[0]
        return "it gives only NaN" if found.size else "it gives no data although all is there"


def _panels(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield panels, those inside of rows too, also as old schemas nest them."""
    for panel in dashboard.get("panels", []):
        yield panel
        yield from panel.get("panels", [])
    for row in dashboard.get("rows", []):
        yield from row.get("panels", [])


def _is_promql(target: Mapping[str, Any], panel: Mapping[str, Any]) -> bool:
    source = target.get("datasource") or panel.get("datasource") or {}
    kind = source.get("type", PROMETHEUS) if isinstance(source, Mapping) else PROMETHEUS
    return bool(target.get("expr")) and kind in (PROMETHEUS, "", None)


def _range_seconds(dashboard: Mapping[str, Any]) -> int:
    text = str(dashboard.get("time", {}).get("from", ""))
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    number, unit = text.removeprefix("now-")[:-1], text[-1:]
    if text.startswith("now-") and number.isdigit() and unit in units:
        return int(number) * units[unit]
    return DEFAULT_RANGE_SECONDS
