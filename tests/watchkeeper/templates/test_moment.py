"""Times and durations as Go writes them."""

from __future__ import annotations

import pytest

from watchkeeper.templates import ZERO_NS, Moment, Span, alertmanager_functions, compile

AUTUMN = Moment(1_762_000_005_678_900_000)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("2006-01-02 15:04:05", "2025-11-01 12:26:45"),
        ("Mon, 2 Jan 2006 3:04PM MST", "Sat, 1 Nov 2025 12:26PM UTC"),
        ("Monday January _2 06 03:04:05 pm -0700", "Saturday November  1 25 12:26:45 pm +0000"),
        ("2006-01-02T15:04:05.000Z07:00", "2025-11-01T12:26:45.678Z"),
        ("15:04:05.999999999", "12:26:45.6789"),
        ("at noon", "at noon"),
    ],
)
def test_a_layout_is_filled_in(layout: str, text: str) -> None:
    assert AUTUMN.format(layout) == text


def test_the_zero_time_is_gos() -> None:
    assert Moment(ZERO_NS).rfc3339() == "0001-01-01T00:00:00Z"


def test_whole_seconds_have_no_fraction() -> None:
    assert Moment(0).rfc3339() == "1970-01-01T00:00:00Z"
    assert str(Moment(0)) == "1970-01-01 00:00:00 +0000 UTC"


def test_a_moment_can_be_seen_in_another_zone() -> None:
    source = '{{ . | tz "Europe/Berlin" | date "15:04 -07:00 MST" }} {{ .Unix }} {{ .Year }}'
    assert compile(source).render(AUTUMN, alertmanager_functions()) == (
        "13:26 +01:00 CET 1762000005 2025"
    )


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (2_000_000, "2ms"),
        (1_500_000_000, "1.5s"),
        (3_723_500_000_000, "1h2m3.5s"),
        (-60_000_000_000, "-1m0s"),
        (3_600_000_000_000, "1h0m0s"),
    ],
)
def test_a_duration_is_written_as_go_does(nanoseconds: int, text: str) -> None:
    assert str(Span(nanoseconds)) == text
