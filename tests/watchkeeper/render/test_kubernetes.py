"""The Prometheus Operator's own schemas accept the objects, and what they say is what is meant."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from resume_optimizer.telemetry import CONTRACT
from watchkeeper.render import kubernetes, prometheus

VALIDATORS = Path(__file__).parent / "validators"


@pytest.fixture
def objects():
    return [yaml.safe_load(document.text) for document in kubernetes.documents(CONTRACT)]


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def complaints(program, objects):
    if not (VALIDATORS / "node_modules").exists():
        message = "needs `npm ci` in tests/watchkeeper/render/validators"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    ran = subprocess.run(
        [program("node"), "operator.js"],
        input="\n".join(map(json.dumps, objects)),
        cwd=VALIDATORS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.stderr
    return ran.stdout.splitlines()


def test_the_operators_schemas_accept_every_object(program, objects):
    assert complaints(program, objects) == []


def test_the_schemas_would_refuse_a_wrong_one(program, objects):
    rule, _ = of_kind(objects, "PrometheusRule")
    del rule["spec"]["groups"][0]["rules"][0]["expr"]
    [config] = of_kind(objects, "AlertmanagerConfig")
    config["spec"]["route"]["groupWait"] = "soon"
    assert len(complaints(program, [rule, config])) == 2


def test_the_rules_are_those_of_the_rule_files_the_backends_own_too(objects):
    rules = of_kind(objects, "PrometheusRule")
    files = [yaml.safe_load(one.text) for one in prometheus.rule_files(CONTRACT)]
    assert [one["spec"] for one in rules] == files
    assert [one["metadata"]["name"] for one in rules] == ["resume-optimizer", "watchkeeper"]
    part_of = {one["metadata"]["labels"][kubernetes.PART_OF_LABEL] for one in rules}
    assert part_of == {CONTRACT.service}


def test_every_scrape_job_has_a_monitor_that_keeps_its_labels(objects):
    monitors = {one["metadata"]["name"]: one["spec"] for one in of_kind(objects, "ServiceMonitor")}
    assert set(monitors) == {job.name for job in CONTRACT.scrape_jobs}
    for name, spec in monitors.items():
        assert spec["selector"]["matchLabels"] == {spec["jobLabel"]: name}
        [endpoint] = spec["endpoints"]
        assert endpoint["relabelings"][0]["replacement"] == CONTRACT.service


def test_secrets_are_keys_of_a_secret_and_recovery_is_sent(objects):
    [config] = of_kind(objects, "AlertmanagerConfig")
    ways = [
        way
        for receiver in config["spec"]["receivers"]
        for kind, ways in receiver.items()
        if kind != "name"
        for way in ways
    ]
    assert len(ways) >= 6
    assert all(way["sendResolved"] is True for way in ways)
    slack = next(way for way in ways if "channel" in way)
    assert slack["apiURL"] == {"name": "resume-optimizer-notifications", "key": "slack_url"}
