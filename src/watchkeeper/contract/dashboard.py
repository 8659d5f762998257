"""Dashboards: what a person looks at, drawn here and in Grafana from the same JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watchkeeper.errors import ContractError

_VARIABLE = re.compile(r"[a-z][a-z0-9_]*\Z")

LONGEST_UID = 40
"""As Grafana's database has it."""
GRID_COLUMNS = 24
"""Grafana's grid is 24 columns wide."""


class PanelKind(StrEnum):
    """The panel types that Grafana and the embedded page both draw."""

    TIME_SERIES = "timeseries"
    STAT = "stat"
    GAUGE = "gauge"
    TABLE = "table"
    HEATMAP = "heatmap"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and its legend (`{{label}}` is replaced)."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `value` on a panel shows `color` (a Grafana colour name)."""

    value: float
    color: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where a panel leads: a runbook, another dashboard, a page of somebody else's. `url` may
    hold Grafana's variables (`${__from}`)."""

    title: str
    url: str

    def __post_init__(self) -> None:
        if not self.title or not self.url:
            raise ContractError(f"link {self.title!r}: needs a title and a url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. `unit` is a Grafana unit id (`reqps`, `s`, `percentunit`, `bytes` ...);
    `value_names` are shown in place of values: `{1: "up"}`. `links` lead on from it."""

    title: str
    description: str
    queries: tuple[Query, ...]
    kind: PanelKind = PanelKind.TIME_SERIES
    unit: str = "short"
    thresholds: tuple[Threshold, ...] = ()
    value_names: Mapping[int, str] = field(default_factory=dict)
    width: int = 12
    height: int = 8
    links: tuple[Link, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.width <= GRID_COLUMNS:
            raise ContractError(f"panel {self.title!r}: width is 1 to {GRID_COLUMNS} columns")
        if not self.description:
            raise ContractError(f"panel {self.title!r}: say in `description` how to read it")
        if self.kind is not PanelKind.TEXT and not self.queries:
            raise ContractError(f"panel {self.title!r}: without `queries` it shows nothing")
        if any(not query.expression.strip() for query in self.queries):
            raise ContractError(f"panel {self.title!r}: a query is empty")
        values = [threshold.value for threshold in self.thresholds]
        if values != sorted(set(values)):
            raise ContractError(f"panel {self.title!r}: thresholds must ascend")


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading, laid out from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the head of a dashboard: one, several or all values of a label.

    Queries name it in a regular expression: `{job=~"$job"}`. The values are those that `label`
    has on the series of `metric`.
    """

    name: str
    title: str
    metric: str
    label: str

    def __post_init__(self) -> None:
        if not _VARIABLE.match(self.name):
            raise ContractError(f"variable {self.name!r}: a name is lower_snake_case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Moments that are marked on every panel of a dashboard: those at which `expression` has an
    element. `title` and `text` may hold its labels (`{{version}}`)."""

    name: str
    expression: str
    title: str
    text: str = ""
    color: str = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Rows of panels. `uid` is stable: links hold it."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    refresh_seconds: int = 10
    range_seconds: int = 3600

    def __post_init__(self) -> None:
        if not 1 <= len(self.uid) <= LONGEST_UID:
            raise ContractError(
                f"dashboard {self.uid!r}: Grafana's uids have 1 to {LONGEST_UID} characters"
            )
        names = [variable.name for variable in self.variables]
        if len(set(names)) != len(names):
            raise ContractError(f"dashboard {self.uid}: a variable is declared twice")
