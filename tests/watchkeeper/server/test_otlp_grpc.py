"""OTLP/gRPC, spoken by OpenTelemetry's own SDK and by gRPC itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from watchkeeper.backend import Backend
from watchkeeper.errors import ConfigError, OverloadError, StoreFullError
from watchkeeper.model import SpanKind, SpanRecord
from watchkeeper.server import otlp_grpc
from watchkeeper.server.access import Access, read_tokens
from watchkeeper.server.application import Application
from watchkeeper.server.otlp_grpc import OtlpGrpcServer
from watchkeeper.server.serve import Encryption
from watchkeeper.wire.otlp import encode_spans

from .conftest import NOW_NS, Clock

pytestmark = pytest.mark.anyio

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPAN = SpanRecord("c" * 32, "1" * 16, "", "GET /", SpanKind.SERVER, NOW_NS, NOW_NS + 5, "shop")
READER, WRITER = "r" * 24, "w" * 24


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.fixture
async def channel(backend: Backend, access: Access) -> AsyncIterator[Any]:
    application = Application(backend, access=access, clock=Clock())
    server = OtlpGrpcServer(application)
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop()
    application.close()


async def export(channel: Any, body: bytes, path: str = TRACES, **more: Any) -> Any:
    return await channel.unary_unary(path)(body, timeout=10, **more)


def trusting(certificate: Path) -> Any:
    return grpc.ssl_channel_credentials(certificate.read_bytes())


async def refused(channel: Any, body: bytes, **more: Any) -> tuple[grpc.StatusCode, Status]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await export(channel, body, **more)
    trailing = dict(caught.value.trailing_metadata())
    return caught.value.code(), Status.FromString(trailing["grpc-status-details-bin"])


async def test_what_is_acknowledged_can_be_found(channel: Any, backend: Backend) -> None:
    assert await export(channel, encode_spans([SPAN])) == b""
    assert backend.store.spans.trace("c" * 32)[0].service == "shop"


async def test_a_compressed_request_is_taken(channel: Any, backend: Backend) -> None:
    body = encode_spans([SPAN] * 50)
    await export(channel, body, compression=grpc.Compression.Gzip)
    assert len(backend.store.spans.trace("c" * 32)) == 50


async def test_what_cannot_be_decoded_is_an_invalid_argument(channel: Any) -> None:
    code, status = await refused(channel, b"\xff\xff")
    assert (code, status.code) == (grpc.StatusCode.INVALID_ARGUMENT, 3)
    assert list(status.details) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OverloadError("too much", retry_after_seconds=1.5), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (StoreFullError("no room"), grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_what_may_be_tried_again_says_when(
    channel: Any,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: grpc.StatusCode,
) -> None:
    def refuse(spans: object) -> None:
        raise error

    monkeypatch.setattr(backend.store.spans, "append", refuse)
    found, status = await refused(channel, encode_spans([SPAN]))
    assert (found, status.message) == (code, str(error))
    info = RetryInfo()
    assert status.details[0].Unpack(info)
    assert info.retry_delay.ToMilliseconds() in (1_500, 5_000)


async def test_what_will_never_fit_is_not_to_be_tried_again(
    channel: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(spans: object) -> None:
        raise OverloadError("too large", retry_after_seconds=0.0)

    monkeypatch.setattr(backend.store.spans, "append", refuse)
    code, status = await refused(channel, encode_spans([SPAN]))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert list(status.details) == []


async def test_a_part_that_is_left_out_is_told(channel: Any) -> None:
    many = {f"a{number}": "1" for number in range(300)}
    wide = SpanRecord(*("c" * 32, "2" * 16, "", "x", SpanKind.SERVER, 1, 2, "s"), attributes=many)
    answer = ExportTraceServiceResponse.FromString(
        await export(channel, encode_spans([SPAN, wide]))
    )
    assert answer.partial_success.rejected_spans == 1
    assert "300 attributes" in answer.partial_success.error_message


async def test_what_breaks_inside_is_not_told(
    channel: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(spans: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(backend.store.spans, "append", break_down)
    code, status = await refused(channel, encode_spans([SPAN]))
    assert code is grpc.StatusCode.INTERNAL
    assert "hunter2" not in status.message


async def test_a_message_beyond_the_limit_is_refused_also_when_it_is_compressed(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_grpc, "MAX_BODY_BYTES", 10_000)
    application = Application(backend, access=Access(), clock=Clock())
    server = OtlpGrpcServer(application)
    port = await server.start("127.0.0.1", 0)
    bomb = encode_spans([SPAN] * 1_000)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await export(channel, bomb, compression=compression)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await server.stop()
    application.close()


async def test_with_a_certificate_it_speaks_tls_and_nothing_else(
    backend: Backend, certificate: Path
) -> None:
    application = Application(backend, access=Access(), clock=Clock())
    server = OtlpGrpcServer(application)
    port = await server.start("127.0.0.1", 0, Encryption(certificate, certificate))
    async with grpc.aio.secure_channel(f"127.0.0.1:{port}", trusting(certificate)) as channel:
        assert await export(channel, encode_spans([SPAN])) == b""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await export(channel, encode_spans([SPAN]))
    await server.stop()
    application.close()


async def test_a_port_that_is_taken_is_told(backend: Backend) -> None:
    application = Application(backend, access=Access(), clock=Clock())
    first, second = OtlpGrpcServer(application), OtlpGrpcServer(application)
    port = await first.start("127.0.0.1", 0)
    with pytest.raises(ConfigError, match="--otlp-grpc-port"):
        await second.start("127.0.0.1", port)
    await first.stop()
    application.close()


class TestWithTokens:
    @pytest.fixture
    def access(self, tmp_path: Path) -> Access:
        (tmp_path / "tokens").write_text(f"read {READER}\nwrite {WRITER} shop\n")
        return Access(tokens=read_tokens(tmp_path / "tokens"))

    @pytest.mark.parametrize(
        ("shown", "code"),
        [
            ((), grpc.StatusCode.UNAUTHENTICATED),
            ((("authorization", f"Bearer {READER}"),), grpc.StatusCode.PERMISSION_DENIED),
        ],
    )
    async def test_only_who_may_write_writes(
        self, channel: Any, shown: Any, code: grpc.StatusCode
    ) -> None:
        found, _ = await refused(channel, encode_spans([SPAN]), metadata=shown)
        assert found is code

    async def test_a_writer_is_counted_as_its_tenant(self, channel: Any, backend: Backend) -> None:
        many = {f"a{number}": "1" for number in range(300)}
        wide = SpanRecord(
            *("c" * 32, "2" * 16, "", "", SpanKind.SERVER, 1, 2, "s"), attributes=many
        )
        shown = (("authorization", f"Bearer {WRITER}"),)
        await export(channel, encode_spans([wide]), metadata=shown)
        assert backend.quotas.exceeded() == {("shop", "attributes", ""): 1}
