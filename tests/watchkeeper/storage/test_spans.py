"""What a span store does, whichever it is."""

from __future__ import annotations

from typing import Any

import pytest
from tests.watchkeeper.storage.conftest import START_NS, AnyStore, span

from watchkeeper.model import Scope, SpanEvent, SpanKind, SpanLink, SpanRecord, StatusCode
from watchkeeper.ports import Dependency, TraceQuery


def found(store: AnyStore, **conditions: Any) -> list[int]:
    """Return the numbers of the traces that a search finds."""
    query = TraceQuery(0, 2**63 - 1, **conditions)
    return [int(trace[0].trace_id, 16) for trace in store.spans.search(query)]


def test_a_span_comes_back_as_it_was(any_store: AnyStore):
    whole = SpanRecord(
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
        "00f067aa0ba902b6",
        "POST /jobs",
        SpanKind.CLIENT,
        START_NS,
        START_NS + 5,
        "api",
        StatusCode.ERROR,
        "refused",
        {"job.id": "j1", "n": 1, "sizes": (1, 2)},
        (SpanEvent("exception", START_NS + 2, {"type": "OSError"}), SpanEvent("retry", START_NS)),
        (SpanLink("0" * 31 + "1", "0" * 15 + "2", {"why": "queue"}),),
        {"service.name": "api"},
        Scope("asyncpg"),
    )
    any_store.spans.append([whole])
    any_store.settle()
    assert any_store.spans.trace(whole.trace_id) == [whole]


def test_a_trace_is_whole_and_by_start_wherever_its_spans_are(any_store: AnyStore):
    child, root = span(1, 2, at=1, parent=1), span(1, 1, at=0)
    any_store.spans.append([child, span(2, 9)])
    any_store.settle()
    any_store.spans.append([root])
    assert any_store.spans.trace(root.trace_id) == [root, child]
    assert any_store.spans.trace("f" * 32) == []


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"limit": 2}, [3, 2]),
        ({"service": "worker"}, [2]),
        ({"operation": "parse"}, [2, 1]),
        ({"service": "api", "operation": "parse"}, [1]),
        ({"minimum_duration_ns": 5_000_000_000}, [3]),
        ({"maximum_duration_ns": 1_000_000_000}, [2, 1]),
        ({"errors_only": True}, [2]),
        ({"without_errors": True}, [3, 1]),
        ({"attributes": (("job.id", "7"),)}, [3, 1]),
        ({"attributes": (("job.id", "7"), ("ok", "true"))}, [3]),
    ],
)
def test_a_search_finds_traces_with_one_span_that_fulfils_all(
    any_store: AnyStore, conditions: dict[str, Any], expected: list[int]
):
    any_store.spans.append([span(1, 1, name="parse", attributes={"job.id": "7"})])
    any_store.settle()
    any_store.spans.append(
        [
            span(2, 2, at=1, name="parse", service="worker", status=StatusCode.ERROR),
            span(3, 3, at=2, seconds=9, attributes={"job.id": 7, "ok": True}),
        ]
    )
    assert found(any_store, **conditions) == expected


def test_a_search_returns_whole_traces_even_beyond_its_range(any_store: AnyStore):
    any_store.spans.append([span(1, 1, at=0), span(1, 2, at=100, parent=1)])
    any_store.settle()
    query = TraceQuery(START_NS, START_NS + 1)
    assert [len(trace) for trace in any_store.spans.search(query)] == [2]


def test_services_and_operations_are_sorted(any_store: AnyStore):
    any_store.spans.append([span(1, 1, service="b", name="y"), span(1, 2, service="b", name="x")])
    any_store.settle()
    any_store.spans.append([span(1, 3, service="a", name="z"), span(1, 4, service="b", name="x")])
    assert any_store.spans.services() == ["a", "b"]
    assert any_store.spans.operations("b") == ["x", "y"]
    assert any_store.spans.operations("none") == []


def test_dependencies_count_calls_across_services(any_store: AnyStore):
    any_store.spans.append([span(1, 1, service="api"), span(1, 2, service="api", parent=1)])
    any_store.settle()
    any_store.spans.append(
        [
            span(1, 3, service="worker", parent=2),
            span(1, 4, service="worker", parent=1),
            span(1, 5, service="llm", parent=3),
            span(1, 6, service="llm", parent=99),
        ]
    )
    assert any_store.spans.dependencies(0, 2**62) == [
        Dependency("api", "worker", 2),
        Dependency("worker", "llm", 1),
    ]
    assert any_store.spans.dependencies(0, 1) == []


def test_dependencies_of_a_range_leave_out_calls_from_before_it(any_store: AnyStore):
    any_store.spans.append(
        [
            span(1, 1, at=0, service="api"),
            span(1, 2, at=10, service="worker", parent=1),
            span(1, 3, at=11, service="llm", parent=2),
        ]
    )
    any_store.settle()
    found = any_store.spans.dependencies(START_NS + 5_000_000_000, 2**62)
    assert found == [Dependency("worker", "llm", 1)]
