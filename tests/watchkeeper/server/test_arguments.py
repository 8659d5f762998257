import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.server.answers import Refusal
from watchkeeper.server.arguments import duration_ns, inflate, rfc3339, timestamp_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1435781451.781", 1_435_781_451_781_000_000),
        ("2015-07-01T20:10:51.781Z", 1_435_781_451_781_000_000),
        ("2015-07-01T22:10:51.781+02:00", 1_435_781_451_781_000_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("-1.5", -1_500_000_000),
    ],
)
def test_a_time_is_unix_seconds_or_rfc_3339(text: str, expected: int) -> None:
    assert timestamp_ns(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "NaN", "Inf", "1e300", "2015-13-01T00:00:00Z"),
        *("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text will do, callers word it
        timestamp_ns(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_whatever_is_taken_as_a_time_can_be_written_again(text: str) -> None:
    assert rfc3339(timestamp_ns(text)) == text


@given(st.integers(-(10**15), 4 * 10**18))
def test_a_time_survives_the_way_through_rfc_3339(time_ns: int) -> None:
    assert timestamp_ns(rfc3339(time_ns, digits=9)) == time_ns


@pytest.mark.parametrize(
    ("text", "expected"), [("15", 15.0), ("0.5", 0.5), ("1h30m", 5400.0), ("250ms", 0.25)]
)
def test_a_duration_is_seconds_or_units(text: str, expected: float) -> None:
    assert duration_ns(text) == expected * 1e9


@pytest.mark.parametrize("text", ["", "5 minutes", "nan", "1e40"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text will do, callers word it
        duration_ns(text)


@given(st.binary(max_size=2000))
def test_a_compressed_body_is_inflated(data: bytes) -> None:
    assert inflate(gzip.compress(data), "gzip") == data
    assert inflate(zlib.compress(data), "deflate") == data
    assert inflate(data, "") == data


def test_a_body_that_inflates_beyond_the_limit_is_refused_before_it_does() -> None:
    bomb = gzip.compress(bytes(1_000_000))
    with pytest.raises(Refusal) as refusal:
        inflate(bomb, "gzip", limit_bytes=1000)
    assert refusal.value.status_code == 413


@pytest.mark.parametrize(
    ("data", "encoding", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(b"x" * 99, mtime=0)[:-9], "gzip", 400),
        (b"", "br", 415),
    ],
)
def test_a_body_that_cannot_be_inflated_is_refused(data: bytes, encoding: str, status: int) -> None:
    with pytest.raises(Refusal) as refusal:
        inflate(data, encoding)
    assert refusal.value.status_code == status
