"""Elasticsearch's bulk API under /elasticsearch, as far as shippers of logs speak it.

Source: elastic.co, "Bulk API" and "Info API". Filebeat, Logstash, Fluent Bit, Vector and the
clients ask who answers (GET /) before they send.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchkeeper.clock import Clock
from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.ingest.bulk import BulkReceiver, BulkResult
from watchkeeper.server.answers import Endpoint, Failure, answering, json_answer
from watchkeeper.server.intake import Intake, not_taken

PREFIX = "/elasticsearch"
SPOKEN_VERSION = "8.19.0"
"""The version of the API whose words are used here."""

_PRODUCT = {"x-elastic-product": "Elasticsearch"}
_COMPATIBLE = "application/vnd.elasticsearch+json"
_TYPES = {
    400: "illegal_argument_exception",
    413: "circuit_breaking_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}


def routes(receiver: BulkReceiver, intake: Intake, clock: Clock) -> list[Route]:
    """Return the endpoints."""
    answer = answering(error_answer)
    send = answer(_bulk(receiver, intake, clock))
    return [
        *(
            Route(PREFIX + path, send, methods=["POST", "PUT"])
            for path in ("/_bulk", "/{index}/_bulk")
        ),
        *(Route(PREFIX + path, answer(information)) for path in ("", "/")),
        Route(f"{PREFIX}/_license", answer(license_of)),
    ]


def _bulk(receiver: BulkReceiver, intake: Intake, clock: Clock) -> Endpoint:
    async def bulk(request: Request) -> Response:
        began_ns = clock.monotonic_ns()
        encoding = request.headers.get("content-encoding", "")
        index = request.path_params.get("index", "")
        try:
            results = await intake.read(
                request, lambda data, tenant: receiver.receive(data, encoding, index, tenant)
            )
        except (OverloadError, StoreFullError) as error:
            return error_answer(not_taken(error))
        content = {
            "took": (clock.monotonic_ns() - began_ns) // 1_000_000,
            "errors": any(result.problem for result in results),
            "items": [_item(result) for result in results],
        }
        return _answer(request, content)

    return bulk


async def information(request: Request) -> Response:
    """Say which version of the API is spoken here, and by whom."""
    content = {
        "name": "watchkeeper",
        "cluster_name": "watchkeeper",
        "cluster_uuid": "watchkeeper",
        "version": {
            "number": SPOKEN_VERSION,
            "build_flavor": "default",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }
    return _answer(request, content)


async def license_of(request: Request) -> Response:
    """Say that nothing is to be paid for: Filebeat asks."""
    content = {"uid": "watchkeeper", "type": "basic", "mode": "basic", "status": "active"}
    return _answer(request, {"license": content})


def error_answer(failure: Failure) -> Response:
    """Return a failure in Elasticsearch's words."""
    kind = _TYPES.get(failure.status, "exception")
    error = {"type": kind, "reason": failure.message}
    content = {"error": {**error, "root_cause": [error]}, "status": failure.status}
    return json_answer(content, failure.status, failure.headers | _PRODUCT)


def _item(result: BulkResult) -> dict[str, Any]:
    common = {"_index": result.index, "_id": result.id}
    if result.problem:
        error = {"type": "document_parsing_exception", "reason": result.problem}
        return {result.action: {**common, "status": 400, "error": error}}
    shards = {"total": 1, "successful": 1, "failed": 0}
    made = {"_version": 1, "result": "created", "_shards": shards, "status": 201}
    return {result.action: {**common, **made}}


def _answer(request: Request, content: dict[str, Any]) -> Response:
    """Return JSON under the name that the client asked for."""
    response = json_answer(content, 200, _PRODUCT)
    wanted = request.headers.get("accept", "")
    if wanted.startswith(_COMPATIBLE):
        response.headers["content-type"] = wanted.partition(",")[0]
    return response
