"""Reports of one alert become one alert."""

from __future__ import annotations

from watchkeeper.model import FiringAlert, labels
from watchkeeper.notify.alert import Alert, common_pairs, fingerprint, merged, received

MINUTE = 60 * 10**9


def alert(start: int, end: int, updated: int, note: str = "", *, timeout: bool = False) -> Alert:
    return Alert((("alertname", "A"),), (("note", note),), start, end, updated, timeout=timeout)


def test_without_an_end_an_alert_ends_after_the_timeout() -> None:
    kept = received(FiringAlert((), (), 1, None), 10, 5)
    assert (kept.starts_at_ns, kept.ends_at_ns, kept.timeout) == (1, 15, True)


def test_the_earliest_start_and_the_newest_annotations_win() -> None:
    kept = merged(alert(10, 100, 10, "old"), alert(20, 120, 20, "new"))
    assert (kept.starts_at_ns, kept.ends_at_ns, dict(kept.annotations)["note"]) == (10, 120, "new")


def test_an_end_that_was_named_outlasts_one_that_was_assumed() -> None:
    assert merged(alert(10, 500, 10), alert(10, 120, 20)).ends_at_ns == 500
    assert merged(alert(10, 500, 10, timeout=True), alert(10, 120, 20)).ends_at_ns == 120


def test_a_report_of_the_end_ends_it() -> None:
    assert merged(alert(10, 500, 10), alert(10, 20, 20)).ends_at_ns == 20


def test_a_new_occurrence_has_its_own_start() -> None:
    assert merged(alert(10, 20, 20), alert(30, 400, 30)).starts_at_ns == 30


def test_common_pairs_are_those_of_all() -> None:
    assert common_pairs([(("a", "1"), ("b", "2")), (("a", "1"), ("b", "3"))]) == (("a", "1"),)
    assert common_pairs([]) == ()


def test_a_fingerprint_is_16_digits_and_tells_label_sets_apart() -> None:
    one = fingerprint(labels({"a": "b"}))
    assert len(one) == 16
    assert one != fingerprint(labels({"a": "c"}))
    assert fingerprint(()) == "cbf29ce484222325"
