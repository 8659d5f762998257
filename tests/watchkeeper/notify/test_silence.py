"""Silences: an edit never rewrites what was already silenced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchkeeper.errors import ConfigError
from watchkeeper.notify import Silence, SilenceState, matchers_of, parse_matchers
from watchkeeper.notify.silence import RETENTION_NS, SilenceBook
from watchkeeper.testing import NEW_YEAR_2026_NS as NOW
from watchkeeper.testing import SequentialIds

HOUR = 3600 * 10**9


def silence(text: str = 'job="api"', start: int = 0, end: int = HOUR) -> Silence:
    return Silence(
        matchers=matchers_of(parse_matchers(text)), starts_at_ns=NOW + start, ends_at_ns=NOW + end
    )


@pytest.fixture
def book() -> SilenceBook:
    return SilenceBook(SequentialIds())


def test_a_silence_holds_from_its_start_to_its_end(book: SilenceBook) -> None:
    kept = book.put(silence(start=10), NOW)
    labels = {"job": "api"}
    assert book.muting(labels, NOW) == ()
    assert book.muting(labels, NOW + 10) == (kept,)
    assert book.muting({"job": "web"}, NOW + 10) == ()
    assert book.muting(labels, NOW + HOUR) == ()


def test_a_later_end_keeps_the_id(book: SilenceBook) -> None:
    kept = book.put(silence(), NOW)
    again = book.put(replace(book.get(kept), ends_at_ns=NOW + 2 * HOUR), NOW + 60)
    assert again == kept
    assert book.get(kept).ends_at_ns == NOW + 2 * HOUR


def test_other_matchers_end_the_old_silence_and_start_a_new_one(book: SilenceBook) -> None:
    kept = book.put(silence(), NOW)
    new = book.put(replace(silence('job="web"'), id=kept), NOW + 60)
    assert new != kept
    assert book.get(kept).state(NOW + 60) is SilenceState.EXPIRED
    assert book.get(new).starts_at_ns == NOW + 60


def test_an_expired_silence_stays_expired(book: SilenceBook) -> None:
    kept = book.put(silence(), NOW)
    book.expire(kept, NOW + 60)
    assert book.put(replace(silence(end=3 * HOUR), id=kept), NOW + 120) != kept
    with pytest.raises(ConfigError, match="already expired"):
        book.expire(kept, NOW + 120)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (silence('job=~".*"'), "empty string"),
        (silence("{}"), "empty string"),
        (silence(start=HOUR, end=HOUR), "ends before"),
        (silence(start=-2 * HOUR, end=-HOUR), "past"),
    ],
)
def test_what_cannot_be_a_silence_is_refused(book, wrong: Silence, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        book.put(wrong, NOW)


def test_an_unknown_id_is_refused(book: SilenceBook) -> None:
    with pytest.raises(KeyError):
        book.put(replace(silence(), id="none"), NOW)


def test_expired_silences_are_forgotten_in_the_end(book: SilenceBook) -> None:
    book.put(silence(), NOW)
    assert not book.forget_old(NOW + HOUR + RETENTION_NS)
    assert book.forget_old(NOW + HOUR + RETENTION_NS + 1)
    assert book.all() == ()
