"""What is remembered of deliveries."""

from __future__ import annotations

from watchkeeper.notify import DeliveryRecord
from watchkeeper.notify.history import LENGTH, REPEATED_FAILURES, History
from watchkeeper.notify.notification_log import LogKey

SLACK, MAIL = LogKey("g", "team", "slack", 0), LogKey("g", "team", "email", 0)


def record(at: int, integration: str, outcome: str) -> DeliveryRecord:
    return DeliveryRecord(at, "team", integration, "firing", 1, outcome, "", "firing: A", "", 1)


def test_the_newest_come_first_and_the_oldest_go() -> None:
    history = History()
    for at in range(LENGTH + 5):
        history.add(MAIL, record(at, "email", "delivered"))
    times = [each.timestamp_ns for each in history.newest_first()]
    assert (times[0], times[-1], len(times)) == (LENGTH + 4, 5, LENGTH)
    assert history.counts() == {("email", "delivered"): LENGTH + 5}


def test_a_receiver_that_is_down_does_not_push_the_others_out() -> None:
    history = History()
    history.add(MAIL, record(0, "email", "delivered"))
    for at in range(1, 1000):
        history.add(SLACK, record(at, "slack", "failed"))
    kept = history.newest_first()
    assert [each.integration for each in kept] == ["slack"] * REPEATED_FAILURES + ["email"]
    assert kept[0].timestamp_ns == 999
