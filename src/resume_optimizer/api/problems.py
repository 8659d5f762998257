"""Problems: whatever goes wrong becomes one shape of answer, with a code and a trace id.

Programs get `{"error": {"code", "message", "trace_id"}}`, browsers a page of the same. Never a
traceback: that goes to the log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from opentelemetry.trace import get_current_span
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from resume_optimizer.api.site import Site, retry_headers
from resume_optimizer.failures import Failure
from resume_optimizer.outages import failure_of
from resume_optimizer.telemetry import REQUEST_FAILED

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from watchkeeper import Telemetry

CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
TRACE_HEADER = "trace-id"

logger = logging.getLogger(__name__)


class ProblemMiddleware:
    """Turns exceptions that leave the application into answers, inside the request's span."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, or say what went wrong."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            if started:
                raise
            response = answer(Request(scope, receive), error, self._telemetry)
            await response(scope, receive, send)


def answer(request: Request, error: Exception, telemetry: Telemetry) -> Response:
    """Return the answer for an exception, and write it to the log."""
    failure = translate(error)
    if failure.code == "internal_error":
        get_current_span().record_exception(error)
        logger.error("a request failed for a fault of the program", exc_info=error)
    else:
        telemetry.log(REQUEST_FAILED, code=failure.code, status_code=failure.status)
    headers = {"cache-control": "no-store", **retry_headers(failure)}
    if failure.status == 401:
        headers["www-authenticate"] = "Bearer"
    if wants_page(request):
        return _page(request, failure, headers)
    return JSONResponse(
        problem(failure, telemetry.trace_id()), status_code=failure.status, headers=headers
    )


def problem(failure: Failure, trace_id: str) -> dict[str, dict[str, str]]:
    """Return the JSON shape of a failure."""
    return {"error": {"code": failure.code, "message": failure.message, "trace_id": trace_id}}


def translate(error: Exception) -> Failure:
    """Return the failure that people may see of an exception."""
    if isinstance(error, RequestValidationError):
        return Failure("request_invalid", _first_fault(error))
    if isinstance(error, HTTPException):
        return Failure(CODE_OF_STATUS.get(error.status_code, "request_invalid"))
    return failure_of(error) or Failure("internal_error")


def wants_page(request: Request) -> bool:
    """Whether a person with a browser asks."""
    if request.url.path.startswith(("/api/", "/health", "/metrics")):
        return False
    return "text/html" in request.headers.get("accept", "")


def _page(request: Request, failure: Failure, headers: dict[str, str]) -> Response:
    if failure.code == "not_logged_in":
        return RedirectResponse("/login", status_code=303, headers=headers)
    site: Site = request.app.state.site
    page = site.page(request, "problem.html", None, failure=failure)
    page.headers.update(headers)
    return page


def _first_fault(error: RequestValidationError) -> str:
    fault = error.errors()[0]
    place = ".".join(str(part) for part in fault["loc"] if part != "body")
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])
