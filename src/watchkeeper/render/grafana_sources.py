"""What Grafana is provisioned with: data sources tied to each other, and the dashboards' folder.

From a point to its trace (exemplars), from a span to its lines, from a line to its trace. Grafana
puts variables of the environment into these files; `$$` is its own dollar sign.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from watchkeeper.contract import Contract
from watchkeeper.render.document import Document, yaml_document
from watchkeeper.render.elasticsearch import dataset

METRICS, TRACES, LOGS, ALERTS = (
    f"watchkeeper-{kind}" for kind in ("metrics", "traces", "logs", "alerts")
)


def provisioning(contract: Contract) -> Iterator[Document]:
    """Yield the files that make Grafana load the dashboards and know the data sources."""
    sources = {"apiVersion": 1, "datasources": list(_sources(contract))}
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
    yield yaml_document(f"{root}/datasources/watchkeeper.yml", contract.service, sources)
    yield yaml_document(f"{root}/dashboards/{contract.service}.yml", contract.service, folder)


def logs_link(service: str) -> dict[str, Any]:
    """Return a dashboard's link to the log lines of its service, over the same time."""
    query = {
        "refId": "A",
        "query": f'service:"{service}"',
        "metrics": [{"type": "logs", "id": "1"}],
    }
    pane = {
        "datasource": LOGS,
        "queries": [query],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    panes = quote(json.dumps({"logs": pane}, separators=(",", ":")), safe="${}")
    return {
        "title": "Log lines",
        "type": "link",
        "icon": "doc",
        "url": f"/explore?schemaVersion=1&panes={panes}",
        "targetBlank": False,
    }


def _sources(contract: Contract) -> Iterator[dict[str, Any]]:
    yield _source(
        METRICS,
        "prometheus",
        "${WATCHKEEPER_URL}/prometheus",
        {
            "httpMethod": "POST",
            "manageAlerts": True,
            "alertmanagerUid": ALERTS,
            "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": TRACES}],
        },
        isDefault=True,
    )
    yield _source(
        TRACES,
        "jaeger",
        "${WATCHKEEPER_URL}/jaeger",
        {
            "tracesToLogsV2": {
                "datasourceUid": LOGS,
                "spanStartTimeShift": "-5m",
                "spanEndTimeShift": "5m",
                "customQuery": True,
                "query": 'trace_id:"$${__span.traceId}"',
            }
        },
    )
    yield _source(
        LOGS,
        "elasticsearch",
        "${ELASTICSEARCH_URL}",
        {
            "index": f"logs-{dataset(contract)}-*",
            "timeField": "@timestamp",
            "logMessageField": "message",
            "logLevelField": "level",
            "dataLinks": [{"field": "trace_id", "url": "$${__value.raw}", "datasourceUid": TRACES}],
        },
    )
    yield _source(
        ALERTS,
        "alertmanager",
        "${WATCHKEEPER_URL}/alertmanager",
        {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
    )


def _source(uid: str, kind: str, url: str, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": uid.replace("watchkeeper-", "Watchkeeper "),
        "uid": uid,
        "type": kind,
        "access": "proxy",
        "url": url,
        **more,
        "jsonData": settings,
    }
