from watchkeeper.model import SpanEvent, SpanKind, SpanLink, SpanRecord, StatusCode
from watchkeeper.server.jaeger_json import trace_json

ROOT = SpanRecord(
    trace_id="a" * 32,
    span_id="1" * 16,
    parent_span_id="",
    name="POST /jobs",
    kind=SpanKind.SERVER,
    start_ns=1_700_000_000_000_001_999,
    end_ns=1_700_000_000_250_001_999,
    service="api",
    resource={"host.name": "one"},
    attributes={"http.response.status_code": 500, "cached": True, "cost": 0.5, "tags": ("a", "b")},
    status=StatusCode.ERROR,
    status_message="the model timed out",
    events=(SpanEvent("exception", 1_700_000_000_100_000_000, {"exception.type": "Timeout"}),),
)
CHILD = SpanRecord(
    trace_id="a" * 32,
    span_id="2" * 16,
    parent_span_id="1" * 16,
    name="process",
    kind=SpanKind.CONSUMER,
    start_ns=1_700_000_000_010_000_000,
    end_ns=1_700_000_000_020_000_000,
    service="worker",
    links=(SpanLink("b" * 32, "3" * 16),),
)


def test_a_trace_has_its_spans_and_the_processes_that_sent_them() -> None:
    trace = trace_json([ROOT, CHILD])
    assert trace["traceID"] == "a" * 32
    assert [span["processID"] for span in trace["spans"]] == ["p1", "p2"]
    assert trace["processes"]["p1"] == {
        "serviceName": "api",
        "tags": [{"key": "host.name", "type": "string", "value": "one"}],
    }


def test_times_are_microseconds() -> None:
    span = trace_json([ROOT])["spans"][0]
    assert (span["startTime"], span["duration"]) == (1_700_000_000_000_001, 250_000)
    assert span["logs"][0]["timestamp"] == 1_700_000_000_100_000


def test_tags_have_the_types_of_their_values() -> None:
    tags = {
        tag["key"]: (tag["type"], tag["value"]) for tag in trace_json([ROOT])["spans"][0]["tags"]
    }
    assert tags["http.response.status_code"] == ("int64", 500)
    assert tags["cached"] == ("bool", True)
    assert tags["cost"] == ("float64", 0.5)
    assert tags["tags"] == ("string", "a, b")


def test_kind_and_outcome_become_the_tags_that_jaeger_looks_for() -> None:
    tags = {tag["key"]: tag["value"] for tag in trace_json([ROOT])["spans"][0]["tags"]}
    assert tags["span.kind"] == "server"
    assert tags["error"] is True
    assert tags["otel.status_code"] == "ERROR"
    assert tags["otel.status_description"] == "the model timed out"


def test_parents_and_links_become_references() -> None:
    references = trace_json([CHILD])["spans"][0]["references"]
    assert [(r["refType"], r["spanID"]) for r in references] == [
        ("CHILD_OF", "1" * 16),
        ("FOLLOWS_FROM", "3" * 16),
    ]
