"""The text format is read as leniently as Prometheus reads it."""

import pytest

from watchkeeper.errors import DecodeError
from watchkeeper.model import MetricMetadata, MetricType
from watchkeeper.wire import exposition
from watchkeeper.wire.series import SeriesCache


def parse(text, series=None):
    return exposition.parse(text.encode(), "text/plain; version=0.0.4", 5_000, series)


def test_blank_space_and_trailing_commas_are_free():
    parsed = parse('\n  # just a comment\n\t a { x = "1" , y="}\\"" , }   +Inf  123 \n')
    assert parsed.labels == [(("__name__", "a"), ("x", "1"), ("y", '}"'))]
    assert parsed.values == [float("inf")]
    assert parsed.timestamps_ms == [123]
    assert parsed.timed == [0]


def test_samples_without_a_time_get_that_of_the_scrape():
    parsed = parse("a 1\nb 2 7\nc 3\n")
    assert parsed.timestamps_ms == [5_000, 7, 5_000]
    assert parsed.timed == [1]


def test_help_and_type_become_metadata_wherever_they_stand():
    parsed = parse(
        "a_total 1\n# TYPE a_total counter\n# HELP a_total One\\nline \\\\.\n# TYPE b odd\n"
    )
    assert parsed.metadata == [
        MetricMetadata("a_total", MetricType.COUNTER, "One\nline \\."),
        MetricMetadata("b", MetricType.UNKNOWN),
    ]


def test_names_in_quotes_may_be_any_text():
    assert parse('{"http.requests", "a.b"="c"} 1\n').labels == [
        (("__name__", "http.requests"), ("a.b", "c"))
    ]


def test_empty_label_values_are_no_labels():
    assert parse('a{x=""} 1').labels == [(("__name__", "a"),)]


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a x",
        "a 1_000",
        "a 1 2 3",
        "a 1 1.5",
        "1a 1",
        'a{x="1"',
        'a{x="1} 2',
        "a{x} 1",
        'a{x="1",x="2"} 1',
        'a{x="1" y="2"} 1',
        '{x="1"} 1',
        "a \u0661",
        "a 1 99999999999999999999",
    ],
)
def test_a_line_that_is_no_sample_refuses_the_body_and_is_named(line):
    with pytest.raises(DecodeError, match="line 2"):
        parse(f"good 1\n{line}\n")


def test_a_body_that_is_not_utf8_is_refused():
    with pytest.raises(DecodeError, match="byte 2"):
        exposition.parse(b"a \xff", "text/plain", 0)


def test_a_series_is_understood_once_and_then_remembered():
    asked = []

    def keep_a(found):
        asked.append(found)
        return found if found[0][1] == "a" else None

    series = SeriesCache(keep_a)
    for _ in range(3):
        parsed = parse("a 1\nb 2\n", series)
    assert parsed.labels == [(("__name__", "a"),)]
    assert parsed.received == 2
    assert len(asked) == 2


def test_a_series_that_is_no_longer_used_is_forgotten():
    series = SeriesCache()
    for start in range(0, 5_000, 500):
        parse("".join(f"a{number} 1\n" for number in range(start, start + 500)), series)
    assert len(series.known) <= 2_500
