"""OTLP/HTTP: POST /v1/traces, /v1/logs and /v1/metrics, protobuf or JSON, gzip or plain.

Source: opentelemetry.io, "OTLP Specification", OTLP/HTTP. What is acknowledged is on disk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from watchkeeper.errors import DecodeError
from watchkeeper.ingest import OtlpReceiver
from watchkeeper.server.answers import Endpoint, Failure, unrouted
from watchkeeper.server.intake import Intake, not_taken
from watchkeeper.wire.otlp import JSON_CONTENT_TYPE, PROTOBUF_CONTENT_TYPE, is_json
from watchkeeper.wire.protobuf import LENGTH, VARINT, delimited, tag, varint

Receive = Callable[[bytes, str, str, str], tuple[bytes, str]]

_RPC_CODES = {400: 3, 404: 5, 413: 8, 415: 3, 429: 8, 503: 14}
_RPC_INTERNAL = 13
"""google.rpc.Code, by HTTP status."""


def routes(receiver: OtlpReceiver, intake: Intake) -> list[BaseRoute]:
    """Return the three endpoints; whatever else is asked beside them is answered as they do."""
    by_path: dict[str, Receive] = {
        "/traces": receiver.receive_traces,
        "/logs": receiver.receive_logs,
        "/metrics": receiver.receive_metrics,
    }
    inside = Starlette(
        routes=[
            Route(path, _endpoint(receive, intake), methods=["POST"])
            for path, receive in by_path.items()
        ],
        exception_handlers=unrouted(lambda failure: error_answer(failure, JSON_CONTENT_TYPE)),
    )
    return [Mount("/v1", inside)]


def _endpoint(receive: Receive, intake: Intake) -> Endpoint:
    async def export(request: Request) -> Response:
        kind = request.headers.get("content-type", "")
        encoding = request.headers.get("content-encoding", "")
        try:
            answer, answer_type = await intake.read(
                request, lambda data, tenant: receive(data, kind, encoding, tenant)
            )
        except Exception as error:  # noqa: BLE001 - the edge: not_taken logs what is unexpected
            failure = not_taken(error)
            if not _is_known(kind):
                # Whoever sends neither format reads the one that people read.
                unsupported = replace(failure, status=415) if failure.status == 400 else failure
                return error_answer(unsupported, JSON_CONTENT_TYPE)
            return error_answer(failure, kind)
        return Response(answer, headers={"content-type": answer_type})

    return export


def _is_known(content_type: str) -> bool:
    try:
        is_json(content_type)
    except DecodeError:
        return False
    return True


def error_answer(failure: Failure, content_type: str) -> Response:
    """Return a failure as google.rpc.Status, in the format of the request."""
    code = _RPC_CODES.get(failure.status, _RPC_INTERNAL)
    if is_json(content_type):
        content = orjson.dumps({"code": code, "message": failure.message})
        return Response(content, failure.status, failure.headers, JSON_CONTENT_TYPE)
    message = failure.message.encode()
    content = tag(1, VARINT) + varint(code) + delimited(tag(2, LENGTH), message)
    return Response(content, failure.status, failure.headers, PROTOBUF_CONTENT_TYPE)
