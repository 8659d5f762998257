"""Dashboards: what a person looks at, drawn here and in Grafana from the same JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watchkeeper.errors import ContractError

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. `unit` is a Grafana unit id (`reqps`, `s`, `percentunit`, `bytes` ...);
    `value_names` are shown in place of values: `{1: "up"}`."""

    title: str
    description: str
    queries: tuple[Query, ...]
    kind: PanelKind = PanelKind.TIME_SERIES
    unit: str = "short"
    thresholds: tuple[Threshold, ...] = ()
    value_names: Mapping[int, str] = field(default_factory=dict)
    width: int = 12
    height: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.width <= GRID_COLUMNS:
            raise ContractError(f"panel {self.title!r}: width is 1 to {GRID_COLUMNS} columns")
        if not self.description:
            raise ContractError(f"panel {self.title!r}: say in `description` how to read it")


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading, laid out from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Rows of panels. `uid` is stable: links hold it."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    refresh_seconds: int = 10
    range_seconds: int = 3600
