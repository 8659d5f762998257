"""Alerts pend, fire and resolve; series come and go; a broken rule breaks nothing else."""

from __future__ import annotations

import asyncio
import math
import threading
from itertools import pairwise

import pytest

from watchkeeper.model import STALE_BITS, NativeHistogram
from watchkeeper.ports import VectorSample
from watchkeeper.rules import AlertState, Health

RULES = """
groups:
  - name: service
    rules:
      - record: job:errors:ratio
        expr: errors
        labels: {kind: recorded}
      - alert: Failing
        expr: failing > 1
        for: 30s
        labels: {severity: critical, place: "{{ $labels.job }}!"}
        annotations:
          summary: >-
            {{ $labels.job }} at {{ $value | humanizePercentage }} of {{ $externalLabels.site }}
"""
API = {"__name__": "failing", "job": "api"}
FAILING = {"alertname": "Failing", "job": "api", "severity": "critical", "place": "api!"}


class EnoughError(Exception):
    """Ends a loop that has run for long enough."""


def alerts(world) -> list:
    return [alert for rule in world.evaluator.groups()[0].rules for alert in rule.alerts]


def test_an_alert_pends_for_its_time_and_then_fires(start_world) -> None:
    world = start_world(RULES, external_labels={"site": "north"})
    world.say("failing > 1", (API, 0.5))
    began = world.clock.time_ns()
    assert world.evaluate() == []
    assert [alert.state for alert in alerts(world)] == [AlertState.PENDING]
    assert world.evaluate(after_seconds=15) == []
    [sent] = world.evaluate(after_seconds=15)
    assert dict(sent.labels) == {**FAILING, "site": "north"}
    assert dict(sent.annotations) == {"summary": "api at 50% of north"}
    assert sent.starts_at_ns == began + 30 * 10**9
    assert sent.ends_at_ns == sent.starts_at_ns + 240 * 10**9
    assert sent.generator_url == "http://127.0.0.1:9400/graph?g0.expr=failing+%3E+1&g0.tab=1"
    [alert] = alerts(world)
    assert (alert.state, alert.active_at_ns, alert.value) == (AlertState.FIRING, began, 0.5)


def test_an_alert_that_stops_while_it_pends_is_forgotten(start_world) -> None:
    world = start_world(RULES)
    world.say("failing > 1", (API, 2))
    world.evaluate()
    world.say("failing > 1")
    assert world.evaluate(after_seconds=15) == []
    assert alerts(world) == []


def test_a_firing_alert_is_sent_again_after_the_resend_delay(start_world) -> None:
    world = start_world(RULES)
    world.say("failing > 1", (API, 2))
    for _ in range(3):
        world.evaluate(after_seconds=15)
    sent = [len(world.evaluate(after_seconds=15)) for _ in range(10)]
    assert sent == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_a_resolved_alert_is_sent_for_15_minutes(start_world) -> None:
    world = start_world(RULES)
    world.say("failing > 1", (API, 2))
    for _ in range(3):
        world.evaluate(after_seconds=15)
    world.say("failing > 1")
    [sent] = world.evaluate(after_seconds=15)
    assert sent.ends_at_ns == world.clock.time_ns()
    assert alerts(world) == []
    more = [world.evaluate(after_seconds=75) for _ in range(13)]
    assert [len(each) for each in more] == [1] * 12 + [0]
    assert {alert.ends_at_ns for each in more for alert in each} == {sent.ends_at_ns}


def test_an_alert_can_be_kept_firing(start_world) -> None:
    world = start_world(RULES.replace("for: 30s", "keep_firing_for: 1m"))
    world.say("failing > 1", (API, 2))
    world.evaluate()
    world.say("failing > 1")
    for _ in range(4):
        world.evaluate(after_seconds=15)
        assert [alert.state for alert in alerts(world)] == [AlertState.FIRING]
    [sent] = world.evaluate(after_seconds=15)
    assert sent.ends_at_ns == world.clock.time_ns()


def test_alerts_are_written_as_series_that_end(start_world) -> None:
    world = start_world(RULES)
    world.say("failing > 1", (API, 2))
    began = world.clock.time_ns() // 10**9
    for _ in range(3):
        world.evaluate(after_seconds=15)
    world.say("failing > 1")
    world.evaluate(after_seconds=15)
    pending = world.series("ALERTS", alertstate="pending", **FAILING)
    firing = world.series("ALERTS", alertstate="firing", **FAILING)
    since = world.series("ALERTS_FOR_STATE", **FAILING)
    assert pending[:2] == [1, 1]
    assert firing[0] == 1
    assert since[:3] == [began + 15] * 3
    for series, length in ((pending, 3), (firing, 2), (since, 4)):
        assert len(series) == length
        assert math.isnan(series[-1])


def test_a_recorded_series_has_the_rules_name_and_labels_and_ends_when_it_vanishes(
    start_world,
) -> None:
    world = start_world(RULES)
    world.say("errors", ({"__name__": "errors", "job": "api"}, 0.25))
    world.evaluate()
    world.say("errors")
    world.evaluate(after_seconds=15)
    world.evaluate(after_seconds=15)
    [value, end] = world.series("job:errors:ratio", job="api", kind="recorded")
    assert value == 0.25
    assert math.isnan(end)


def test_a_failing_expression_is_its_rules_error_and_no_others(start_world) -> None:
    world = start_world(RULES)
    world.answers["errors"] = "no such thing"
    world.say("failing > 1", (API, 2))
    for _ in range(3):
        world.evaluate(after_seconds=15)
    recording, alerting = world.evaluator.groups()[0].rules
    assert (recording.health, recording.last_error) == (Health.ERROR, "no such thing")
    assert (alerting.health, alerting.state) == (Health.OK, AlertState.FIRING)
    [statistics] = world.evaluator.statistics()
    assert (statistics.evaluations, statistics.failures) == (3, 3)
    world.say("errors")
    world.evaluate(after_seconds=15)
    assert world.evaluator.groups()[0].rules[0].health is Health.OK


def test_an_alert_does_not_resolve_because_its_expression_fails(start_world) -> None:
    world = start_world(RULES)
    world.say("failing > 1", (API, 2))
    for _ in range(3):
        world.evaluate(after_seconds=15)
    world.answers["failing > 1"] = "the store is gone"
    sent = [alert for _ in range(40) for alert in world.evaluate(after_seconds=15)]
    assert len(sent) == 8
    assert all(alert.ends_at_ns > alert.starts_at_ns + 240 * 10**9 for alert in sent)


def test_two_results_of_one_label_set_are_an_error(start_world) -> None:
    world = start_world(RULES)
    world.say("errors", ({"__name__": "a", "job": "x"}, 1), ({"__name__": "b", "job": "x"}, 2))
    world.say("failing > 1", ({"__name__": "a"}, 1), ({"__name__": "b"}, 2))
    world.evaluate()
    for rule in world.evaluator.groups()[0].rules:
        assert rule.health is Health.ERROR
        assert "label that tells them apart" in rule.last_error


def test_more_than_the_groups_limit_is_an_error(start_world) -> None:
    world = start_world(RULES.replace("name: service", "name: service\n    limit: 1"))
    world.say("errors", ({"job": "x"}, 1), ({"job": "y"}, 2))
    world.evaluate()
    assert "limit is 1" in world.evaluator.groups()[0].rules[0].last_error


def test_an_annotation_can_ask_a_query_and_a_broken_one_says_so(start_world) -> None:
    rules = RULES.replace(
        "$externalLabels.site }}",
        '$externalLabels.site }} {{ range query "up" }}{{ .Value }}{{ end }}',
    )
    world = start_world(rules.replace("for: 30s", "for: 0s"))
    world.say("failing > 1", (API, 2))
    world.say("up", ({}, 7))
    [sent] = world.evaluate()
    assert dict(sent.annotations)["summary"].endswith(" 7")
    world.answers["up"] = "too much"
    [sent] = world.evaluate(after_seconds=75)
    assert "too much" in dict(sent.annotations)["summary"]


def test_a_restart_keeps_what_pends_and_what_fires(start_world) -> None:
    world = start_world(RULES)
    other = {**API, "job": "web"}
    world.say("failing > 1", (API, 2))
    for _ in range(3):
        world.evaluate(after_seconds=15)
    world.say("failing > 1", (API, 2), (other, 3))
    world.evaluate(after_seconds=15)
    again = start_world(RULES, older=world)
    sent = again.evaluate(after_seconds=60)
    assert [dict(alert.labels)["job"] for alert in sent] == ["api"]
    again.evaluate(after_seconds=15)
    sent = again.evaluate(after_seconds=15)
    assert [dict(alert.labels)["job"] for alert in sent] == ["web"]


def test_a_restart_waits_for_data_before_it_calls_an_alert_resolved(start_world) -> None:
    world = start_world(RULES)
    world.say("failing > 1", (API, 2))
    for _ in range(3):
        world.evaluate(after_seconds=15)
    world.say("failing > 1")
    again = start_world(RULES, older=world)
    [sent] = again.evaluate(after_seconds=30)
    assert sent.ends_at_ns > again.clock.time_ns()
    assert [again.evaluate(after_seconds=15) for _ in range(3)] == [[]] * 3
    [sent] = again.evaluate(after_seconds=15)
    assert sent.ends_at_ns == again.clock.time_ns()


def test_alerts_that_had_ended_do_not_come_back(start_world) -> None:
    world = start_world(RULES)
    world.say("failing > 1", (API, 2))
    for _ in range(3):
        world.evaluate(after_seconds=15)
    world.say("failing > 1")
    world.evaluate(after_seconds=15)
    again = start_world(RULES, older=world)
    assert again.evaluate(after_seconds=15) == []


@pytest.mark.anyio
async def test_groups_are_evaluated_at_the_same_moments_whenever_it_starts(start_world) -> None:
    moments = []
    for start in (0, 7.3):
        world = start_world(RULES)
        world.clock.advance(start)
        world.say("errors", ({"job": "x"}, 1))
        slept = 0

        async def sleep(seconds: float, world=world) -> None:
            nonlocal slept
            slept += 1
            if slept > 3:
                raise EnoughError
            world.clock.advance(seconds)

        with pytest.RaisesGroup(EnoughError):
            await world.evaluator.run(sleep=sleep)
        [rows] = world.written.values()
        moments.append([at for at, _ in rows])
    first, second = moments
    assert [later - earlier for earlier, later in pairwise(first)] == [15000, 15000]
    assert (second[0] - first[0]) % 15000 == 0


@pytest.mark.anyio
async def test_moments_that_were_missed_are_counted_and_not_caught_up(start_world) -> None:
    world = start_world(RULES)
    slept = 0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += 1
        if slept > 2:
            raise EnoughError
        world.clock.advance(seconds)

    def slow(expression: str, timestamp_ms: int) -> list:
        world.clock.advance(100)
        return []

    world.vector = slow
    world.evaluator = type(world.evaluator)(world.groups, world, world, world, clock=world.clock)
    with pytest.RaisesGroup(EnoughError):
        await world.evaluator.run(sleep=sleep)
    [statistics] = world.evaluator.statistics()
    assert statistics.evaluations == 2
    assert statistics.missed == 4
    assert statistics.last_duration_seconds == 200


@pytest.mark.anyio
async def test_a_clock_that_is_set_back_does_not_stop_the_watch(start_world) -> None:
    world = start_world(RULES)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 6:
            raise EnoughError
        world.clock.advance(seconds - 3600 if len(slept) == 2 else seconds)

    with pytest.RaisesGroup(EnoughError):
        await world.evaluator.run(sleep=sleep)
    assert max(slept) <= 15
    [statistics] = world.evaluator.statistics()
    assert statistics.evaluations == 4


@pytest.mark.anyio
async def test_who_stops_the_rules_waits_for_the_evaluation_that_runs(start_world) -> None:
    world = start_world(RULES)
    entered, released = threading.Event(), threading.Event()

    def slow(expression: str, timestamp_ms: int) -> list:
        entered.set()
        released.wait(10)
        return [VectorSample((("job", "x"),), 1.0)]

    async def sleep(seconds: float) -> None:
        world.clock.advance(seconds)

    world.vector = slow
    run = asyncio.create_task(world.evaluator.run(sleep=sleep))
    await asyncio.to_thread(entered.wait, 10)
    run.cancel()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not run.done()
    released.set()
    await asyncio.wait([run])
    assert run.cancelled()
    assert world.series("job:errors:ratio", job="x", kind="recorded") == [1.0]


def test_a_past_that_cannot_be_read_does_not_end_the_watch(start_world, caplog) -> None:
    world = start_world(RULES, older=start_world(RULES))

    def broken(*arguments: object) -> list:
        raise RuntimeError("the store broke")

    world.select = broken
    world.say("errors", ({"job": "x"}, 1))
    world.evaluate()
    assert world.series("job:errors:ratio", job="x", kind="recorded") == [1.0]
    assert "the store broke" in caplog.text


def test_a_native_histogram_is_recorded_as_one_and_then_ends(start_world) -> None:
    world = start_world(RULES)
    seen = NativeHistogram(schema=1, count=3.0, sum=4.5, positive={0: 1.0, 2: 2.0})
    world.answers["errors"] = [
        VectorSample((("job", "a"),), 0.0, seen),
        VectorSample((("job", "b"),), 2.0),
    ]
    world.evaluate()
    world.answers["errors"] = []
    world.evaluate(after_seconds=15)
    first, second = world.batches
    assert first.histograms == [seen, None]
    assert first.values.tolist() == [4.5, 2.0]
    assert second.histograms is None
    assert (second.values.view("int64") == STALE_BITS).all()
