"""How log lines travel: Filebeat, Logstash and the OpenTelemetry Collector.

Addresses and secrets come from the environment of each shipper. Filebeat writes to Elasticsearch
or to the backend, which speaks the same bulk API; Logstash stands between where lines must be
queued on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.contract import Contract
from watchkeeper.render import elasticsearch
from watchkeeper.render.document import HEADER, Document, text_document, yaml_document

LOGSTASH_PORT = 5044
OTLP_GRPC_PORT = 4317
OTLP_HTTP_PORT = 4318


def documents(contract: Contract) -> Iterator[Document]:
    """Yield one file a shipper."""
    yield yaml_document("filebeat/filebeat.yml", contract.service, _filebeat(contract))
    yield text_document(f"logstash/pipeline/{contract.service}.conf", _logstash(contract))
    yield yaml_document("collector/collector.yml", contract.service, _collector(contract))


def _filebeat(contract: Contract) -> dict[str, Any]:
    return {
        "filebeat.inputs": [
            {
                "type": "filestream",
                "id": f"{contract.service}-containers",
                "paths": [f"${{LOG_PATHS:/var/log/containers/*{contract.service}*.log}}"],
                # Files of containers are links, and their names come again.
                "prospector.scanner.symlinks": True,
                "parsers": [
                    {"container": {"stream": "all", "format": "auto"}},
                    {"ndjson": {"target": "", "overwrite_keys": True, "add_error_key": True}},
                ],
            }
        ],
        "processors": [{"add_kubernetes_metadata": {"host": "${NODE_NAME:}"}}],
        "timestamp.precision": "nanosecond",
        "setup.template.enabled": False,
        "setup.ilm.enabled": False,
        "output.elasticsearch": {
            "hosts": ["${ELASTICSEARCH_URL:http://127.0.0.1:9200}"],
            "username": "${ELASTICSEARCH_USERNAME:}",
            "password": "${ELASTICSEARCH_PASSWORD:}",
            "index": elasticsearch.data_stream(contract),
        },
    }


def _logstash(contract: Contract) -> str:
    return f"""{HEADER.format(service=contract.service)}
input {{
  beats {{
    port => {LOGSTASH_PORT}
  }}
}}

filter {{
  if [message] =~ /^\\{{/ {{
    json {{
      source => "message"
      skip_on_invalid_json => true
    }}
  }}
}}

output {{
  elasticsearch {{
    hosts => ["${{ELASTICSEARCH_URL:http://127.0.0.1:9200}}"]
    user => "${{ELASTICSEARCH_USERNAME:}}"
    password => "${{ELASTICSEARCH_PASSWORD:}}"
    data_stream => true
    data_stream_type => "logs"
    data_stream_dataset => "{elasticsearch.dataset(contract)}"
    data_stream_namespace => "default"
    data_stream_auto_routing => false
    data_stream_sync_fields => false
  }}
}}
"""


def _collector(contract: Contract) -> dict[str, Any]:
    pipeline = {
        "receivers": ["otlp"],
        "processors": ["memory_limiter", "resource"],
        "exporters": ["otlp_http"],
    }
    return {
        "extensions": {"health_check": {"endpoint": "${env:HEALTH_ADDRESS:-127.0.0.1:13133}"}},
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": f"${{env:OTLP_HOST:-127.0.0.1}}:{OTLP_GRPC_PORT}"},
                    "http": {"endpoint": f"${{env:OTLP_HOST:-127.0.0.1}}:{OTLP_HTTP_PORT}"},
                }
            }
        },
        "processors": {
            "memory_limiter": {
                "check_interval": "1s",
                "limit_percentage": 80,
                "spike_limit_percentage": 20,
            },
            "resource": {
                "attributes": [
                    {
                        "key": "service.namespace",
                        "value": contract.service,
                        "action": "insert",
                    }
                ]
            },
        },
        "exporters": {
            "otlp_http": {
                "endpoint": "${env:WATCHKEEPER_URL:-http://127.0.0.1:9400}",
                "compression": "gzip",
                "headers": {"Authorization": "Bearer ${env:WATCHKEEPER_TOKEN:-}"},
                "retry_on_failure": {"enabled": True, "max_elapsed_time": "0s"},
                "sending_queue": {"enabled": True, "queue_size": 10_000},
            }
        },
        "service": {
            "extensions": ["health_check"],
            "pipelines": {"traces": pipeline, "logs": pipeline, "metrics": pipeline},
        },
    }
