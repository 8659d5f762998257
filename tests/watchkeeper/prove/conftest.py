"""A small contract, and proofs of single alerts over it."""

from pathlib import Path

import pytest

from watchkeeper.contract import (
    Contract,
    Counter,
    Gauge,
    Histogram,
    Label,
    ScrapeJob,
    Signals,
)
from watchkeeper.promql import parse
from watchkeeper.prove import AlertProof, Subject, prove_alert
from watchkeeper.prove.declared import Declared
from watchkeeper.rules import load_rules

CONTRACT = Contract(
    service="shop",
    version="1",
    signals=Signals(
        metrics=(
            Counter(
                name="requests_total",
                help="Requests.",
                labels=(
                    Label("code", pattern=r"[1-5]\d\d"),
                    Label("method", values=("GET", "POST")),
                ),
            ),
            Counter(
                name="jobs_total",
                help="Jobs.",
                labels=(Label("status", values=("done", "failed", "rejected")),),
            ),
            Counter(name="cost_usd_total", help="Cost."),
            Gauge(name="depth", help="Depth.", labels=(Label("queue"),)),
            Gauge(name="pool_used", help="Used."),
            Gauge(name="pool_most", help="Most."),
            Gauge(name="dependency_up", help="Up.", labels=(Label("dependency"),)),
            Gauge(name="last_run_timestamp_seconds", help="When.", unit="seconds"),
            Gauge(name="disk_free_bytes", help="Free.", unit="bytes"),
            Histogram(
                name="duration_seconds",
                help="Time.",
                labels=(Label("route"),),
                unit="seconds",
                buckets=(0.1, 0.5, 1.0, 5.0),
            ),
        )
    ),
    scrape_jobs=(
        ScrapeJob(name="api", targets=("api:8000",)),
        ScrapeJob(name="worker", targets=("worker:8000",)),
    ),
)


def subject_of(directory: Path, text: str, contract: Contract = CONTRACT) -> Subject:
    path = directory / "rules.yml"
    path.write_text(text, encoding="utf-8")
    return Subject(Declared.of(contract), load_rules([path], parse=parse))


def rule_text(expression: str, hold: str = "2m") -> str:
    return (
        "groups:\n- name: one\n  rules:\n  - alert: Subject\n"
        f"    expr: {expression!r}\n    for: {hold}\n"
    )


@pytest.fixture
def proof_of(tmp_path):
    """Prove one expression as an alert, beside other rules if there are any."""

    def prove(expression: str, hold: str = "2m", beside: str = "") -> AlertProof:
        subject = subject_of(tmp_path, rule_text(expression, hold) + beside)
        group, rule = next(iter(subject.alerts()))
        return prove_alert(subject, group, rule)

    return prove


@pytest.fixture
def contract():
    return CONTRACT


@pytest.fixture
def subject_from():
    return subject_of


@pytest.fixture
def rule_of():
    return rule_text
