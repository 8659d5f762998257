"""When a receiver must be told again."""

from __future__ import annotations

import pytest

from watchkeeper.model import labels
from watchkeeper.notify.notification_log import (
    LogEntry,
    LogKey,
    NotificationLog,
    Reason,
    reason_to_notify,
)

A, B = labels({"alertname": "A"}), labels({"alertname": "B"})


def reason(last: LogEntry | None, firing=(), resolved=(), **more: object) -> Reason | None:
    given = {"audible": True, "send_resolved": True, "now_ns": 100, "repeat_interval_ns": 50}
    return reason_to_notify(last, frozenset(firing), frozenset(resolved), **{**given, **more})


def told(firing=(), resolved=(), at_ns: int = 60) -> LogEntry:
    return LogEntry(at_ns, 10**9, frozenset(firing), frozenset(resolved))


@pytest.mark.parametrize(
    ("last", "firing", "resolved", "expected"),
    [
        (None, [A], [], Reason.FIRST),
        (None, [], [A], None),
        (told([A]), [A], [], None),
        (told([A]), [A, B], [], Reason.MORE_FIRING),
        (told([A]), [], [A], Reason.ALL_RESOLVED),
        (told([]), [], [A], None),
        (told([A, B]), [A], [B], Reason.SOME_RESOLVED),
        (told([A], [B]), [A], [B], None),
        (told([A], [B]), [B], [A], Reason.MORE_FIRING),
    ],
)
def test_a_receiver_is_told_what_it_does_not_know(last, firing, resolved, expected) -> None:
    assert reason(last, firing, resolved) is expected


def test_it_is_told_again_after_more_than_the_repeat_interval() -> None:
    assert reason(told([A], at_ns=50), [A]) is None
    assert reason(told([A], at_ns=49), [A]) is Reason.REPEAT
    assert reason(told([A], at_ns=49), [A], audible=False) is None


def test_who_wants_no_recovery_still_has_its_log_cleared() -> None:
    assert reason(told([A, B]), [A], [B], send_resolved=False) is None
    assert reason(told([A]), [], [A], send_resolved=False) is Reason.ALL_RESOLVED


def test_what_a_living_group_was_told_is_not_forgotten() -> None:
    key, gone = LogKey("living", "team", "webhook", 0), LogKey("gone", "team", "webhook", 0)
    log = NotificationLog([(key, told([A])), (gone, told([A]))])
    assert log.forget_old(10**9 + 1, {"living"})
    assert [kept for kept, _ in log.all()] == [key]
    assert log.told_firing("living", A)
    assert not log.told_firing("living", B)
