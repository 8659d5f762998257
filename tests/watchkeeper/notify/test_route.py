"""Routing, beside Alertmanager's own."""

from __future__ import annotations

import itertools
import subprocess

import pytest

TREE = """
route:
  receiver: default
  group_by: [alertname]
  routes:
    - matchers: ['severity="critical"']
      receiver: pager
      continue: true
      routes:
        - matchers: ['team="db"', 'env!="test"']
          receiver: db-pager
        - match_re: {team: "web|api"}
          receiver: web-pager
          continue: true
        - matchers: ['team=~".*i"']
          receiver: i-pager
    - matchers: ['{severity=~"critical|warning", env!~"test|dev"}']
      receiver: chat
      routes:
        - matchers: [team=""]
          receiver: nobody
    - match: {env: test}
      receiver: test
receivers:
  - name: default
  - name: pager
  - name: db-pager
  - name: web-pager
  - name: i-pager
  - name: chat
  - name: nobody
  - name: test
"""

LABEL_SETS = [
    {name: value for name, value in zip(("severity", "team", "env"), values, strict=True) if value}
    for values in itertools.product(
        ("", "critical", "warning"), ("", "db", "api", "web"), ("", "test", "prod")
    )
]


def receivers(config, labels: dict[str, str]) -> list[str]:
    return [route.receiver for route in config.route.match(labels)]


def test_the_first_child_that_matches_takes_an_alert(read_config) -> None:
    config = read_config(TREE)
    assert receivers(config, {"severity": "warning", "team": "db"}) == ["chat"]


def test_continue_goes_on_to_the_next_sibling(read_config) -> None:
    config = read_config(TREE)
    labels = {"severity": "critical", "team": "api", "env": "prod"}
    assert receivers(config, labels) == ["web-pager", "i-pager", "chat"]


def test_without_a_child_the_node_takes_it(read_config) -> None:
    config = read_config(TREE)
    assert receivers(config, {}) == ["default"]
    assert receivers(config, {"severity": "critical", "env": "test"}) == ["pager", "test"]


def test_routes_are_those_of_alertmanager(read_config, program, tmp_path) -> None:
    amtool = program("amtool")
    config = read_config(TREE)
    for labels in LABEL_SETS:
        words = [f"{name}={value}" for name, value in labels.items()]
        answer = subprocess.run(
            [
                amtool,
                "config",
                "routes",
                "test",
                f"--config.file={tmp_path}/alertmanager.yml",
                *words,
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert answer.stdout.strip().split(",") == receivers(config, labels), labels


@pytest.mark.parametrize("labels", [{"severity": "critical", "team": "db"}])
def test_group_keys_are_those_of_alertmanager(read_config, labels) -> None:
    config = read_config(TREE)
    [first, *_] = config.route.match(labels)
    assert first.key == '{}/{severity="critical"}/{env!="test",team="db"}'
