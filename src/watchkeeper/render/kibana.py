"""Kibana's saved objects: a data view of the log lines and the searches people start from.

The file is what `Stack Management > Saved Objects > Import` takes: one object a line.
"""

from __future__ import annotations

import json
from typing import Any

from watchkeeper.contract import Contract, LogEvent
from watchkeeper.render import elasticsearch
from watchkeeper.render.document import Document, text_document

COLUMNS = ("level", "message", "trace_id")
"""What a search shows of each line beside its time."""


def saved_objects(contract: Contract) -> Document:
    """Return the objects: the data view, all lines, the failures, and one search an event."""
    view = f"{contract.service}-logs"
    searches = [
        ("all", "all lines", "", ()),
        ("failures", "failures", "level : (ERROR or CRITICAL)", ("exception.type",)),
        *(_event(event) for event in contract.signals.events),
    ]
    objects = [_view(view, contract)]
    objects += [
        _search(f"{view}-{key}", view, f"{contract.service}: {title}", query, columns)
        for key, title, query, columns in searches
    ]
    lines = [json.dumps(one, ensure_ascii=False, sort_keys=True) for one in objects]
    return text_document(f"kibana/{contract.service}.ndjson", "\n".join(lines) + "\n")


def _event(event: LogEvent) -> tuple[str, str, str, tuple[str, ...]]:
    columns = tuple(field.name for field in event.fields if not field.sensitive)
    return event.name, event.message, f'event : "{event.name}"', columns


def _view(identifier: str, contract: Contract) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": "index-pattern",
        "attributes": {
            "name": f"{contract.service} logs",
            "title": f"logs-{elasticsearch.dataset(contract)}-*",
            "timeFieldName": "@timestamp",
        },
        "references": [],
    }


def _search(
    identifier: str, view: str, title: str, query: str, columns: tuple[str, ...]
) -> dict[str, Any]:
    source = {
        "query": {"query": query, "language": "kuery"},
        "filter": [],
        "indexRefName": "kibanaSavedObjectMeta.searchSourceJSON.index",
    }
    return {
        "id": identifier,
        "type": "search",
        "attributes": {
            "title": title,
            "description": "",
            "columns": [*COLUMNS, *columns],
            "sort": [["@timestamp", "desc"]],
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source, sort_keys=True)},
        },
        "references": [
            {
                "id": view,
                "name": "kibanaSavedObjectMeta.searchSourceJSON.index",
                "type": "index-pattern",
            }
        ],
    }
