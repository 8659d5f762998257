"""One panel as Grafana's JSON: queries, unit, thresholds, names of values."""

from __future__ import annotations

from typing import Any

from watchkeeper.contract import Panel, PanelKind

DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
"""The dashboard's own variable: whoever looks chooses where the numbers come from."""


def panel_json(panel: Panel, identifier: int, position: dict[str, int]) -> dict[str, Any]:
    """Return a panel that stands at `position` on the grid."""
    links = [
        {"title": link.title, "url": link.url, "targetBlank": "://" in link.url}
        for link in panel.links
    ]
    return {
        "id": identifier,
        "type": panel.kind.value,
        "title": panel.title,
        "description": panel.description,
        "gridPos": position,
        **({"links": links} if links else {}),
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
