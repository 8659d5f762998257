"""Times of day, days and months."""

from __future__ import annotations

from datetime import datetime

import pytest

from watchkeeper.errors import ConfigError

CONFIG = """
route: {{receiver: a}}
receivers: [{{name: a}}]
time_intervals: [{{name: t, time_intervals: [{{{times}}}]}}]
"""


def holds(read_config, times: str, moment: str) -> bool:
    config = read_config(CONFIG.format(times=times))
    [interval] = config.time_intervals["t"]
    return interval.contains(int(datetime.fromisoformat(moment).timestamp() * 1e9))


@pytest.mark.parametrize(
    ("times", "inside", "outside"),
    [
        (
            "times: [{start_time: '09:00', end_time: '17:00'}]",
            "2026-03-02T16:59Z",
            "2026-03-02T17:00Z",
        ),
        (
            "times: [{start_time: '22:00', end_time: '24:00'}]",
            "2026-03-02T23:59Z",
            "2026-03-03T00:00Z",
        ),
        ("weekdays: ['monday:friday']", "2026-03-06T12:00Z", "2026-03-07T12:00Z"),
        ("weekdays: [Sunday]", "2026-03-08T12:00Z", "2026-03-09T12:00Z"),
        ("days_of_month: ['-3:-1']", "2026-02-26T12:00Z", "2026-02-25T12:00Z"),
        ("days_of_month: ['1:-1']", "2026-02-28T12:00Z", None),
        ("days_of_month: [31]", "2026-03-31T12:00Z", "2026-03-30T12:00Z"),
        ("months: ['november:december', 3]", "2026-03-01T00:00Z", "2026-04-01T00:00Z"),
        ("years: ['2026:2027']", "2027-12-31T23:59Z", "2028-01-01T00:00Z"),
        (
            "location: Europe/Berlin, times: [{start_time: '09:00', end_time: '10:00'}]",
            "2026-07-01T07:30Z",
            "2026-07-01T09:30Z",
        ),
    ],
)
def test_a_moment_is_inside_or_outside(read_config, times, inside, outside) -> None:
    assert holds(read_config, times, inside)
    assert outside is None or not holds(read_config, times, outside)


@pytest.mark.parametrize(
    "times",
    [
        "times: [{start_time: '9:00', end_time: '17:00'}]",
        "times: [{start_time: '09:00', end_time: '25:00'}]",
        "times: [{start_time: '22:00', end_time: '06:00'}]",
        "weekdays: [someday]",
        "months: ['december:november']",
        "location: Nowhere/Land",
    ],
)
def test_a_time_that_does_not_exist_is_refused(read_config, times) -> None:
    with pytest.raises(ConfigError, match=r"\$\.time_intervals\[0\]\.time_intervals\[0\]"):
        read_config(CONFIG.format(times=times))
