"""How long `watchkeeper check` takes: the shipped contract, and 500 rules with 50 dashboards.

python bench/check.py          CPU seconds of whole commands, start of Python included
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

SEED = 20
RULES, DASHBOARDS, PANELS = 500, 50, 20
WANTED_CONTRACT_SECONDS, WANTED_FILES_SECONDS = 2.0, 5.0
CONTRACT = "resume_optimizer.telemetry:CONTRACT"
ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "out" / "check.json"
JOBS = ("api", "billing", "checkout", "search", "mail", "gateway")


def metric(choice: random.Random) -> str:
    """Return the stem of a metric's name."""
    area = choice.choice(("http", "grpc", "db", "cache", "queue", "disk", "node", "kube", "jvm"))
    return f"{area}_{choice.choice(('requests', 'writes', 'reads', 'events', 'calls'))}"


def expression(choice: random.Random) -> str:
    """Return an expression as public rule files have them."""
    name, job = metric(choice), choice.choice(JOBS)
    window = choice.choice(("5m", "10m", "30m", "1h"))
    selector = f'{{job="{job}", namespace=~"shop-.*"}}'
    failed = f'{{job="{job}", code=~"5..|429"}}'
    forms = (
        (
            f"sum by (job, instance) (rate({name}_total{failed}[{window}])) "
            f"/ sum by (job, instance) (rate({name}_total{selector}[{window}])) > 0.05"
        ),
        (
            f"histogram_quantile(0.99, sum by (le, job) "
            f"(rate({name}_duration_seconds_bucket{selector}[{window}]))) > 1"
        ),
        (
            f"max by (job, pod) (max_over_time({name}_pending{selector}[{window}])) > 100 "
            f"and on (job) sum by (job) (rate({name}_total{selector}[{window}])) > 1"
        ),
        (
            f"predict_linear({name}_free_bytes{selector}[6h], 4 * 3600) < 0 "
            f"and {name}_free_bytes{selector} / {name}_size_bytes{selector} < 0.2"
        ),
        f'absent(up{{job="{job}"}}) or up{{job="{job}"}} == 0',
        (
            f"increase({name}_errors_total{selector}[{window}]) > 5 "
            f"unless on (namespace) kube_namespace_maintenance == 1"
        ),
    )
    return choice.choice(forms)


def rule_file(choice: random.Random) -> str:
    """Return 500 rules in groups of 25."""
    rules = [
        {
            "alert": f"Rule{number}",
            "expr": expression(choice),
            "for": "10m",
            "labels": {"severity": choice.choice(("warning", "critical")), "team": "shop"},
            "annotations": {
                "summary": "{{ $labels.job }} is not well",
                "description": "It is {{ $value | humanize }}.",
                "runbook_url": f"https://runbooks.example/{number}",
            },
        }
        for number in range(RULES)
    ]
    groups = [
        {"name": f"group-{start}", "rules": rules[start : start + 25]}
        for start in range(0, RULES, 25)
    ]
    return yaml.safe_dump({"groups": groups}, sort_keys=False)


def dashboard(number: int, choice: random.Random) -> str:
    """Return a dashboard of twenty panels with two queries each."""
    source = {"type": "prometheus", "uid": "${datasource}"}
    panels = [
        {
            "id": position,
            "type": "timeseries",
            "title": f"Panel {position}",
            "description": "One of many.",
            "gridPos": {"h": 8, "w": 12, "x": position % 2 * 12, "y": position // 2 * 8},
            "datasource": source,
            "fieldConfig": {"defaults": {"unit": "short"}, "overrides": []},
            "targets": [
                {
                    "refId": letter,
                    "expr": f'sum by (job) (rate({metric(choice)}_total{{job=~"$job"}}'
                    "[$__rate_interval]))",
                    "legendFormat": "{{job}}",
                }
                for letter in "AB"
            ],
        }
        for position in range(PANELS)
    ]
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        {"name": "job", "type": "query", "query": "label_values(up, job)", "refresh": 2},
    ]
    return json.dumps(
        {
            "uid": f"dashboard-{number}",
            "title": f"Dashboard {number}",
            "schemaVersion": 39,
            "editable": False,
            "templating": {"list": variables},
            "panels": panels,
        },
        indent=2,
    )


def seconds(*arguments: str) -> float:
    """Return the CPU seconds of one run of the command on one core, the best of three."""
    measured = []
    for _ in range(3):
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "watchkeeper.cli", "check", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        after = os.times()
        user = after.children_user - before.children_user
        measured.append(user + after.children_system - before.children_system)
    return min(measured)


def main() -> None:
    choice = random.Random(SEED)
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "rules.yml").write_text(rule_file(choice))
        for number in range(DASHBOARDS):
            path = Path(directory) / f"dashboard-{number}.json"
            path.write_text(dashboard(number, choice))
        files = seconds(directory)
    contract = seconds(CONTRACT)
    rows = [
        ("the shipped contract", contract, WANTED_CONTRACT_SECONDS),
        (f"{RULES} rules, {DASHBOARDS} dashboards", files, WANTED_FILES_SECONDS),
    ]
    print(f"{'watchkeeper check':32} {'CPU s':>7} {'at most':>8} {'ratio':>6}")
    for name, taken, wanted in rows:
        print(f"{name:32} {taken:7.2f} {wanted:8.1f} {taken / wanted:6.2f}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({name: taken for name, taken, _ in rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
