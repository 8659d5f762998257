"""Elasticsearch: how log lines are typed, where they go and how long they stay.

Each file is the body of one call: `PUT _index_template/NAME`, a composable template that makes
`logs-SERVICE-*` data streams; `PUT _ilm/policy/NAME`, how long they stay; and
`PUT _ingest/pipeline/NAME`, what every line passes. NAME is `policy_name`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.contract import Contract
from watchkeeper.conventions import http
from watchkeeper.instrument.log_line import RESERVED
from watchkeeper.render.document import Document, json_document

PRIORITY = 200
"""Above 100, the priority of Elasticsearch's own template for `logs-*-*`."""

LONGEST_KEYWORD = 1024
"""Longer values are kept and shown, but not indexed: Lucene refuses terms over 32,766 bytes."""

MOST_FIELDS = 300
"""Of one index: what comes undeclared beyond it is kept in the source and not indexed."""

TYPES: dict[type, dict[str, Any]] = {
    str: {"type": "keyword", "ignore_above": LONGEST_KEYWORD},
    int: {"type": "long"},
    float: {"type": "double"},
    bool: {"type": "boolean"},
}

LINE: dict[str, dict[str, Any]] = {
    "@timestamp": {"type": "date_nanos"},
    "level": {"type": "keyword"},
    "logger": {"type": "keyword"},
    "message": {"type": "text"},
    "service": {"type": "keyword"},
    "version": {"type": "keyword"},
    "environment": {"type": "keyword"},
    "trace_id": {"type": "keyword"},
    "span_id": {"type": "keyword"},
    "event": {"type": "keyword"},
    "exception": {
        "properties": {
            "type": {"type": "keyword"},
            "message": {"type": "text"},
            "stack": {"type": "text", "index": False},
        }
    },
    "ingested_at": {"type": "date"},
    "ingest_error": {"type": "keyword", "ignore_above": LONGEST_KEYWORD},
}
"""What every line has or may have, whatever the contract declares."""


def dataset(contract: Contract) -> str:
    """Return the middle part of the data stream's name, in which `-` is a separator."""
    return contract.service.replace("-", "_")


def data_stream(contract: Contract) -> str:
    """Return the data stream that the log lines go to."""
    return f"logs-{dataset(contract)}-default"


def policy_name(contract: Contract) -> str:
    """Return the name of the lifecycle policy and of the ingest pipeline."""
    return f"{contract.service}-logs"


def documents(contract: Contract) -> Iterator[Document]:
    """Yield the bodies of the three calls that prepare Elasticsearch for the service's lines."""
    yield json_document("elasticsearch/index_template.json", _template(contract))
    yield json_document("elasticsearch/lifecycle_policy.json", _lifecycle(contract))
    yield json_document("elasticsearch/ingest_pipeline.json", _pipeline(contract))


def properties(contract: Contract) -> dict[str, dict[str, Any]]:
    """Return the type of every field that a line of the service can have."""
    declared = [field for event in contract.signals.events for field in event.fields]
    types = {
        f"{field.name}_" if field.name in RESERVED else field.name: TYPES[field.type]
        for field in (*http.ACCESS_FIELDS, *declared)
    }
    return LINE | dict(sorted(types.items()))


def _template(contract: Contract) -> dict[str, Any]:
    name = policy_name(contract)
    return {
        "_meta": {"description": f"Log lines of {contract.service}, rendered from its contract."},
        "index_patterns": [f"logs-{dataset(contract)}-*"],
        "data_stream": {},
        "priority": PRIORITY,
        "template": {
            "settings": {
                "index.number_of_shards": 1,
                "index.auto_expand_replicas": "0-1",
                "index.codec": "best_compression",
                "index.default_pipeline": name,
                "index.lifecycle.name": name,
                "index.mapping.ignore_malformed": True,
                "index.mapping.total_fields.limit": MOST_FIELDS,
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": True,
                "index.query.default_field": ["message", "exception.message"],
            },
            "mappings": {
                "dynamic_templates": [
                    {"text_as_keyword": {"match_mapping_type": "string", "mapping": TYPES[str]}}
                ],
                "properties": properties(contract),
            },
        },
    }


def _lifecycle(contract: Contract) -> dict[str, Any]:
    return {
        "policy": {
            "phases": {
                "hot": {
                    "actions": {
                        "rollover": {"max_age": "1d", "max_primary_shard_size": "25gb"},
                        "set_priority": {"priority": 100},
                    }
                },
                "warm": {
                    "min_age": "2d",
                    "actions": {
                        "readonly": {},
                        "forcemerge": {"max_num_segments": 1},
                        "set_priority": {"priority": 50},
                    },
                },
                "delete": {
                    "min_age": f"{contract.log_retention_days}d",
                    "actions": {"delete": {}},
                },
            }
        }
    }


def _pipeline(contract: Contract) -> dict[str, Any]:
    return {
        "description": f"Log lines of {contract.service}: fields at the top level, as written.",
        "processors": [
            {
                "json": {
                    "description": "A line that its shipper left undecoded.",
                    "if": "ctx.message instanceof String && ctx.message.startsWith('{')",
                    "field": "message",
                    "add_to_root": True,
                    "ignore_failure": True,
                }
            },
            {"set": {"field": "ingested_at", "value": "{{{_ingest.timestamp}}}"}},
            {
                "remove": {
                    "description": "What shippers say of themselves.",
                    "field": ["agent", "ecs", "input", "host", "tags", "@version"],
                    "ignore_missing": True,
                }
            },
        ],
        "on_failure": [
            {"set": {"field": "ingest_error", "value": "{{{_ingest.on_failure_message}}}"}}
        ],
    }
