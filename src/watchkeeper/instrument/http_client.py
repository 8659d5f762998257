"""httpx2 and httpx, watched: a span and a duration a request; the trace goes with it.

A redirect that the client follows is part of the request that led to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from opentelemetry import trace

from watchkeeper.conventions import http_client
from watchkeeper.conventions.http import METHOD
from watchkeeper.instrument.calls import client_span
from watchkeeper.instrument.telemetry import Telemetry

Client = TypeVar("Client")

_PORTS = {"http": 80, "https": 443}


def watch_client(telemetry: Telemetry, client: Client) -> Client:
    """Return the same client of httpx2 or httpx, asynchronous or not, its requests watched and
    sent on with `traceparent`.

    An answer of 400 or more makes the client's span an error, as the semantic conventions have
    it. A duration ends with the answer's body, or with its head if it is streamed.
    """
    watched: Any = client
    send = watched.send
    calls = Calls(telemetry)
    if inspect.iscoroutinefunction(send):

        async def watched_async(request: Any, **options: Any) -> Any:
            with calls.watch(request) as call:
                response = await send(request, **options)
                call.answered(response.status_code)
                return response

        watched.send = watched_async
        return client

    def watched_send(request: Any, **options: Any) -> Any:
        with calls.watch(request) as call:
            response = send(request, **options)
            call.answered(response.status_code)
            return response

    watched.send = watched_send
    return client


class Call:
    """One request under way."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.status = http_client.NO_ANSWER

    def answered(self, status_code: int) -> None:
        """Tell what the other side answered."""
        self.status = str(status_code)
        self._span.set_attribute("http.response.status_code", status_code)
        if status_code >= 400:
            self._span.set_attribute("error.type", self.status)
            self._span.set_status(trace.StatusCode.ERROR)


class Calls:
    """Times requests and makes their spans."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._timed = telemetry.declares(http_client.REQUEST_DURATION)

    @contextmanager
    def watch(self, request: Any) -> Iterator[Call]:
        """Watch what happens inside as the sending of `request`."""
        telemetry = self._telemetry
        url = request.url
        known = request.method in METHOD.values
        attributes: dict[str, Any] = {
            "http.request.method": request.method,
            "server.address": url.host,
            "server.port": url.port or _PORTS.get(url.scheme),
            # Queries and logins may hold secrets.
            "url.full": f"{url.scheme}://{url.host}{_port(url)}{url.path}",
        }
        started_ns = telemetry.clock.monotonic_ns()
        call = None
        try:
            with client_span(
                telemetry,
                http_client.REQUEST_SPAN,
                name=request.method if known else "HTTP",
                **attributes,
            ) as span:
                request.headers.update(telemetry.inject())
                call = Call(span)
                yield call
        finally:
            if self._timed:
                seconds = (telemetry.clock.monotonic_ns() - started_ns) / 1e9
                telemetry.histogram(http_client.REQUEST_DURATION).observe(
                    seconds,
                    method=request.method,
                    host=url.host,
                    status_code=call.status if call is not None else http_client.NO_ANSWER,
                )


def _port(url: Any) -> str:
    return f":{url.port}" if url.port else ""
