"""The contract holds together: what it shows and fires on is what it declares."""

import re
from pathlib import Path

import pytest

from resume_optimizer.telemetry import CONTRACT
from watchkeeper.contract import Alert, RecordingRule
from watchkeeper.promql import parse, selectors

ROOT = Path(__file__).parents[3]

# What the backend and Prometheus add by themselves.
SCRAPE_METRICS = {"up": {"job", "instance", "service"}}
TARGET_LABELS = {"job", "instance", "service"}

ALERTS = [rule for group in CONTRACT.rule_groups for rule in group.rules if isinstance(rule, Alert)]
PANELS = [
    (panel.title, query.expression)
    for dashboard in CONTRACT.dashboards
    for row in dashboard.rows
    for panel in row.panels
    for query in panel.queries
]
EXPRESSIONS = [(alert.name, alert.expression) for alert in ALERTS] + PANELS

GUIDE_METRICS = [
    "http_requests_total",
    "http_request_duration_seconds",
    "active_jobs_total",
    "completed_jobs_total",
    "llm_request_duration_seconds",
    "llm_tokens_total",
    "memory_usage_bytes",
    "cpu_usage_percent",
    "resume_processing_seconds",
    "file_upload_size_bytes",
    "db_connections_active",
    "db_connections_idle",
    "db_query_duration_seconds",
    "db_query_errors_total",
    "user_logins_total",
    "user_registrations_total",
    "resume_optimizations_total",
    "optimization_success_rate",
    "files_processed_total",
    "file_processing_duration_seconds",
    "api_calls_total",
    "api_rate_limit_hits_total",
    "llm_cost_usd_total",
    "storage_cost_usd_total",
]
GUIDE_ALERTS = [
    "HighErrorRate",
    "HighResponseTime",
    "HighMemoryUsage",
    "JobProcessingFailures",
    "DatabaseConnectionIssues",
    "LLMAPIFailures",
    "TargetDown",
    "Watchdog",
    "JourneyFailing",
]


RECORDED = {
    rule.name: {"slo", "budget", "user_type", "feature"}
    for group in CONTRACT.rule_groups
    for rule in group.rules
    if isinstance(rule, RecordingRule)
}


def labels_of(sample_name: str) -> set[str]:
    if sample_name in RECORDED:
        return RECORDED[sample_name]
    if sample_name in SCRAPE_METRICS:
        return SCRAPE_METRICS[sample_name]
    metric = CONTRACT.metric_of_sample(sample_name)
    assert metric is not None, f"{sample_name} is not declared"
    own = {"le"} if sample_name.endswith("_bucket") else set()
    return {*metric.label_names, *TARGET_LABELS, *own}


@pytest.mark.parametrize(
    ("where", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS]
)
def test_an_expression_selects_only_what_is_declared(where, expression):
    for selector in selectors(parse(expression)):
        declared = labels_of(selector.name)
        for matcher in selector.matchers:
            assert matcher.name in declared | {"__name__"}, f"{where}: {matcher.name}"


@pytest.mark.parametrize("name", GUIDE_METRICS)
def test_every_metric_of_the_guide_is_declared(name):
    assert name in {metric.name for metric in CONTRACT.signals.metrics}


def test_every_alert_of_the_guide_is_declared():
    assert set(GUIDE_ALERTS) <= {alert.name for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_a_section_in_its_runbook(alert):
    path, _, anchor = alert.runbook.partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}


def test_a_user_is_never_a_label():
    for metric in CONTRACT.signals.metrics:
        assert "user_id" not in metric.label_names


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_threshold_on_a_quantile_lies_within_the_buckets(alert):
    found = re.search(r"histogram_quantile.*?(\w+)_bucket.*> (\d+)$", alert.expression)
    if found:
        metric = CONTRACT.metric_of_sample(f"{found[1]}_bucket")
        assert metric.buckets[0] < float(found[2]) < metric.buckets[-1]
