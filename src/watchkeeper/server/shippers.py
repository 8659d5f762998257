"""What shippers of logs ask Elasticsearch before they send, and how all of its answers look.

Filebeat, Logstash, Vector and the clients ask who answers, what it costs, and whether template,
lifecycle and data stream are there. Nothing has to be set up here, so all of them are.
Source: elastic.co, "Info API", "Get license API", "Info X-Pack API", "Cluster health API", "Get
index template API", "Get lifecycle policy API", "Get data stream API".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchkeeper.server.answers import Endpoint, Failure, json_answer

SPOKEN_VERSION = "8.19.0"
"""The version of the API whose words are used here."""

_NAME = "watchkeeper"
_PRODUCT = {"x-elastic-product": "Elasticsearch"}
_COMPATIBLE = "application/vnd.elasticsearch+json"
_TYPES = {
    400: "illegal_argument_exception",
    404: "resource_not_found_exception",
    413: "circuit_breaking_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}
_LICENSE = {"uid": _NAME, "type": "basic", "mode": "basic", "status": "active"}
_FEATURE = {"available": False, "enabled": False}


def routes() -> list[Route]:
    """Return the endpoints, without their prefix."""
    return [
        Route("/", information),
        Route("/_license", _saying(lambda name: {"license": _LICENSE})),
        Route("/_xpack", _saying(_features)),
        Route("/_cluster/health", _saying(_health)),
        Route("/_index_template/{name}", _saying(_template)),
        Route("/_ilm/policy/{name}", _saying(_policy)),
        Route("/_data_stream/{name}", _saying(_data_stream)),
    ]


async def information(request: Request) -> Response:
    """Say which version of the API is spoken here, and by whom."""
    content = {
        "name": _NAME,
        "cluster_name": _NAME,
        "cluster_uuid": _NAME,
        "version": {
            "number": SPOKEN_VERSION,
            "build_flavor": "default",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }
    return answer_to(request, content)


def error_answer(failure: Failure) -> Response:
    """Return a failure in Elasticsearch's words."""
    kind = _TYPES.get(failure.status, "exception")
    error = {"type": kind, "reason": failure.message}
    content = {"error": {**error, "root_cause": [error]}, "status": failure.status}
    return json_answer(content, failure.status, failure.headers | _PRODUCT)


def answer_to(request: Request, content: dict[str, Any]) -> Response:
    """Return JSON under the name that the client asked for."""
    response = json_answer(content, 200, _PRODUCT)
    wanted = request.headers.get("accept", "")
    if wanted.startswith(_COMPATIBLE):
        response.headers["content-type"] = wanted.partition(",")[0]
    return response


def _saying(content: Callable[[str], dict[str, Any]]) -> Endpoint:
    """Return an endpoint that says the same to everybody, of the name that it is asked for."""

    async def say(request: Request) -> Response:
        return answer_to(request, content(request.path_params.get("name", "")))

    return say


def _features(name: str) -> dict[str, Any]:
    return {
        "build": {},
        "license": _LICENSE,
        "features": {"ilm": _FEATURE, "monitoring": _FEATURE, "security": _FEATURE},
    }


def _health(name: str) -> dict[str, Any]:
    return {
        "cluster_name": _NAME,
        "status": "green",
        "timed_out": False,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
    }


def _template(name: str) -> dict[str, Any]:
    template = {"index_patterns": [name], "template": {}, "data_stream": {}}
    return {"index_templates": [{"name": name, "index_template": template}]}


def _policy(name: str) -> dict[str, Any]:
    return {name: {"version": 1, "policy": {"phases": {}}}}


def _data_stream(name: str) -> dict[str, Any]:
    return {"data_streams": [{"name": name, "indices": [], "status": "GREEN"}]}
