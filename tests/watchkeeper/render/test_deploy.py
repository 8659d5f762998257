"""deploy/ is what the contract renders to, and the programs that will read it agree."""

import subprocess
from pathlib import Path

import pytest

from resume_optimizer.telemetry import CONTRACT
from watchkeeper.render import differences, documents, render

DEPLOY = Path(__file__).parents[3] / "deploy"


def test_the_committed_files_are_what_the_contract_says():
    assert differences(CONTRACT, DEPLOY) == []


def test_nothing_else_lies_in_deploy():
    rendered = {DEPLOY / document.path for document in documents(CONTRACT)}
    assert {path for path in DEPLOY.rglob("*") if path.is_file()} == rendered


def test_rendering_again_leaves_unchanged_files_alone(tmp_path):
    written = render(CONTRACT, tmp_path)
    times = {path: path.stat().st_mtime_ns for path in written}
    written[0].write_text("edited by hand")
    render(CONTRACT, tmp_path)
    assert differences(CONTRACT, tmp_path) == []
    assert {path: path.stat().st_mtime_ns for path in written[1:]} == {
        path: times[path] for path in written[1:]
    }


def test_no_secret_is_written():
    for document in documents(CONTRACT):
        for word in ("api_url:", "routing_key:", "hooks.slack.com"):
            assert word not in document.text
        for line in document.text.splitlines():
            if "password:" in line:
                assert line.split("password:")[1].startswith(" ${")


@pytest.mark.parametrize(
    ("validator", "arguments"),
    [
        ("promtool", ["check", "config", "prometheus/prometheus.yml"]),
        ("promtool", ["check", "rules", "prometheus/rules/resume-optimizer.yml"]),
        ("amtool", ["check-config", "alertmanager/alertmanager.yml"]),
    ],
)
def test_its_readers_accept_it(program, validator, arguments):
    ran = subprocess.run(
        [program(validator), *arguments], cwd=DEPLOY, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
