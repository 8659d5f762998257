"""OpenMetrics is read strictly; the project's own cases decide, where they are at hand."""

import json
from pathlib import Path

import pytest

from watchkeeper.errors import DecodeError
from watchkeeper.model import MetricType
from watchkeeper.wire import exposition

CASES = Path(__file__).parents[4] / "shared" / "openmetrics"
CONTENT_TYPE = exposition.OPENMETRICS_CONTENT_TYPE


def parse(text: str):
    return exposition.parse(text.encode(), CONTENT_TYPE, 5_000)


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/openmetrics is not there")
def test_the_openmetrics_projects_own_cases_are_judged_as_it_judges_them():
    wrong = []
    cases = sorted(CASES.glob("*/test.json"))
    for case in cases:
        wanted = json.loads(case.read_text())["shouldParse"]
        try:
            exposition.parse((case.parent / "metrics").read_bytes(), CONTENT_TYPE, 0)
            parsed = True
        except DecodeError:
            parsed = False
        if parsed != wanted:
            wrong.append((case.parent.name, wanted))
    assert wrong == []
    assert len(cases) == 211


def test_exemplars_times_and_metadata_are_read():
    parsed = parse(
        "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n# HELP a_seconds Time.\n"
        'a_seconds_bucket{le="1.0"} 1 # {trace_id="ab"} 0.5 1.25\n'
        'a_seconds_bucket{le="+Inf"} 1 # {trace_id="cd"} 3\n'
        "a_seconds_count 1\na_seconds_sum 0.5\n# TYPE b gauge\nb 2 1.5\n# EOF\n"
    )
    assert [(item.value, item.timestamp_ms) for _, item in parsed.exemplars] == [
        (0.5, 1_250),
        (3.0, 5_000),
    ]
    assert parsed.exemplars[0][0] == parsed.labels[0]
    assert parsed.timestamps_ms == [5_000] * 4 + [1_500]
    assert parsed.timed == [4]
    assert [(item.name, item.type, item.unit) for item in parsed.metadata] == [
        ("a_seconds", MetricType.HISTOGRAM, "seconds"),
        ("b", MetricType.GAUGE, ""),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("a 1\n", "cut off"),
        ("a 1\n# EOF\nb 1\n", "cut off"),
        ("a 1\n\nb 1\n# EOF\n", "line 2: not a sample"),
        ("a 1\nb 1\na 2\n# EOF\n", "line 3: a stood before"),
        ("# TYPE a counter\na_total -1\n# EOF\n", "negative or NaN"),
        ("# TYPE a counter\na_total 1\n# HELP a x\n# EOF\n", "after its samples"),
        ('# TYPE a histogram\na_bucket{le="1"} 1\n# EOF\n', r"\+Inf bucket is missing"),
        ('# TYPE a histogram\na_bucket{le="2"} 1\na_bucket{le="1"} 1\n# EOF\n', "do not ascend"),
        ("# TYPE a gauge\na 1\na 2\n# EOF\n", "there already"),
        ("# TYPE a gauge\na 1 2\na 2 1\n# EOF\n", "go back"),
        ('# TYPE a gauge\na 1 # {x="1"} 1\n# EOF\n', "may not have an exemplar"),
        ('a{x="1",x="2"} 1\n# EOF\n', "given twice"),
        ("# TYPE a_created gauge\n# TYPE a counter\n# EOF\n", "taken already"),
        ("# TYPE a gauge\n# UNIT a s\n# EOF\n", "may not have the unit"),
    ],
)
def test_what_the_specification_forbids_is_refused_with_the_reason(body, reason):
    with pytest.raises(DecodeError, match=reason):
        parse(body)


def test_the_rules_hold_for_series_that_are_remembered_too():
    series = exposition.SeriesCache()
    good = b"# TYPE a counter\na_total 1\n# EOF\n"
    bad = b"# TYPE a counter\na_total -1\n# EOF\n"
    assert exposition.parse(good, CONTENT_TYPE, 0, series).values == [1.0]
    with pytest.raises(DecodeError, match="negative"):
        exposition.parse(bad, CONTENT_TYPE, 0, series)


def test_names_in_quotes_are_taken_as_prometheus_3_asks_for_them():
    parsed = parse(
        '# TYPE "http.requests" counter\n'
        '{"http.requests_total","url.path"="/a \\"b\\"",code="200"} 3 # {id="x"} 1 2\n# EOF\n'
    )
    assert parsed.labels == [
        (("__name__", "http.requests_total"), ("code", "200"), ("url.path", '/a "b"'))
    ]
    assert parsed.metadata[0].name == "http.requests"
    assert len(parsed.exemplars) == 1
