"""Elasticsearch's bulk API under /elasticsearch, as far as shippers of logs speak it.

Source: elastic.co, "Bulk API". What shippers ask before they send is in `shippers`.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from watchkeeper.clock import Clock
from watchkeeper.errors import OverloadError, StoreFullError
from watchkeeper.ingest.bulk import BulkReceiver, BulkResult
from watchkeeper.server import shippers
from watchkeeper.server.answers import Endpoint, answering, unrouted
from watchkeeper.server.intake import Intake, not_taken
from watchkeeper.server.shippers import answer_to, error_answer

PREFIX = "/elasticsearch"
_CREATED = (
    b',"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},'
    b'"status":201}}'
)


def routes(receiver: BulkReceiver, intake: Intake, clock: Clock) -> list[BaseRoute]:
    """Return the endpoints; whatever else is asked there is answered in Elasticsearch's words."""
    send = answering(error_answer)(_bulk(receiver, intake, clock))
    methods = ["POST", "PUT"]
    paths = ("/_bulk", "/{index}/_bulk")
    inside = Starlette(
        routes=[*(Route(path, send, methods=methods) for path in paths), *shippers.routes()],
        exception_handlers=unrouted(error_answer),
    )
    return [Route(PREFIX, shippers.information), Mount(PREFIX, inside)]


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
            "items": _items(results),
        }
        return answer_to(request, content)

    return bulk


def _items(results: Sequence[BulkResult]) -> orjson.Fragment:
    """Return what became of each action: of thousands nearly all say the same but for their id."""
    heads: dict[tuple[str, str], bytes] = {}
    items = []
    for result in results:
        if result.problem:
            items.append(_refused(result))
            continue
        place = (result.action, result.index)
        head = heads.get(place)
        if head is None:
            index = orjson.dumps(result.index)
            head = heads[place] = b'{"%s":{"_index":%s,"_id":' % (result.action.encode(), index)
        items.append(head + orjson.dumps(result.id) + _CREATED)
    return orjson.Fragment(b"[" + b",".join(items) + b"]")


def _refused(result: BulkResult) -> bytes:
    error = {"type": "document_parsing_exception", "reason": result.problem}
    item = {"_index": result.index, "_id": result.id, "status": 400, "error": error}
    return orjson.dumps({result.action: item})
