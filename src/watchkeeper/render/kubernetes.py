"""Objects of the Prometheus Operator: what is scraped and which rules are evaluated.

The operator finds them by the label `app.kubernetes.io/part-of`. A target is a Service that is
named, by `app.kubernetes.io/name`, like the scrape job, with a port called `metrics`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.contract import Contract, ScrapeJob
from watchkeeper.render import prometheus
from watchkeeper.render.document import Document, duration, yaml_document
from watchkeeper.render.kubernetes_alertmanager import alertmanager_config

NAME_LABEL = "app.kubernetes.io/name"
PART_OF_LABEL = "app.kubernetes.io/part-of"
METRICS_PORT = "metrics"


def documents(contract: Contract) -> Iterator[Document]:
    """Yield one file an object."""
    objects = [*(_service_monitor(contract, job) for job in contract.scrape_jobs)]
    objects += (_prometheus_rule(contract, one) for one in prometheus.with_rules(contract))
    if contract.notifications is not None:
        spec = alertmanager_config(contract.service, contract.notifications)
        objects.append(_object(contract, "v1alpha1", "AlertmanagerConfig", contract.service, spec))
    for one in objects:
        path = f"kubernetes/{one['kind'].lower()}-{one['metadata']['name']}.yml"
        yield yaml_document(path, contract.service, one)


def _prometheus_rule(contract: Contract, watched: Contract) -> dict[str, Any]:
    """Return the rules on `watched`, which is the contract's own service or the backend."""
    spec = {"groups": prometheus.groups(watched)}
    return _object(contract, "v1", "PrometheusRule", watched.service, spec)


def _service_monitor(contract: Contract, job: ScrapeJob) -> dict[str, Any]:
    interval = job.interval_seconds or contract.scrape_interval_seconds
    spec = {
        "jobLabel": NAME_LABEL,
        "selector": {"matchLabels": {NAME_LABEL: job.name}},
        "endpoints": [
            {
                "port": METRICS_PORT,
                "path": job.metrics_path,
                "interval": duration(interval),
                "scrapeTimeout": duration(min(10, interval)),
                # The operator's own `service` is the Service's name; rules and routes mean ours.
                "relabelings": [
                    {"action": "replace", "targetLabel": "service", "replacement": contract.service}
                ],
            }
        ],
    }
    return _object(contract, "v1", "ServiceMonitor", job.name, spec)


def _object(
    contract: Contract, version: str, kind: str, name: str, spec: dict[str, Any]
) -> dict[str, Any]:
    return {
        "apiVersion": f"monitoring.coreos.com/{version}",
        "kind": kind,
        "metadata": {
            "name": name,
            "labels": {NAME_LABEL: name, PART_OF_LABEL: contract.service},
        },
        "spec": spec,
    }
