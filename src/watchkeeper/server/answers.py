"""Answers and refusals: what every protocol shares before it words them its own way."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.errors import (
    ConfigError,
    DecodeError,
    OverloadError,
    QueryError,
    QueryLimitError,
    QuerySyntaxError,
    StorageError,
    StoreFullError,
)

LOGGER = logging.getLogger(__name__)

_NOT_FOUND = 404

Endpoint = Callable[[Request], Awaitable[Response]]


class Refusal(HTTPException):
    """A request that is answered with an error: its status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way to a caller, in no protocol's words yet."""

    status: int
    code: str
    message: str
    retry_after_seconds: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it, whatever the protocol."""
        if self.retry_after_seconds is None:
            return {}
        return {"retry-after": str(max(1, round(self.retry_after_seconds)))}


_STATUS_BY_ERROR: tuple[tuple[type[Exception], int, str], ...] = (
    (QuerySyntaxError, 400, "bad_query"),
    (QueryLimitError, 422, "too_expensive"),
    (QueryError, 422, "unanswerable"),
    (DecodeError, 400, "undecodable"),
    (ConfigError, 400, "bad_config"),
    (StoreFullError, 507, "store_full"),
    (StorageError, 500, "storage"),
)


def failure_of(error: Exception) -> Failure:
    """Return what a caller may know about an error. What nobody expected is logged, not told."""
    if isinstance(error, Refusal):
        return Failure(error.status_code, error.code, error.detail)
    if isinstance(error, HTTPException):
        return Failure(error.status_code, "http", error.detail)
    if isinstance(error, OverloadError):
        return Failure(503, "overload", str(error), error.retry_after_seconds)
    for kind, status, code in _STATUS_BY_ERROR:
        if isinstance(error, kind):
            return Failure(status, code, str(error))
    LOGGER.error("a request failed unexpectedly", exc_info=error)
    return Failure(500, "internal", "something went wrong inside the backend; its log says what")


def answering(word: Callable[[Failure], Response]) -> Callable[[Endpoint], Endpoint]:
    """Decorate an endpoint so that whatever it raises is answered in its protocol's words."""

    def decorate(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Exception as error:  # noqa: BLE001 - the edge: failure_of logs what is unexpected
                return word(failure_of(error))

        return answer

    return decorate


def unrouted(word: Callable[[Failure], Response]) -> dict[Any, Any]:
    """Return the exception handlers of an application whose unknown paths, and methods that a
    path does not take, are answered in its protocol's words."""

    async def answer(request: Request, error: HTTPException) -> Response:
        path = request.url.path
        if error.status_code == _NOT_FOUND:
            return word(Failure(_NOT_FOUND, "not_found", f"{path} is not part of this API"))
        response = word(
            Failure(error.status_code, "http", f"{path} does not take {request.method}")
        )
        response.headers.update(error.headers or {})
        if "allow" in response.headers:
            # Starlette lists methods in the order of a set, which changes from start to start.
            methods = response.headers["allow"].split(", ")
            response.headers["allow"] = ", ".join(sorted(methods))
        return response

    return {HTTPException: answer}


def json_answer(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return `content` as a JSON response."""
    return Response(orjson.dumps(content), status, headers, "application/json")


def error_answer(failure: Failure) -> Response:
    """Return a failure in the page's words: {"error": {"code", "message"}}."""
    return json_answer(
        {"error": {"code": failure.code, "message": failure.message}},
        failure.status,
        failure.headers,
    )
