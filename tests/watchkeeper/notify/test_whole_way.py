"""From a sample in the store to a message at a receiver, and its recovery, with the real parts."""

from __future__ import annotations

from pathlib import Path

import httpx2
import numpy as np
import orjson
import pytest

from watchkeeper.model import SampleBatch, labels
from watchkeeper.notify import Notifier, load_config
from watchkeeper.promql import Engine, parse
from watchkeeper.rules import EvaluationSettings, Evaluator, load_rules
from watchkeeper.storage import MemoryStore
from watchkeeper.testing import FakeClock

pytestmark = pytest.mark.anyio

RULES = """
groups:
  - name: service
    rules:
      - record: job:up:min
        expr: min by (job) (up)
      - alert: TargetDown
        expr: job:up:min == 0
        for: 30s
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.job }} does not answer"
          runbook_url: http://127.0.0.1/runbook
"""
ROUTES = """
route: {receiver: team, group_by: [alertname], group_wait: 5s, group_interval: 15s}
receivers: [{name: team, webhook_configs: [{url: "http://127.0.0.1:1/"}]}]
"""


async def test_a_target_that_goes_down_and_comes_back_is_told_twice(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "alertmanager.yml").write_text(ROUTES)
    clock, store = FakeClock(), MemoryStore()
    told: list[tuple[float, str, str]] = []
    began_ns = clock.time_ns()

    async def receive(request: httpx2.Request) -> httpx2.Response:
        body = orjson.loads(await request.aread())
        seconds = (clock.time_ns() - began_ns) / 1e9
        told.append((seconds, body["status"], body["commonAnnotations"]["summary"]))
        return httpx2.Response(200)

    groups = load_rules([tmp_path / "rules.yml"], parse=parse)
    notifier = Notifier(
        load_config(tmp_path / "alertmanager.yml"),
        clock=clock,
        client=httpx2.AsyncClient(transport=httpx2.MockTransport(receive)),
    )
    evaluator = Evaluator(
        groups,
        Engine(store.metrics),
        store.metrics,
        notifier,
        clock=clock,
        history=store.metrics,
        settings=EvaluationSettings(interval_seconds=15),
    )
    up = labels({"__name__": "up", "job": "api"})
    for step in range(40):
        value = 0.0 if 4 <= step < 20 else 1.0
        timestamps = np.array([clock.time_ns() // 10**6])
        store.metrics.append(SampleBatch([up], timestamps, np.array([value])))
        evaluator.evaluate_group(groups[0], clock.time_ns())
        for _ in range(3):
            await notifier.flush()
            clock.advance(5)
    assert [rule.last_error for rule in evaluator.groups()[0].rules] == ["", ""]
    assert [each[1:] for each in told] == [
        ("firing", "api does not answer"),
        ("resolved", "api does not answer"),
    ]
    assert told[0][0] == 4 * 15 + 30 + 5
    assert told[1][0] <= 20 * 15 + 15
