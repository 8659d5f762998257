import gzip
from dataclasses import replace

import httpx2
import orjson
import pytest

from watchkeeper.backend import Backend
from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.model import (
    LogRecord,
    Scope,
    Severity,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
)
from watchkeeper.server import intake
from watchkeeper.wire.otlp import PROTOBUF_CONTENT_TYPE, encode_logs, encode_spans
from watchkeeper.wire.protobuf import read_fields

pytestmark = pytest.mark.anyio

NOW_NS = 1_700_000_000_000_000_000
SPAN = SpanRecord("c" * 32, "1" * 16, "", "GET /", SpanKind.SERVER, NOW_NS, NOW_NS + 5, "shop")
RECORD = LogRecord(NOW_NS, Severity.INFO, "sold", "shop")
PROTOBUF = {"content-type": PROTOBUF_CONTENT_TYPE}


async def test_what_is_acknowledged_can_be_found(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/traces", content=encode_spans([SPAN]), headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == PROTOBUF_CONTENT_TYPE
    assert (await client.get(f"/api/traces/{'c' * 32}")).json()["spans"][0]["service"] == "shop"
    assert (await client.get(f"/jaeger/api/traces/{'c' * 32}")).status_code == 200


async def test_a_compressed_request_is_taken(client: httpx2.AsyncClient) -> None:
    content = gzip.compress(encode_logs([RECORD]))
    headers = PROTOBUF | {"content-encoding": "gzip"}
    assert (await client.post("/v1/logs", content=content, headers=headers)).status_code == 200
    found = await client.get("/api/logs", params={"query": "sold"})
    assert len(found.json()["records"]) == 1


async def test_json_is_answered_with_json(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/logs", json={"resourceLogs": []})
    assert answer.status_code == 200
    assert answer.json() == {}


SAID = replace(
    SPAN,
    scope=Scope("orders", "1.2.3"),
    trace_state="shop=a:1,other=b",
    dropped=(1, 2, 3),
    events=(SpanEvent("full", NOW_NS, {}, dropped_attributes=4),),
    links=(SpanLink("d" * 32, "2" * 16, {}, 5, "far=c"),),
)
SAID_AS_JSON = {
    "traceId": SAID.trace_id,
    "spanId": SAID.span_id,
    "traceState": SAID.trace_state,
    "name": SAID.name,
    "startTimeUnixNano": str(NOW_NS),
    "endTimeUnixNano": str(NOW_NS + 5),
    "droppedAttributesCount": 1,
    "droppedEventsCount": 2,
    "droppedLinksCount": 3,
    "events": [{"name": "full", "timeUnixNano": str(NOW_NS), "droppedAttributesCount": 4}],
    "links": [
        {
            "traceId": "d" * 32,
            "spanId": "2" * 16,
            "traceState": "far=c",
            "droppedAttributesCount": 5,
        }
    ],
    "flags": 0x101,
}


@pytest.mark.parametrize("form", ["protobuf", "columns", "json"])
async def test_what_a_span_says_besides_its_attributes_is_given_back(
    client: httpx2.AsyncClient, form: str
) -> None:
    if form == "json":
        scope = {"name": "orders", "version": "1.2.3"}
        spans = [{"scope": scope, "spans": [SAID_AS_JSON]}]
        answer = await client.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": spans}]})
    else:
        # A large request is read in another way.
        others = [replace(SAID, trace_id=f"{n:032x}") for n in range(1, 200)]
        body = encode_spans([SAID, *others] if form == "columns" else [SAID])
        answer = await client.post("/v1/traces", content=body, headers=PROTOBUF)
    assert answer.status_code == 200
    jaeger = (await client.get(f"/jaeger/api/traces/{'c' * 32}")).json()
    [span] = jaeger["data"][0]["spans"]
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    expected = {
        "otel.scope.name": "orders",
        "otel.scope.version": "1.2.3",
        "w3c.tracestate": "shop=a:1,other=b",
        "otel.dropped_attributes_count": 1,
        "otel.dropped_events_count": 2,
        "otel.dropped_links_count": 3,
    }
    assert {name: tags.get(name) for name in expected} == expected
    [log] = span["logs"]
    assert {"key": "otel.dropped_attributes_count", "type": "int64", "value": 4} in log["fields"]
    [own] = (await client.get(f"/api/traces/{'c' * 32}")).json()["spans"]
    assert own["links"][0]["attributes"] == {
        "w3c.tracestate": "far=c",
        "otel.dropped_attributes_count": 5,
    }
    tags_sought = {"service": SAID.service, "tags": '{"otel.scope.version":"1.2.3"}'}
    if form == "json":
        tags_sought["service"] = "unknown_service"
    times = {"start": str(NOW_NS // 1000 - 1), "end": str(NOW_NS // 1000 + 1), "limit": "300"}
    sought = await client.get("/jaeger/api/traces", params=tags_sought | times)
    assert "c" * 32 in {trace["traceID"] for trace in sought.json()["data"]}


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
async def test_what_cannot_be_decoded_is_refused_for_good(
    client: httpx2.AsyncClient, path: str
) -> None:
    answer = await client.post(path, content=b"\xff\xff", headers=PROTOBUF)
    assert answer.status_code == 400
    status = dict(read_fields(answer.content))
    assert status[8] == 3
    as_json = await client.post(path, content=b"{", headers={"content-type": "application/json"})
    assert (as_json.status_code, as_json.json()["code"]) == (400, 3)


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "ä/;"])
async def test_a_format_that_is_not_spoken_is_named(
    client: httpx2.AsyncClient, path: str, kind: str
) -> None:
    headers = [(b"content-type", kind.encode("latin-1"))]
    answer = await client.post(path, content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, 3)
    assert "send application/x-protobuf or application/json" in answer.json()["message"]


async def test_what_is_no_signal_is_not_taken_for_the_page(client: httpx2.AsyncClient) -> None:
    absent = await client.post("/v1/profiles", content=b"", headers=PROTOBUF)
    assert (absent.status_code, absent.json()["code"]) == (404, 5)
    assert (await client.get("/v1/traces")).status_code == 405


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreFullError("no room on disk"), 503), (OverloadError("too much at once"), 429)],
)
async def test_what_may_be_tried_again_says_when(
    client: httpx2.AsyncClient,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    def refuse(records: object) -> None:
        raise error

    monkeypatch.setattr(backend.store.logs, "append", refuse)
    headers = PROTOBUF
    answer = await client.post("/v1/logs", content=encode_logs([RECORD]), headers=headers)
    assert answer.status_code == status
    assert int(answer.headers["retry-after"]) >= 1
    assert str(error).encode() in answer.content


async def test_a_body_beyond_the_limit_is_refused(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_BODY_BYTES", 10)
    answer = await client.post("/v1/logs", content=encode_logs([RECORD]), headers=PROTOBUF)
    assert answer.status_code == 413


async def test_what_breaks_inside_is_not_told(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(records: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(backend.store.logs, "append", break_down)
    headers = {"content-type": "application/json"}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}]}]}]}
    answer = await client.post("/v1/logs", content=orjson.dumps(logs), headers=headers)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text


async def test_refusals_are_counted_and_shown(client: httpx2.AsyncClient) -> None:
    await client.post("/v1/traces", content=b"\xff", headers=PROTOBUF)
    metrics = (await client.get("/metrics")).text
    assert 'watchkeeper_refused_total{signal="spans",reason="malformed"} 1' in metrics
