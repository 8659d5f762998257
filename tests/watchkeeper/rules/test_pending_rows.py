"""Rules of a group write together, and each sees what those before it gave."""

from __future__ import annotations

import pytest

from watchkeeper.errors import StoreFullError
from watchkeeper.rules import Health

APART = """
groups:
  - name: service
    rules:
      - {record: "job:errors:ratio", expr: errors}
      - {record: "job:waits:mean", expr: waits}
      - {alert: Failing, expr: failing > 1}
"""
JOB = {"job": "api"}


def reading(expression: str, summary: str = "It fails.") -> str:
    return f"""
groups:
  - name: service
    rules:
      - {{record: "job:errors:ratio", expr: errors}}
      - alert: Failing
        expr: '{expression}'
        annotations: {{summary: '{summary}'}}
"""


def test_rules_that_do_not_read_each_other_are_written_at_once(start_world) -> None:
    world = start_world(APART)
    for expression in ("errors", "waits", "failing > 1"):
        world.say(expression, (JOB, 2))
    world.evaluate()
    [batch] = world.batches
    assert len(batch.labels) == 4
    world.evaluate(after_seconds=15)
    assert len(world.batches) == 2


def test_nothing_is_appended_where_no_rule_gave_or_lost_anything(start_world) -> None:
    world = start_world(APART)
    for expression in ("errors", "waits", "failing > 1"):
        world.say(expression)
    world.evaluate()
    assert world.batches == []


@pytest.mark.parametrize(
    ("expression", "summary"),
    [
        ("job:errors:ratio > 0.5", "It fails."),
        ('{__name__=~"job:.*"} > 0.5', "It fails."),
        ('{"job:errors:ratio"} > 0.5', "It fails."),
        ("failing > 1", '{{ query "job:errors:ratio" | len }} fail.'),
    ],
)
def test_a_rule_sees_what_one_before_it_gave_at_the_same_moment(
    start_world, expression, summary
) -> None:
    world = start_world(reading(expression, summary))
    seen = []
    world.say("errors", (JOB, 2))
    world.say("job:errors:ratio", (JOB, 2))
    ask = world.vector

    def vector(asked: str, timestamp_ms: int):
        if asked == expression:
            seen.append(world.series("job:errors:ratio", **JOB))
        return ask(asked, timestamp_ms)

    world.vector = vector
    world.say(expression, (JOB, 2))
    world.evaluate()
    assert seen == [[2]]


def test_where_nothing_can_be_written_every_rule_that_gave_something_says_so(start_world) -> None:
    world = start_world(APART)
    world.say("errors", (JOB, 2))
    world.say("waits")
    world.say("failing > 1", (JOB, 2))
    take = world.append

    def refuse(batch):
        raise StoreFullError("the disk is full")

    world.append = refuse
    sent = world.evaluate()
    health = [rule.health for rule in world.evaluator.groups()[0].rules]
    assert health == [Health.ERROR, Health.OK, Health.ERROR]
    assert world.evaluator.groups()[0].rules[0].last_error == "the disk is full"
    assert [alert.labels for alert in sent] != []
    world.append = take
    world.evaluate(after_seconds=15)
    assert world.series("job:errors:ratio", **JOB) == [2]
    assert world.evaluator.groups()[0].rules[0].health is Health.OK
