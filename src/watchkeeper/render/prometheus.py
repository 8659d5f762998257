"""prometheus.yml and the rule files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.contract import Alert, Contract, RecordingRule, RuleGroup, ScrapeJob
from watchkeeper.conventions import backend_alerts
from watchkeeper.render.document import Document, duration, yaml_document

ALERTMANAGER = "127.0.0.1:9093"
"""Where a Prometheus beside an Alertmanager finds it; the embedded backend notifies itself."""


def config(contract: Contract) -> Document:
    """Return prometheus.yml: what is scraped, how often, and where the rules are."""
    content = {
        "global": {
            "scrape_interval": duration(contract.scrape_interval_seconds),
            "scrape_timeout": duration(min(10, contract.scrape_interval_seconds)),
            "evaluation_interval": duration(contract.evaluation_interval_seconds),
        },
        "rule_files": ["rules/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [ALERTMANAGER]}]}]},
        "scrape_configs": [_scrape_config(job, contract.service) for job in contract.scrape_jobs],
    }
    return yaml_document("prometheus/prometheus.yml", contract.service, content)


def _scrape_config(job: ScrapeJob, service: str) -> dict[str, Any]:
    content: dict[str, Any] = {"job_name": job.name}
    if job.interval_seconds:
        content["scrape_interval"] = duration(job.interval_seconds)
        content["scrape_timeout"] = duration(min(10, job.interval_seconds))
    if job.metrics_path != "/metrics":
        content["metrics_path"] = job.metrics_path
    content["static_configs"] = [{"targets": list(job.targets), "labels": {"service": service}}]
    return content


def with_rules(contract: Contract) -> list[Contract]:
    """Return whose rules are evaluated beside a contract: its own, and those on the backend."""
    own = [contract] if contract.rule_groups else []
    if contract.service == backend_alerts.SERVICE:
        return own
    return [*own, backend_alerts.CONTRACT]


def rule_files(contract: Contract) -> Iterator[Document]:
    """Yield one rule file a contract whose rules are evaluated."""
    yield from map(rules, with_rules(contract))


def rules(contract: Contract) -> Document:
    """Return the rule file. Every alert carries `severity` and `service`."""
    content = {"groups": groups(contract)}
    return yaml_document(f"prometheus/rules/{contract.service}.yml", contract.service, content)


def groups(contract: Contract) -> list[dict[str, Any]]:
    """Return the rule groups as a rule file holds them."""
    return [_group(group, contract.service) for group in contract.rule_groups]


def _group(group: RuleGroup, service: str) -> dict[str, Any]:
    content: dict[str, Any] = {"name": group.name}
    if group.interval_seconds:
        content["interval"] = duration(group.interval_seconds)
    content["rules"] = [_rule(rule, service) for rule in group.rules]
    return content


def _rule(rule: Alert | RecordingRule, service: str) -> dict[str, Any]:
    if isinstance(rule, RecordingRule):
        content: dict[str, Any] = {"record": rule.name, "expr": rule.expression}
        if rule.labels:
            content["labels"] = dict(rule.labels)
        return content
    content = {"alert": rule.name, "expr": rule.expression}
    if rule.for_seconds:
        content["for"] = duration(rule.for_seconds)
    if rule.keep_firing_for_seconds:
        content["keep_firing_for"] = duration(rule.keep_firing_for_seconds)
    content["labels"] = {"severity": rule.severity.value, "service": service, **rule.labels}
    content["annotations"] = {
        "summary": rule.summary,
        "description": rule.description,
        "runbook_url": rule.runbook,
    }
    return content
