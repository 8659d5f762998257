"""A tenant's limits, in the words of each protocol that it may send in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cramjam
import httpx2
import orjson
import pytest

from watchkeeper.backend import Backend, Places
from watchkeeper.model import LogRecord, Severity, SpanKind, SpanRecord
from watchkeeper.server.access import Access, read_tokens
from watchkeeper.server.application import Application
from watchkeeper.wire.otlp import PROTOBUF_CONTENT_TYPE, encode_logs, encode_spans
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, pack_double, tag, varint

from .conftest import HERE, NOW, NOW_NS, Clock

pytestmark = pytest.mark.anyio

SHOP, BANK = "s" * 24, "b" * 24
LIMITS = """
default: {attributes: 2, label_value_length: 10, body_size: 4KB, series: 3, queue: 1}
tenants:
  shop: {spans_per_second: 1, logs_per_second: 1, samples_per_second: 1}
"""


@pytest.fixture
async def limited(tmp_path: Path, places: Places) -> Any:
    import dataclasses

    (tmp_path / "limits.yml").write_text(LIMITS)
    (tmp_path / "tokens").write_text(f"write {SHOP} shop\nadmin {BANK} bank\n")
    named = dataclasses.replace(places, limits=tmp_path / "limits.yml")
    backend = Backend.open(named, clock=Clock())
    access = Access(tokens=read_tokens(tmp_path / "tokens"))
    application = Application(backend, access=access, clock=Clock())
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client
    application.close()
    backend.store.close()


def by(token: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **more}


def protobuf(token: str) -> dict[str, str]:
    return by(token, **{"content-type": PROTOBUF_CONTENT_TYPE})


def span(**attributes: str) -> SpanRecord:
    return SpanRecord(
        *("c" * 32, "1" * 16, "", "GET /", SpanKind.SERVER, NOW_NS, NOW_NS + 5, "shop"),
        attributes=attributes,
    )


def write_request(*paths: str, ahead_ms: int = 0) -> bytes:
    def pair(name: str, value: str) -> bytes:
        texts = delimited(tag(1, LENGTH), name.encode()) + delimited(tag(2, LENGTH), value.encode())
        return delimited(tag(1, LENGTH), texts)

    time = tag(2, VARINT) + varint(NOW * 1000 + ahead_ms)
    sample = delimited(tag(2, LENGTH), tag(1, FIXED64) + pack_double(1.0) + time)
    message: Any = b"".join(
        delimited(tag(1, LENGTH), pair("__name__", "hits") + pair("path", path) + sample)
        for path in paths
    )
    return bytes(cramjam.snappy.compress_raw(message))


async def counted(client: httpx2.AsyncClient) -> set[str]:
    text = (await client.get("/metrics", headers=by(BANK))).text
    return {line for line in text.splitlines() if line.startswith("watchkeeper_limited_total{")}


async def test_otlp_is_told_when_to_send_again(limited: httpx2.AsyncClient) -> None:
    for expected in (200, 429):
        content = encode_spans([span()] * 4)
        answer = await limited.post("/v1/traces", content=content, headers=protobuf(SHOP))
        assert answer.status_code == expected
    assert int(answer.headers["retry-after"]) >= 2
    assert 'watchkeeper_limited_total{tenant="shop",limit="rate",label="spans"} 1' in await counted(
        limited
    )
    other = await limited.post("/v1/traces", content=content, headers=protobuf(BANK))
    assert other.status_code == 200


async def test_otlp_is_told_in_part_which_attribute_was_too_much(
    limited: httpx2.AsyncClient,
) -> None:
    content = encode_spans([span(a="1", b="2", c="3"), span(a="1")])
    headers = protobuf(BANK)
    answer = await limited.post("/v1/traces", content=content, headers=headers)
    assert answer.status_code == 200
    assert b"3 attributes, 2 are allowed" in answer.content
    record = LogRecord(NOW_NS, Severity.INFO, "sold", "shop", attributes=dict.fromkeys("abc", "1"))
    answer = await limited.post("/v1/logs", content=encode_logs([record]), headers=headers)
    assert b"3 attributes, 2 are allowed" in answer.content
    assert (
        'watchkeeper_limited_total{tenant="bank",limit="attributes",label=""} 2'
        in await counted(limited)
    )


async def test_bulk_is_told_when_to_send_again_and_which_item_was_too_much(
    limited: httpx2.AsyncClient,
) -> None:
    lines = [{"create": {}}, {"message": "sold", "a": 1}, {"create": {}}, dict.fromkeys("abc", 1)]
    content = b"\n".join(orjson.dumps(line) for line in lines) + b"\n"
    path = "/elasticsearch/shop/_bulk"
    first = await limited.post(path, content=content, headers=by(SHOP))
    assert [item["create"]["status"] for item in first.json()["items"]] == [201, 400]
    assert "3 attributes" in first.json()["items"][1]["create"]["error"]["reason"]
    again = await limited.post(path, content=content, headers=by(SHOP))
    assert again.status_code == 429
    assert again.json()["error"]["type"] == "es_rejected_execution_exception"
    assert int(again.headers["retry-after"]) >= 1


async def test_remote_write_is_told_when_to_send_again(limited: httpx2.AsyncClient) -> None:
    for expected in (204, 429):
        answer = await limited.post(
            "/prometheus/api/v1/write", content=write_request("a", "b"), headers=protobuf(SHOP)
        )
        assert answer.status_code == expected
    assert int(answer.headers["retry-after"]) >= 1


async def test_remote_write_is_told_what_was_left_out_and_the_rest_is_kept(
    limited: httpx2.AsyncClient,
) -> None:
    content = write_request("a", "b", "a much too long path", "c", "d")
    answer = await limited.post("/prometheus/api/v1/write", content=content, headers=protobuf(BANK))
    assert answer.status_code == 400
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "3"
    assert "label 'path': its value is longer than 10 bytes" in answer.text
    assert "this tenant may have no more series: 1 new ones" in answer.text
    assert await counted(limited) >= {
        'watchkeeper_limited_total{tenant="bank",limit="label_value_length",label="path"} 1',
        'watchkeeper_limited_total{tenant="bank",limit="series",label=""} 1',
    }


async def test_samples_too_far_ahead_are_left_out(limited: httpx2.AsyncClient) -> None:
    for ahead_ms, expected in ((600_000, 204), (600_001, 400)):
        answer = await limited.post(
            "/prometheus/api/v1/write",
            content=write_request("a", ahead_ms=ahead_ms),
            headers=protobuf(BANK),
        )
        assert answer.status_code == expected
    assert "1 samples were too far in the future" in answer.text


async def test_a_body_that_opens_too_large_is_refused_for_good(
    limited: httpx2.AsyncClient,
) -> None:
    content = encode_spans([span()] * 100)
    answer = await limited.post("/v1/traces", content=content, headers=protobuf(BANK))
    assert answer.status_code == 413
    assert "retry-after" not in answer.headers
    assert (
        'watchkeeper_limited_total{tenant="bank",limit="body_size",label="spans"} 1'
        in await counted(limited)
    )
