import logging

import orjson
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.errors import OverloadError, QuerySyntaxError, StoreFullError
from watchkeeper.server.answers import Refusal, answering, error_answer, failure_of, unrouted


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (QuerySyntaxError("unexpected end"), 400, "bad_query"),
        (StoreFullError("no room"), 507, "store_full"),
        (OverloadError("slow down"), 503, "overload"),
        (Refusal(404, "no_such_trace", "gone"), 404, "no_such_trace"),
        (HTTPException(405), 405, "http"),
    ],
)
def test_an_error_of_the_tree_has_its_status_and_code(
    error: Exception, status: int, code: str
) -> None:
    failure = failure_of(error)
    assert (failure.status, failure.code) == (status, code)


def test_an_overload_says_when_to_try_again() -> None:
    answer = error_answer(failure_of(OverloadError("full", retry_after_seconds=7)))
    assert answer.headers["retry-after"] == "7"


@pytest.mark.anyio
async def test_what_nobody_expected_is_logged_and_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @answering(error_answer)
    async def broken(request: Request) -> Response:
        raise RuntimeError("password=hunter2")

    with caplog.at_level(logging.ERROR):
        answer = await broken(Request({"type": "http"}))
    assert answer.status_code == 500
    assert orjson.loads(bytes(answer.body))["error"]["code"] == "internal"
    assert b"hunter2" not in bytes(answer.body)
    assert "RuntimeError" in caplog.text


@pytest.mark.anyio
async def test_the_methods_that_a_path_takes_are_listed_in_one_order() -> None:
    answer = unrouted(error_answer)[HTTPException]
    request = Request({"type": "http", "method": "PUT", "path": "/api", "headers": []})
    response = await answer(request, HTTPException(405, headers={"Allow": "POST, GET, HEAD"}))
    assert response.headers["allow"] == "GET, HEAD, POST"
