"""One resume, from upload to download, and everything that the monitoring knows about it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def job(stack):
    person = stack.person("reader@resume-optimizer.example")
    made = person.finished_job(person.ask_for_job())
    assert made["status"] == "completed", made
    return made


@pytest.fixture(scope="module")
def spans(stack, job, eventually):
    """The job's trace once both processes have sent theirs, each in its own time."""

    def whole_trace():
        found = stack.ask("/api/find", q=job["id"])
        if found["kind"] != "trace":
            return None
        spans = stack.ask(f"/api/traces/{found['trace_id']}")["spans"]
        names = {span["name"] for span in spans}
        return spans if {"POST /api/jobs", "resume_optimization_job"} <= names else None

    return eventually(whole_trace, "the job's trace")


def test_the_result_is_better_than_what_was_uploaded(job):
    assert job["score_after"] > job["score_before"]


def test_its_trace_is_one_tree_across_the_processes(spans):
    ids = {span["span_id"] for span in spans}
    roots = [span for span in spans if span["parent_span_id"] not in ids]
    assert len(roots) == 1, [root["name"] for root in roots]
    assert roots[0]["name"] == "POST /api/jobs"
    services = Counter(span["service"] for span in spans)
    assert {"resume-optimizer-api", "resume-optimizer-worker"} <= set(services)


def test_every_kind_of_work_has_a_span(spans):
    names = {span["name"] for span in spans}
    systems = {span["attributes"].get("db.system.name") for span in spans}
    assert {"resume_optimization_job", "file_processing", "llm_api_call", "write_documents"} <= {
        name.split(" ")[0] for name in names
    }
    kinds = {span["kind"].lower() for span in spans}
    assert {"server", "producer", "consumer", "client"} <= kinds
    assert {"postgresql"} <= systems
    assert any("object.operation" in span["attributes"] for span in spans)


def test_its_log_lines_carry_its_trace(stack, job, spans, eventually):
    trace_id = stack.ask("/api/find", q=job["id"])["trace_id"]

    def lines():
        records = stack.ask("/api/logs", trace_id=trace_id, limit=100)["records"]
        messages = {record["message"] for record in records}
        return messages if {"Job requested", "Job started", "Job completed"} <= messages else None

    assert eventually(lines, "the job's log lines")


def test_no_resume_text_is_in_a_log_or_a_span(stack, spans):
    everything = str(spans) + str(stack.ask("/api/logs", limit=1000)["records"])
    for words in ("Kallweit", "reader@resume-optimizer.example"):
        assert words not in everything


def test_every_panel_has_something_to_show(stack, eventually):
    empty = [
        (panel["title"], target["expr"].replace("$job", ".*"))
        for dashboard in stack.ask("/api/dashboards")
        for panel in stack.ask(f"/api/dashboards/{dashboard['uid']}")["panels"]
        for target in panel.get("targets", ())
    ]

    def none_is_empty():
        empty[:] = [
            (title, expression) for title, expression in empty if not stack.query(expression)
        ]
        return not empty

    eventually(none_is_empty, empty)


def test_the_load_balancer_is_watched_too(stack, eventually):
    eventually(lambda: stack.query('up{job="load-balancer"} == 1'), "its metrics")
    eventually(lambda: "load-balancer" in stack.ask("/api/services"), "its spans")


def test_watchkeeper_health_finds_everything_well(stack):
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "watchkeeper.cli", "health", "--json"),
            *("--service", stack.service, "--backend", stack.backend),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(ran.stdout)
