"""Grafana dashboards: the same JSON is drawn by the embedded page.

They follow the schema of Grafana 12 (schemaVersion 41): `timeseries` and `stat` instead of the
removed `graph` and `singlestat`, field options with units, a data source variable instead of a
fixed name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.contract import GRID_COLUMNS, Annotation, Contract, Dashboard, Variable
from watchkeeper.render.document import Document, json_document
from watchkeeper.render.grafana_panel import DATA_SOURCE, panel_json
from watchkeeper.render.grafana_sources import logs_link

SCHEMA_VERSION = 41
ROW_HEIGHT = 1
DATA_SOURCE_VARIABLE = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "current": {},
}


def dashboards(contract: Contract) -> Iterator[Document]:
    """Yield one JSON file a dashboard, named by its uid."""
    for dashboard in contract.dashboards:
        content = _dashboard(dashboard, contract.service)
        yield json_document(f"grafana/dashboards/{dashboard.uid}.json", content)


def _dashboard(dashboard: Dashboard, service: str) -> dict[str, Any]:
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
        "templating": {"list": [DATA_SOURCE_VARIABLE, *map(_variable, dashboard.variables)]},
        "annotations": {"list": list(map(_annotation, dashboard.annotations))},
        "links": [logs_link(service)],
        "panels": list(_panels(dashboard)),
    }


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "name": variable.name,
        "label": variable.title,
        "type": "query",
        "datasource": DATA_SOURCE,
        "definition": query,
        "query": {"query": query, "refId": variable.name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "name": annotation.name,
        "datasource": DATA_SOURCE,
        "enable": True,
        "iconColor": annotation.color,
        "expr": annotation.expression,
        "step": "60s",
        "titleFormat": annotation.title,
        "textFormat": annotation.text,
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
            yield panel_json(panel, identifier, position)
            identifier += 1
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
