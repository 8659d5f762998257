from dataclasses import replace

from watchkeeper.model import LogRecord, Severity, SpanEvent, SpanKind, SpanLink, SpanRecord
from watchkeeper.server.records import log_json, root_of, span_json, trace_summary_json

ROOT = SpanRecord("a" * 32, "1" * 16, "", "POST /jobs", SpanKind.SERVER, 2000, 9000, "api")
CHILD = replace(ROOT, span_id="2" * 16, parent_span_id="1" * 16, service="worker", start_ns=3000)


def test_the_root_is_the_span_without_a_parent_even_where_clocks_differ() -> None:
    early = replace(CHILD, start_ns=1000)
    assert root_of([early, ROOT]) is ROOT
    assert trace_summary_json([early, ROOT])["root_service"] == "api"


def test_where_the_root_has_not_arrived_the_earliest_orphan_stands_in() -> None:
    later = replace(CHILD, span_id="3" * 16, start_ns=5000)
    assert root_of([later, CHILD]) is CHILD


def test_a_span_has_its_events_and_links() -> None:
    span = replace(
        ROOT,
        events=(SpanEvent("exception", 2500, {"exception.type": "Timeout"}),),
        links=(SpanLink("b" * 32, "4" * 16),),
    )
    content = span_json(span)
    assert content["events"] == [
        {
            "name": "exception",
            "timestamp_ns": "2500",
            "attributes": {"exception.type": "Timeout"},
        }
    ]
    assert content["links"][0]["trace_id"] == "b" * 32
    assert (content["start_ns"], content["duration_ns"]) == ("2000", 7000)


def test_a_log_record_keeps_its_nanoseconds() -> None:
    content = log_json(LogRecord(1_700_000_000_123_456_789, Severity.WARNING, "slow", "api"))
    assert content["timestamp"] == "2023-11-14T22:13:20.123456789Z"
    assert content["level"] == "WARNING"
