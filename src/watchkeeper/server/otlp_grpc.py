"""OTLP/gRPC: the three Export methods, on a port of their own.

Source: opentelemetry.io, "OTLP Specification", OTLP/gRPC; google.rpc.Status and RetryInfo, which
alone make a sender try again what was RESOURCE_EXHAUSTED. gRPC is loaded when it is switched on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from watchkeeper.errors import ConfigError
from watchkeeper.server.access import Role
from watchkeeper.server.answers import Failure, Refusal
from watchkeeper.server.application import Application
from watchkeeper.server.intake import MAX_BODY_BYTES, not_taken
from watchkeeper.server.serve import GRACE_SECONDS, Encryption
from watchkeeper.wire.otlp import PROTOBUF_CONTENT_TYPE
from watchkeeper.wire.protobuf import LENGTH, VARINT, delimited, tag, varint

Receive = Callable[[bytes, str, str, str], tuple[bytes, str]]
Export = Callable[[bytes, Any], Awaitable[bytes]]

_SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "receive_traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "receive_logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "receive_metrics",
}
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"
_OK = 200


class OtlpGrpcServer:
    """Takes export requests by the same rules as OTLP/HTTP, counted as `otlp` like those."""

    def __init__(self, application: Application) -> None:
        self._intake = application.intake
        self._access = application.access
        self._tally = application.requests
        self._clock = application.clock
        self._server: Any = None
        self._handlers = [
            grpc.method_handlers_generic_handler(
                service,
                {
                    "Export": grpc.unary_unary_rpc_method_handler(
                        self._export(getattr(application.backend.receiver, method))
                    )
                },
            )
            for service, method in _SERVICES.items()
        ]

    async def start(self, host: str, port: int, encryption: Encryption | None = None) -> int:
        """Listen, and return the port. Raises ConfigError if it is taken."""
        options = [
            ("grpc.max_receive_message_length", MAX_BODY_BYTES),
            ("grpc.so_reuseport", 0),
        ]
        self._server = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers(self._handlers)
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if encryption is None:
                found = self._server.add_insecure_port(place)
            else:
                pair = (encryption.key.read_bytes(), encryption.certificate.read_bytes())
                found = self._server.add_secure_port(place, grpc.ssl_server_credentials([pair]))
        except RuntimeError:
            raise ConfigError(
                f"cannot listen on {place} for OTLP/gRPC; choose another --otlp-grpc-port"
            ) from None
        await self._server.start()
        return int(found)

    async def stop(self) -> None:
        """Take nothing new, and give what is under way some seconds."""
        if self._server is not None:
            await self._server.stop(GRACE_SECONDS)

    def _export(self, receive: Receive) -> Export:
        async def export(request: bytes, context: Any) -> bytes:
            began_ns = self._clock.monotonic_ns()
            status = _OK
            try:
                tenant = self._tenant(context)
                answer, _ = await self._intake.run(
                    request,
                    tenant,
                    lambda data, whose: receive(data, PROTOBUF_CONTENT_TYPE, "", whose),
                )
                return answer
            except Exception as error:
                failure = not_taken(error)
                status = failure.status
                context.set_trailing_metadata((("grpc-status-details-bin", details(failure)),))
                await context.abort(code_of(failure), failure.message)
                raise
            finally:
                seconds = (self._clock.monotonic_ns() - began_ns) / 1e9
                self._tally.count_request("otlp", status, seconds)

        return export

    def _tenant(self, context: Any) -> str:
        """Return whose request it is. Raises Refusal without a token that may write."""
        shown = dict(context.invocation_metadata() or ()).get("authorization", "")
        caller = self._access.caller(str(shown))
        if caller.role is Role.NONE:
            raise Refusal(401, "unauthorized", "this needs a token")
        if caller.role < Role.WRITE:
            raise Refusal(403, "forbidden", "this needs the role write")
        return caller.tenant


def code_of(failure: Failure) -> grpc.StatusCode:
    """Return the code that a failure has in gRPC."""
    return _CODES.get(failure.status, grpc.StatusCode.INTERNAL)


def details(failure: Failure) -> bytes:
    """Return a failure as google.rpc.Status, with the time after which to try again, if any."""
    code = int(code_of(failure).value[0])
    status = tag(1, VARINT) + varint(code) + delimited(tag(2, LENGTH), failure.message.encode())
    if failure.retry_after_seconds is not None:
        nanoseconds = round(failure.retry_after_seconds * 1e9)
        seconds, rest = divmod(nanoseconds, 1_000_000_000)
        delay = tag(1, VARINT) + varint(seconds) + tag(2, VARINT) + varint(rest)
        info = delimited(tag(1, LENGTH), _RETRY_INFO)
        info += delimited(tag(2, LENGTH), delimited(tag(1, LENGTH), delay))
        status += delimited(tag(3, LENGTH), info)
    return status
