"""Grafana dashboards and their provisioning: the same JSON is drawn by the embedded page.

The dashboards follow the schema of Grafana 11 and later (schemaVersion 39): `timeseries` and
`stat` instead of the removed `graph` and `singlestat`, field options with units, a data source
variable instead of a fixed name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.contract import GRID_COLUMNS, Contract, Dashboard, Panel, PanelKind
from watchkeeper.render.document import Document, json_document, yaml_document

SCHEMA_VERSION = 39
DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
ROW_HEIGHT = 1


def dashboards(contract: Contract) -> Iterator[Document]:
    """Yield one JSON file a dashboard, named by its uid."""
    for dashboard in contract.dashboards:
        yield json_document(f"grafana/dashboards/{dashboard.uid}.json", _dashboard(dashboard))


def provisioning(contract: Contract) -> Iterator[Document]:
    """Yield the files that make Grafana load the dashboards and know the data sources."""
    data_source = {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Watchkeeper metrics",
                "uid": "watchkeeper-metrics",
                "type": "prometheus",
                "access": "proxy",
                "url": "${WATCHKEEPER_URL}/prometheus",
                "isDefault": True,
                "jsonData": {
                    "exemplarTraceIdDestinations": [
                        {"name": "trace_id", "datasourceUid": "watchkeeper-traces"}
                    ]
                },
            },
            {
                "name": "Watchkeeper traces",
                "uid": "watchkeeper-traces",
                "type": "jaeger",
                "access": "proxy",
                "url": "${WATCHKEEPER_URL}/jaeger",
            },
        ],
    }
    folder = {
        "apiVersion": 1,
        "providers": [
            {
                "name": contract.service,
                "folder": contract.service,
                "type": "file",
                "allowUiUpdates": False,
                "options": {"path": "/var/lib/grafana/dashboards"},
            }
        ],
    }
    root = "grafana/provisioning"
    yield yaml_document(f"{root}/datasources/watchkeeper.yml", contract.service, data_source)
    yield yaml_document(f"{root}/dashboards/{contract.service}.yml", contract.service, folder)


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["watchkeeper"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": f"{dashboard.refresh_seconds}s",
        "time": {"from": f"now-{dashboard.range_seconds}s", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                }
            ]
        },
        "annotations": {"list": []},
        "links": [],
        "panels": list(_panels(dashboard)),
    }


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """Yield row headings and panels, placed from left to right on Grafana's grid."""
    identifier, y = 1, 0
    for row in dashboard.rows:
        yield {
            "id": identifier,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"h": ROW_HEIGHT, "w": GRID_COLUMNS, "x": 0, "y": y},
            "panels": [],
        }
        identifier += 1
        x, y, tallest = 0, y + ROW_HEIGHT, 0
        for panel in row.panels:
            if x + panel.width > GRID_COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            position = {"h": panel.height, "w": panel.width, "x": x, "y": y}
            yield _panel(panel, identifier, position)
            identifier += 1
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def _panel(panel: Panel, identifier: int, position: dict[str, int]) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.description,
        "gridPos": position,
        "datasource": DATA_SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATA_SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
                "exemplar": panel.kind is PanelKind.TIME_SERIES and "_bucket" in query.expression,
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _field_defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _field_defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.thresholds:
        first, *others = panel.thresholds
        steps: list[dict[str, Any]] = [{"color": first.color, "value": None}]
        steps += [{"color": step.color, "value": step.value} for step in others]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["color"] = {"mode": "thresholds"}
    if panel.value_names:
        names = {str(value): {"text": text} for value, text in panel.value_names.items()}
        defaults["mappings"] = [{"type": "value", "options": names}]
    if panel.kind is PanelKind.TIME_SERIES:
        defaults["min"] = 0
        defaults["color"] = {"mode": "palette-classic"}
        defaults["custom"] = {"fillOpacity": 8, "lineWidth": 2, "showPoints": "never"}
    if panel.kind is PanelKind.GAUGE:
        defaults |= {"min": 0, "max": 100}
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind in (PanelKind.STAT, PanelKind.GAUGE):
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    if panel.kind is PanelKind.TIME_SERIES:
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {}
