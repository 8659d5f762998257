"""Each check has a page whose examples are true: the bad one has that fault, the good one none."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from watchkeeper.check.declarations import Declarations
from watchkeeper.check.finding import Finding, Severity
from watchkeeper.check.known import Known, KnownMetric
from watchkeeper.check.read_contract import known_of
from watchkeeper.check.read_files import read_sources
from watchkeeper.check.registry import BY_ID, CHECKS
from watchkeeper.check.run import run
from watchkeeper.check.source import Source
from watchkeeper.check.subject import Subjects
from watchkeeper.contract import Contract

PAGES = Path(__file__).parents[3] / "docs" / "checks"
INDEX = (PAGES / "README.md").read_text("utf-8")
IDS = [check.id for check in CHECKS]
BLOCK = re.compile(r"^```(\w+) ?([\w ]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ALERT = """groups:
  - name: shop
    rules:
      - alert: Example
        expr: {expression}
        for: 5m
        labels: {{severity: warning}}
        annotations:
          summary: Something is wrong
          runbook_url: https://runbooks.example/example
"""
DASHBOARD = {
    "uid": "example",
    "title": "Example",
    "schemaVersion": 39,
    "editable": False,
    "templating": {
        "list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}],
    },
    "panels": [],
}


def contract_in(text: str) -> Contract:
    shown: dict[str, object] = {}
    exec(compile(text, "example.py", "exec"), shown)
    contract = shown["CONTRACT"]
    assert isinstance(contract, Contract)
    return contract


def examples(page: str, heading: str) -> list[tuple[str, str]]:
    text = (PAGES / f"{page}.md").read_text("utf-8")
    part = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [(f"{language} {what}".strip(), body) for language, what, body in BLOCK.findall(part)]


def indented(rules: str) -> str:
    return "".join(f"      {line}\n" if line else "\n" for line in rules.splitlines())


def rule_file(rules: str) -> str:
    if rules.startswith("groups:"):
        return rules
    return f"groups:\n  - name: shop\n    rules:\n{indented(rules)}"


NAMES = {
    "yaml rules": "rules.yml",
    "yaml all rules": "rules.yml",
    "yaml alertmanager": "alertmanager.yml",
    "yaml prometheus": "prometheus.yml",
    "json panel": "dashboard.json",
    "json dashboard": "dashboard.json",
    "promql": "rules.yml",
    "promql alert": "rules.yml",
    "python": "metrics.py",
    "text metrics": "metrics.prom",
}


def whole_file(kind: str, body: str) -> str:
    """What an example stands for, with what it leaves out."""
    if kind.startswith("promql"):
        expression = json.dumps(" ".join(body.split()))
        if kind == "promql alert":
            return ALERT.format(expression=expression)
        return rule_file(f"- record: shop:example:result\n  expr: {expression}\n")
    if kind.endswith("rules"):
        return rule_file(body)
    if kind == "json panel":
        return json.dumps({**DASHBOARD, "panels": [json.loads(body)]}, indent=2)
    return body


def files_of(blocks: list[tuple[str, str]]) -> dict[str, str]:
    files = {NAMES[kind]: whole_file(kind, body) for kind, body in blocks if kind in NAMES}
    if {"yaml rules", "yaml alertmanager"} <= {kind for kind, _ in blocks}:
        surroundings = [body for language, _, body in BLOCK.findall(INDEX) if language == "yaml"]
        files["base.yml"] = rule_file(surroundings[-1]).replace("name: shop", "name: base")
    return files


def shop() -> Known:
    blocks = [body for language, _, body in BLOCK.findall(INDEX) if language == "python"]
    return known_of(contract_in(blocks[0]), Declarations({}, "shop"))


def findings_of(blocks: list[tuple[str, str]]) -> list[Finding]:
    files = files_of(blocks)
    reading = read_sources(Source(name, text) for name, text in files.items())
    subjects, known = reading.subjects, reading.known() if reading.metrics else shop()
    for kind, body in blocks:
        if kind == "python contract":
            name = "example.py"
            known = known_of(contract_in(body), Declarations({name: Source(name, body)}, name))
            subjects += Subjects(declared=known.metrics)
    if any(kind == "yaml all rules" for kind, _ in blocks):
        subjects += Subjects(declared=declared_shop())
    return list(run(subjects, known).findings)


def declared_shop() -> tuple[KnownMetric, ...]:
    text = next(body for language, _, body in BLOCK.findall(INDEX) if language == "python")
    source = Source("shop.py", text)
    return known_of(contract_in(text), Declarations({"shop.py": source}, "shop.py")).metrics


def serious(findings: list[Finding], but: str) -> set[str]:
    """The checks that found more than an information, or are the one that is looked at."""
    return {one.check for one in findings if one.severity is not Severity.INFO or one.check == but}


@pytest.mark.parametrize("check", IDS)
def test_the_bad_example_has_exactly_this_fault(check):
    found = findings_of(examples(check, "Bad"))
    assert serious(found, check) == {check}, [f"{one.check}: {one.message}" for one in found]


@pytest.mark.parametrize("check", IDS)
def test_the_good_example_has_no_fault(check):
    found = findings_of(examples(check, "Good"))
    assert serious(found, check) == set(), [f"{one.check}: {one.message}" for one in found]


@pytest.mark.parametrize("check", IDS)
def test_the_page_says_what_the_check_says(check):
    page = (PAGES / f"{check}.md").read_text("utf-8")
    declared = BY_ID[check]
    assert page.startswith(f"# {check}\n\n**{declared.severity.value.capitalize()}**")
    assert declared.reason in page
    assert declared.repair in page


@pytest.mark.parametrize(
    ("kind", "name", "arguments"),
    [
        ("rules.yml", "promtool", ("check", "rules")),
        ("alertmanager.yml", "amtool", ("check-config",)),
    ],
)
def test_prometheus_and_alertmanager_accept_the_good_examples(
    kind, name, arguments, program, tmp_path
):
    paths = []
    for check in IDS:
        files = files_of(examples(check, "Good"))
        if kind in files:
            path = tmp_path / f"{check}.yml"
            path.write_text(files[kind])
            paths.append(str(path))
    assert len(paths) > 20
    command = [program(name), *arguments, *paths]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_index_lists_every_check_and_no_other():
    listed = re.findall(r"^- \[([\w-]+)\]\(([\w-]+)\.md\) \((\w+)\)", INDEX, re.MULTILINE)
    assert listed == [(check.id, check.id, check.severity.value) for check in CHECKS]
    assert {path.stem for path in PAGES.glob("*.md")} == {*IDS, "README"}
