"""Requests of httpx2 and httpx are timed, and continue the trace on the other side."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import httpx2
import pytest

from watchkeeper import Contract, Signals, SpanKind
from watchkeeper.conventions import http_client
from watchkeeper.instrument.http_client import watch_client
from watchkeeper.model import StatusCode
from watchkeeper.testing import Captured, capture

pytestmark = pytest.mark.anyio


def answering(request: httpx2.Request) -> httpx2.Response:
    if request.url.path == "/down":
        raise httpx2.ConnectError("refused")
    status = int(request.url.path.strip("/") or 200)
    return httpx2.Response(status, json={"traceparent": request.headers.get("traceparent", "")})


def client(seen: Captured) -> httpx2.AsyncClient:
    transport = httpx2.MockTransport(answering)
    return watch_client(seen.telemetry, httpx2.AsyncClient(transport=transport))


async def test_a_request_inside_of_a_trace_is_its_span(
    seen: Captured, door: SimpleNamespace
) -> None:
    with seen.telemetry.span(door.work):
        answer = await client(seen).get("https://jane:pw@example.org:8443/200?token=secret")
    call, work = seen.spans
    assert (call.name, call.kind) == ("GET", SpanKind.CLIENT)
    assert answer.json()["traceparent"] == f"00-{work.trace_id}-{call.span_id}-01"
    assert call.parent_span_id == work.span_id
    assert call.attributes == {
        "http.request.method": "GET",
        "server.address": "example.org",
        "server.port": 8443,
        "url.full": "https://example.org:8443/200",
        "http.response.status_code": 200,
    }
    assert seen.value(http_client.REQUEST_DURATION, host="example.org", status_code="200") == 1


@pytest.mark.parametrize("status", [404, 503])
async def test_an_answer_that_is_an_error_makes_the_span_one(
    seen: Captured, door: SimpleNamespace, status: int
) -> None:
    with seen.telemetry.span(door.work):
        await client(seen).get(f"http://example.org/{status}")
    call, work = seen.spans
    assert (call.status, work.status) == (StatusCode.ERROR, StatusCode.UNSET)
    assert call.attributes["error.type"] == str(status)


async def test_a_request_that_nobody_answers_is_timed_too(
    seen: Captured, door: SimpleNamespace
) -> None:
    with seen.telemetry.span(door.work), pytest.raises(httpx2.ConnectError):
        await client(seen).get("http://example.org/down")
    assert seen.spans[0].attributes["error.type"] == "httpx2.ConnectError"
    assert seen.value(http_client.REQUEST_DURATION, status_code="none") == 1


async def test_outside_of_a_trace_a_request_is_only_timed(seen: Captured) -> None:
    answer = await client(seen).post("http://example.org/200")
    assert answer.json() == {"traceparent": ""}
    assert seen.spans == []
    assert seen.value(http_client.REQUEST_DURATION, method="POST") == 1


async def test_a_streamed_answer_is_watched_up_to_its_head(
    seen: Captured, door: SimpleNamespace
) -> None:
    with seen.telemetry.span(door.work):
        async with client(seen).stream("GET", "http://example.org/") as answer:
            assert answer.status_code == 200
    assert [span.name for span in seen.spans] == ["GET", "work"]


def test_a_client_that_blocks_is_watched_alike(seen: Captured, door: SimpleNamespace) -> None:
    transport = httpx2.MockTransport(answering)
    blocking = watch_client(seen.telemetry, httpx2.Client(transport=transport))
    with seen.telemetry.span(door.work):
        blocking.get("http://example.org/")
    assert [span.name for span in seen.spans] == ["GET", "work"]


async def test_a_contract_without_it_only_hands_the_trace_on(door: SimpleNamespace) -> None:
    contract = Contract(service="s", version="1.0.0", signals=Signals(spans=(door.work,)))
    with capture(contract) as seen:
        with seen.telemetry.span(door.work):
            answer = await client(seen).get("http://example.org/")
        [work] = seen.spans
    assert answer.json()["traceparent"] == f"00-{work.trace_id}-{work.span_id}-01"


async def test_httpx_is_watched_alike(seen: Captured, door: SimpleNamespace) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, json=request.headers["traceparent"])

    transport = httpx.MockTransport(answer)
    url = "http://example.org/way?token=secret"
    with seen.telemetry.span(door.work):
        async with watch_client(seen.telemetry, httpx.AsyncClient(transport=transport)) as client:
            first = await client.get(url)
        with watch_client(seen.telemetry, httpx.Client(transport=transport)) as blocking:
            second = blocking.get(url)
    *calls, work = seen.spans
    for call, answered in zip(calls, (first, second), strict=True):
        assert answered.json() == f"00-{work.trace_id}-{call.span_id}-01"
        assert call.attributes["url.full"] == "http://example.org/way"
        assert call.attributes["http.response.status_code"] == 503
        assert call.status is StatusCode.ERROR
    assert seen.value(http_client.REQUEST_DURATION, host="example.org", status_code="503") == 2
