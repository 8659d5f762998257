"""What people type into the log search, and what it means."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import Severity
from watchkeeper.ports import LogQuery
from watchkeeper.search import parse_log_query

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def parsed(text: str) -> LogQuery:
    return parse_log_query(text, start_ns=1, end_ns=2)


def test_an_empty_query_asks_for_every_record_of_the_range():
    assert parsed("  ") == LogQuery(1, 2)


def test_limit_and_order_are_handed_on():
    query = parse_log_query("", start_ns=1, end_ns=2, limit=7, newest_first=False)
    assert (query.limit, query.newest_first) == (7, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("refused timeout", {"words": ("refused", "timeout")}),
        ("refused AND timeout", {"words": ("refused", "timeout")}),
        ('"connection refused"', {"words": ("connection refused",)}),
        (r'"say \"no\" to \\"', {"words": ('say "no" to \\',)}),
        ("-timeout", {"without_words": ("timeout",)}),
        ("NOT timeout", {"without_words": ("timeout",)}),
        ("NOT -timeout", {"without_words": ("timeout",)}),
        ('-"read timeout"', {"without_words": ("read timeout",)}),
        ('"NOT" "OR" "AND"', {"words": ("NOT", "OR", "AND")}),
        ("job_id:42", {"fields": (("job_id", "42"),)}),
        ("job.id:a:b", {"fields": (("job.id", "a:b"),)}),
        ('path:"/a b"', {"fields": (("path", "/a b"),)}),
        ('path:""', {"fields": (("path", ""),)}),
        ("-status:200", {"without_fields": (("status", "200"),)}),
        ("NOT status:200", {"without_fields": (("status", "200"),)}),
        ("message:refused", {"words": ("refused",)}),
        ("12:30:05", {"words": ("12:30:05",)}),
        ("https://example.org/x", {"words": ("https://example.org/x",)}),
        ("level:error", {"minimum_severity": Severity.ERROR}),
        ("LEVEL:Error", {"minimum_severity": Severity.ERROR}),
        ("severity=warn", {"minimum_severity": Severity.WARNING}),
        ("level>=warning", {"minimum_severity": Severity.WARNING}),
        ("level>info", {"minimum_severity": Severity.WARNING}),
        ("level:info level:fatal", {"minimum_severity": Severity.CRITICAL}),
        (f"trace_id:{TRACE.upper()}", {"trace_id": TRACE}),
        (f"-trace_id:{TRACE}", {"without_fields": (("trace_id", TRACE),)}),
    ],
)
def test_a_term_means(text: str, expected: dict[str, object]):
    assert parsed(text) == LogQuery(1, 2, **expected)


@pytest.mark.parametrize(
    ("text", "start", "end", "advice"),
    [
        ('a "b', 2, 4, 'add a "'),
        ("a OR b", 2, 4, "each alternative by itself"),
        ("a NOT", 2, 5, "NOT word"),
        ("a -", 2, 3, "-word"),
        ("job_id: x", 0, 7, "job_id:value"),
        ("level:loud", 0, 10, "one of trace"),
        ("-level:error", 0, 12, "level>=warning"),
        ("level<error", 0, 11, "level>=warning"),
        ("level>critical", 0, 14, "level:critical"),
        ("trace_id:xyz", 0, 12, "32 hexadecimal"),
        (f"trace_id:{TRACE} trace_id:{'0' * 32}", 42, 83, "one trace_id"),
        ('a ""', 2, 4, "leave it out"),
    ],
)
def test_what_cannot_be_read_is_shown_with_what_to_write(
    text: str, start: int, end: int, advice: str
):
    with pytest.raises(QuerySyntaxError) as caught:
        parsed(text)
    assert (caught.value.start, caught.value.end) == (start, end)
    assert advice in caught.value.reason


@given(st.text() | st.text(alphabet='ab:-"\\ ><=', max_size=12))
@example('level>="')
@example("-\ud800")
def test_no_text_raises_anything_else(text: str):
    start = end = 0
    try:
        parsed(text)
    except QuerySyntaxError as error:
        start, end = error.start, error.end
    assert 0 <= start <= end <= len(text)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_every_phrase_can_be_written_in_quotes(phrases: list[str]):
    quoted = ['"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in phrases]
    assert parsed(" ".join(quoted)).words == tuple(phrases)
