"""Templates beside Prometheus' own engine, by way of promtool."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from watchkeeper.templates import Record, compile, prometheus_functions

Program = Callable[[str], str]

LABELS = {"__name__": "m", "job": "api-server", "host": "web.example.org:9100", "n": "42"}
VALUE = 1234567.891

GOLDEN = yaml.safe_load((Path(__file__).parent / "prometheus_texts.yml").read_text("utf-8"))

BROKEN = [
    "{{ lt 1 1.5 }}",
    "{{ .Nope }}",
    "{{ index 1 2 }}",
    '{{ first (query "none") }}',
    '{{ template "no" }}',
]


def ours(text: str) -> str:
    functions = prometheus_functions(
        lambda expression: [(LABELS, VALUE)] if expression == "m" else []
    )
    labels = dict(LABELS)
    values = {"labels": labels, "value": VALUE, "externalLabels": {}, "externalURL": ""}
    data = Record("AlertTemplateData", {"Labels": labels, "Value": VALUE})
    return compile(text, variables=values).render(data, functions, variables=values)


def promtools(promtool: str, directory: Path, texts: list[str]) -> dict[str, str]:
    """Return what Prometheus makes of the texts, by `t0`, `t1`, ..."""
    annotations = {f"t{number}": text for number, text in enumerate(texts)}
    rule = {"alert": "A", "expr": "m", "annotations": annotations}
    series = ",".join(f'{name}="{value}"' for name, value in LABELS.items() if name != "__name__")
    test = {
        "rule_files": ["rules.yml"],
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": f"m{{{series}}}", "values": f"{VALUE} {VALUE}"}],
                "alert_rule_test": [{"eval_time": "1m", "alertname": "A", "exp_alerts": []}],
            }
        ],
    }
    (directory / "rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]})
    )
    (directory / "test.yml").write_text(yaml.safe_dump(test))
    answer = subprocess.run(
        [promtool, "test", "rules", "test.yml"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = re.findall(
        r'(t\d+)=("(?:[^"\\]|\\.)*")', (answer.stdout + answer.stderr).partition("Annotations:")[2]
    )
    return {name: yaml.safe_load(quoted) for name, quoted in found}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["template"])
def test_texts_are_those_of_prometheus(golden: dict[str, str]) -> None:
    assert ours(golden["template"]) == golden["text"]


def test_prometheus_still_writes_these_texts(program: Program, tmp_path: Path) -> None:
    theirs = promtools(program("promtool"), tmp_path, [each["template"] for each in GOLDEN])
    assert theirs == {f"t{number}": each["text"] for number, each in enumerate(GOLDEN)}


def test_what_fails_there_fails_here(program: Program, tmp_path: Path) -> None:
    theirs = promtools(program("promtool"), tmp_path, BROKEN)
    for number, text in enumerate(BROKEN):
        assert theirs[f"t{number}"].startswith("<error expanding template")
        assert ours(text).startswith("<error expanding template")
