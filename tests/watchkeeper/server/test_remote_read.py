"""Remote read: another Prometheus takes what it asks for."""

from __future__ import annotations

import struct

import cramjam
import httpx2
import pytest

from watchkeeper.wire.message import Message
from watchkeeper.wire.protobuf import LENGTH, VARINT, delimited, tag, varint

pytestmark = pytest.mark.anyio

READ = "/prometheus/api/v1/read"
NOW_MS = 1_700_000_000_000


def request(kind: int, name: str, value: str, start_ms: int, end_ms: int) -> bytes:
    matcher = (
        tag(1, VARINT)
        + varint(kind)
        + delimited(tag(2, LENGTH), name.encode())
        + delimited(tag(3, LENGTH), value.encode())
    )
    query = tag(1, VARINT) + varint(start_ms) + tag(2, VARINT) + varint(end_ms)
    query += delimited(tag(3, LENGTH), matcher)
    return bytes(cramjam.snappy.compress_raw(delimited(tag(1, LENGTH), query)))


async def test_samples_of_a_range_come_back(client: httpx2.AsyncClient) -> None:
    body = request(2, "job", "ap.", NOW_MS - 60_000, NOW_MS)
    answer = await client.post(READ, content=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-encoding"] == "snappy"
    (result,) = Message(bytes(cramjam.snappy.decompress_raw(answer.content)), (1,)).repeated(1)
    (series,) = Message(result, (1,)).repeated(1)
    pairs = [Message(one, ()) for one in Message(series, (1, 2)).repeated(1)]
    assert [(one.text(1), one.text(2)) for one in pairs] == [("__name__", "up"), ("job", "api")]
    samples = [Message(one, ()) for one in Message(series, (1, 2)).repeated(2)]
    assert [one.number(2) for one in samples] == [NOW_MS - 60_000, NOW_MS]
    assert [struct.unpack("<d", one.fixed(1))[0] for one in samples] == [1.0, 1.0]


async def test_what_is_no_request_is_refused(client: httpx2.AsyncClient) -> None:
    assert (await client.post(READ, content=b"nothing")).status_code == 400
    wrong = request(9, "job", "api", 0, NOW_MS)
    assert (await client.post(READ, content=wrong)).status_code == 400
