"""Every kind of request ends in one record, with the right route and the real status."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse
from opentelemetry import baggage, trace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from watchkeeper import Settings, SpanKind, instrument
from watchkeeper.conventions import database, http
from watchkeeper.instrument.calls import client_span
from watchkeeper.instrument.middleware import RequestMiddleware
from watchkeeper.model import StatusCode
from watchkeeper.testing import Captured, capture

pytestmark = pytest.mark.anyio
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def service() -> FastAPI:
    app = FastAPI()
    router = APIRouter(prefix="/jobs")

    @router.get("/{job_id}")
    async def job(job_id: str) -> dict[str, str]:
        return {"trace": f"{trace.get_current_span().get_span_context().trace_id:032x}"}

    @router.post("/")
    def create() -> str:
        raise HTTPException(409)

    app.include_router(router, prefix="/api")

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("the secret is password=hunter2")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        return StreamingResponse(chunks())

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> str:
        tasks.add_task(fail)
        return "ok"

    def fail() -> None:
        raise RuntimeError("in the background")

    shop = FastAPI()

    @shop.get("/orders/{order_id}")
    async def order(order_id: int) -> int:
        return order_id

    app.mount("/shops/{shop}", shop)

    @app.websocket("/live/{room}")
    async def live(socket: WebSocket, room: str) -> None:
        await socket.accept()
        await socket.send_text(room)
        await socket.close()

    return app


async def ask(app: Any, path: str, method: str = "GET", **options: Any) -> httpx2.Response:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://door") as client:
        return await client.request(method, path, **options)


@pytest.mark.parametrize(
    ("method", "path", "endpoint", "status"),
    [
        ("GET", "/api/jobs/42", "/api/jobs/{job_id}", "200"),
        ("POST", "/api/jobs/", "/api/jobs/", "409"),
        ("PUT", "/api/jobs/42", "/api/jobs/{job_id}", "405"),
        ("GET", "/broken", "/broken", "500"),
        ("GET", "/stream", "/stream", "200"),
        ("GET", "/nowhere/at/all", "unmatched", "404"),
        ("GET", "/shops/tea/orders/7", "/shops/{shop}/orders/{order_id}", "200"),
        ("GET", "/shops/tea/orders/x", "/shops/{shop}/orders/{order_id}", "422"),
        ("GET", "/shops/tea/nothing", "unmatched", "404"),
        ("BREW", "/nowhere", "unmatched", "404"),
    ],
)
async def test_a_request_counts_under_its_route_and_status(
    seen: Captured, method: str, path: str, endpoint: str, status: str
) -> None:
    app = service()
    instrument(app, seen.telemetry)
    answer = await ask(app, path, method)
    assert str(answer.status_code) == status
    counted = "other" if method == "BREW" else method
    labels = {"method": counted, "endpoint": endpoint, "status_code": status}
    assert seen.value(http.REQUESTS, **labels) == 1
    assert seen.value(http.REQUEST_DURATION, method=counted, endpoint=endpoint) == 1
    assert seen.value(http.REQUESTS) == 1
    [span] = seen.spans
    assert span.name == f"{'HTTP' if method == 'BREW' else method} {endpoint}"
    assert span.kind is SpanKind.SERVER
    assert span.attributes["http.request.method"] == ("_OTHER" if method == "BREW" else method)
    assert span.attributes["http.response.status_code"] == int(status)
    assert (span.attributes["url.scheme"], span.attributes["url.path"]) == ("http", path)
    [line] = [line for line in seen.logs if line.logger == "watchkeeper.access"]
    assert line.attributes["status_code"] == int(status)
    assert line.trace_id == span.trace_id


async def test_the_callers_trace_is_continued(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    answer = await ask(app, "/api/jobs/1", headers={"traceparent": CALLER})
    assert answer.json() == {"trace": "0af7651916cd43dd8448eb211c80319c"}
    [span] = seen.spans
    assert span.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_span_id == "b7ad6b7169203331"


@pytest.mark.parametrize("header", ["", "00-0-0-01", "x" * 55, "00-" + "0" * 32 + "-" + "1" * 16])
async def test_a_broken_traceparent_begins_a_new_trace(seen: Captured, header: str) -> None:
    app = service()
    instrument(app, seen.telemetry)
    await ask(app, "/api/jobs/1", headers={"traceparent": header})
    [span] = seen.spans
    assert (span.trace_id, span.parent_span_id) == (f"{1:032x}", "")


async def test_the_callers_baggage_is_at_hand(seen: Captured) -> None:
    app = FastAPI()

    @app.get("/tenant")
    async def tenant() -> object:
        return baggage.get_baggage("tenant")

    instrument(app, seen.telemetry)
    answer = await ask(app, "/tenant", headers={"baggage": "tenant=tea", "traceparent": CALLER})
    assert answer.json() == "tea"
    assert seen.spans[0].parent_span_id == "b7ad6b7169203331"


async def test_headers_that_are_not_to_travel_are_not_read(door: SimpleNamespace) -> None:
    with capture(door.contract, Settings(propagators=())) as seen:
        app = FastAPI()

        @app.get("/")
        async def bags() -> dict[str, object]:
            return dict(baggage.get_all())

        instrument(app, seen.telemetry)
        answer = await ask(app, "/", headers={"traceparent": CALLER, "baggage": "shelf=B4"})
        assert answer.json() == {}
        assert seen.span("GET /").parent_span_id == ""


async def test_a_worker_without_an_api_shows_its_metrics_and_its_loops_lag(
    seen: Captured,
) -> None:
    app = seen.telemetry.metrics_app()
    answer = await ask(app, "/metrics")
    assert "ended_total" in answer.text
    await asyncio.sleep(0)
    assert "event_loop_lag_seconds 0" in (await ask(app, "/metrics")).text
    assert (await ask(app, "/other")).status_code == 404


async def test_a_scope_that_cannot_be_read_still_reaches_the_app(seen: Captured) -> None:
    seen.telemetry.faults.loud = False
    reached: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    scope = {"type": "http", "path": "/x", "method": "GET", "headers": None}
    await RequestMiddleware(app, seen.telemetry)(scope, None, None)  # type: ignore[arg-type] # unused
    assert reached == ["/x"]
    assert seen.telemetry.faults.seen == {"middleware": 1}


async def test_an_exception_that_escapes_is_recorded_and_redacted(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    await ask(app, "/broken")
    [span] = seen.spans
    assert span.status is StatusCode.ERROR
    assert span.attributes["error.type"] == "ValueError"
    [event] = span.events
    assert event.attributes["exception.message"] == "the secret is password=[password]"
    assert "in broken" in str(event.attributes["exception.stacktrace"])


async def test_an_exception_that_the_server_logs_keeps_its_trace(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://door"
    ) as client:
        try:
            await client.get("/broken")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    line = seen.log("Exception in ASGI application")
    assert line.trace_id == seen.spans[0].trace_id
    assert line.span_id == seen.spans[0].span_id


async def test_a_background_task_that_fails_does_not_change_the_answer(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    await ask(app, "/later")
    assert seen.value(http.REQUESTS, endpoint="/later", status_code="200") == 1
    assert seen.value(http.REQUESTS, status_code="500") == 0
    request, task = sorted(seen.spans, key=lambda span: span.kind is not SpanKind.SERVER)
    assert request.status is StatusCode.UNSET
    assert task.name == "background service.<locals>.fail"
    assert task.status is StatusCode.ERROR
    assert task.trace_id != request.trace_id
    assert task.parent_span_id == ""
    [link] = task.links
    assert (link.trace_id, link.span_id) == (request.trace_id, request.span_id)


async def test_a_background_task_is_not_time_that_somebody_waited(
    seen: Captured, door: SimpleNamespace
) -> None:
    app = FastAPI()

    async def tell(name: str) -> None:
        with seen.telemetry.span(door.work):
            seen.clock.advance(60)

    @app.get("/later")
    async def later(tasks: BackgroundTasks) -> None:
        tasks.add_task(tell, "jane")
        tasks.add_task(tell, "joe")
        seen.clock.advance(1)

    instrument(app, seen.telemetry)
    await ask(app, "/later")
    assert [(span.name.split(".")[-1], span.end_ns - span.start_ns) for span in seen.spans] == [
        ("GET /later", 1_000_000_000),
        ("work", 60_000_000_000),
        ("tell", 60_000_000_000),
        ("work", 60_000_000_000),
        ("tell", 60_000_000_000),
    ]
    assert seen.spans[1].parent_span_id == seen.spans[2].span_id
    assert seen.spans[2].attributes["code.function.name"].startswith(f"{__name__}.")  # type: ignore[union-attr] # a text
    assert "jane" not in repr(seen.spans)


async def test_a_background_task_of_a_request_that_is_not_recorded_is_not_either(
    door: SimpleNamespace,
) -> None:
    with capture(door.contract, Settings(sampler="always_off")) as seen:
        app = service()
        instrument(app, seen.telemetry)
        await ask(app, "/later")
        assert seen.spans == []


async def test_without_a_lifespan_the_servers_lines_are_ours_too(
    door: SimpleNamespace, tmp_path: Path
) -> None:
    server = logging.getLogger("uvicorn.access")
    server.addHandler(logging.StreamHandler())
    app = service()
    telemetry = instrument(
        app, door.contract, Settings(log=str(tmp_path / "log"), background=False)
    )
    await ask(app, "/stream")
    telemetry.stop()
    assert not server.hasHandlers()
    assert '"logger":"watchkeeper.access"' in (tmp_path / "log").read_text()


async def test_a_client_that_leaves_before_the_answer_counts_as_499(seen: Captured) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise asyncio.CancelledError

    middleware = RequestMiddleware(app, seen.telemetry)
    scope = {"type": "http", "method": "GET", "path": "/slow", "headers": []}
    with pytest.raises(asyncio.CancelledError):
        await middleware(scope, gone, None)  # type: ignore[arg-type] # never sends
    assert seen.value(http.REQUESTS, status_code="499") == 1
    assert seen.spans[0].attributes["error.type"] == "client_disconnected"


@pytest.mark.parametrize(("left", "expected"), [(True, "499"), (False, "500")])
async def test_a_request_that_the_server_cancels_is_an_error_unless_the_client_left(
    seen: Captured, left: bool, expected: str
) -> None:
    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Future()
        return {"type": "http.disconnect"}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    middleware = RequestMiddleware(app, seen.telemetry)
    scope = {"type": "http", "method": "GET", "path": "/slow", "headers": []}
    with pytest.raises(asyncio.CancelledError):
        await middleware(scope, receive, None)  # type: ignore[arg-type] # never sends
    assert seen.value(http.REQUESTS, status_code=expected) == 1


async def test_an_error_of_ours_is_one_though_the_client_has_left(seen: Captured) -> None:
    async def wait_and_break(request: Request) -> None:
        assert await request.is_disconnected()
        raise ValueError("ours")

    app = Starlette(routes=[Route("/wait", wait_and_break)])
    instrument(app, seen.telemetry)

    async def left() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {"type": "http", "path": "/wait", "method": "GET", "headers": []}
    with pytest.raises(ValueError, match="ours"):
        await app(scope, left, send)  # type: ignore[arg-type] # a bare scope
    [span] = seen.spans
    assert span.attributes["http.response.status_code"] == 500
    assert span.attributes["error.type"] == "ValueError"
    assert span.events[0].attributes["exception.message"] == "ours"


async def test_a_stream_that_breaks_off_keeps_the_status_it_sent(seen: Captured) -> None:
    app = FastAPI()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"
            raise OSError("disk")

        return StreamingResponse(chunks())

    instrument(app, seen.telemetry)
    await ask(app, "/stream")
    assert seen.value(http.REQUESTS, endpoint="/stream", status_code="200") == 1
    [span] = seen.spans
    assert span.status is StatusCode.ERROR
    assert span.attributes["error.type"] == "OSError"


async def test_a_file_that_the_server_sends_by_its_path_is_a_whole_answer(seen: Captured) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "/x"})

    async def send(message: Any) -> None:
        pass

    scope = {"type": "http", "path": "/file", "method": "GET", "headers": []}
    await RequestMiddleware(app, seen.telemetry)(scope, None, send)  # type: ignore[arg-type] # unused
    assert "error.type" not in seen.spans[0].attributes
    assert seen.value(http.REQUESTS, status_code="200") == 1


async def test_a_websocket_is_a_span_from_connect_to_close(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket", "path": "/live/kitchen", "headers": [], "query_string": b"",
        "subprotocols": [],
    }  # fmt: skip
    await app(scope, receive, send)  # type: ignore[arg-type] # a bare scope
    assert [message["type"] for message in sent] == [
        "websocket.accept", "websocket.send", "websocket.close",
    ]  # fmt: skip
    [span] = seen.spans
    assert span.attributes["http.route"] == "/live/{room}"
    assert seen.value(http.REQUESTS, endpoint="/live/{room}", status_code="101") == 1
    assert seen.value(http.REQUEST_DURATION) == 0


async def test_starlette_routes_and_mounts_are_known_by_their_templates(seen: Captured) -> None:
    async def page(request: Any) -> PlainTextResponse:
        return PlainTextResponse("page")

    app = Starlette(
        routes=[
            Route("/users/{user}", page),
            Mount("/static", page_app),
            Mount("/admin", routes=[Route("/logs/{day}", page)]),
        ]
    )
    instrument(app, seen.telemetry)
    for path in ("/users/7", "/static/site.css", "/admin/logs/monday", "/admin/none", "/none"):
        await ask(app, path)
    assert [span.name for span in seen.spans] == [
        "GET /users/{user}",
        "GET /static",
        "GET /admin/logs/{day}",
        "GET unmatched",
        "GET unmatched",
    ]


async def page_app(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("file")(scope, receive, send)


async def test_metrics_are_answered_and_not_counted(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    answer = await ask(app, "/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert answer.headers["content-encoding"] == "gzip"
    assert seen.value(http.REQUESTS) == 0
    assert (await ask(app, "/metrics", "POST")).status_code == 405


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("deflate, gzip;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("*, gzip;q=0", None),
        ("gzipped", None),
        ("identity", None),
    ],
)
async def test_metrics_are_compressed_for_those_who_take_it(
    seen: Captured, accepted: str, encoding: str | None
) -> None:
    app = service()
    instrument(app, seen.telemetry)
    answer = await ask(app, "/metrics", headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert "# TYPE ended_total counter" in answer.text


async def test_fastapis_own_telemetry_is_silent(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    await ask(app, "/shops/tea/orders/7")
    assert len(seen.spans) == 1


async def test_a_contract_is_enough(seen: Captured) -> None:
    app = service()
    contract = seen.telemetry.contract
    telemetry = instrument(app, contract)
    assert telemetry.contract is contract
    assert isinstance(app, FastAPI)


async def test_an_app_is_watched_once(seen: Captured) -> None:
    app = service()
    instrument(app, seen.telemetry)
    assert instrument(app, seen.telemetry.contract) is seen.telemetry
    await ask(app, "/api/jobs/1")
    assert seen.value(http.REQUESTS) == 1


async def test_a_disabled_telemetry_leaves_the_app_alone(seen: Captured) -> None:
    from watchkeeper import Telemetry

    app = service()
    telemetry = instrument(app, Telemetry(seen.telemetry.contract, Settings(disabled=True)))
    assert (await ask(app, "/api/jobs/1")).status_code == 200
    assert telemetry.registry.find(http.REQUESTS) is not None
    assert (await ask(app, "/metrics")).status_code == 404


async def test_health_checks_are_counted_and_otherwise_quiet(
    seen: Captured, door: SimpleNamespace
) -> None:
    app = FastAPI()

    @app.get("/health/live")
    async def live() -> str:
        with seen.telemetry.span(door.work):
            return "ok"

    instrument(app, seen.telemetry)
    await ask(app, "/health/live", headers={"traceparent": CALLER})
    assert seen.value(http.REQUESTS, endpoint="/health/live", status_code="200") == 1
    assert seen.spans == []
    assert not any(line.logger == "watchkeeper.access" for line in seen.logs)


async def test_a_service_may_choose_what_is_quiet(door: SimpleNamespace) -> None:
    with capture(door.contract, Settings(quiet_paths=("/ping",))) as seen:
        app = FastAPI()
        instrument(app, seen.telemetry)
        await ask(app, "/ping")
        await ask(app, "/health")
        assert [span.attributes["url.path"] for span in seen.spans] == ["/health"]


@pytest.mark.parametrize("status", [400, 401, 404, 429])
async def test_what_the_caller_did_wrong_is_no_error_of_the_span(
    seen: Captured, status: int
) -> None:
    app = FastAPI()

    @app.get("/refused")
    async def refused() -> None:
        raise HTTPException(status)

    instrument(app, seen.telemetry)
    await ask(app, "/refused")
    [span] = seen.spans
    assert (span.status, span.events) == (StatusCode.UNSET, ())
    assert "error.type" not in span.attributes


async def test_what_a_request_started_goes_on_in_its_trace_after_the_span_ended(
    seen: Captured, door: SimpleNamespace
) -> None:
    app = FastAPI()
    started: list[asyncio.Task[bool]] = []
    answered = asyncio.Event()

    async def go_on() -> bool:
        await answered.wait()
        with client_span(seen.telemetry, database.QUERY_SPAN, name="SELECT"):
            pass
        request = trace.get_current_span()
        request.set_attribute("late", True)
        return request.is_recording()

    @app.get("/start")
    async def start() -> None:
        started.append(asyncio.create_task(go_on()))

    instrument(app, seen.telemetry)
    await ask(app, "/start")
    answered.set()
    assert await started[0] is False
    request, query = seen.spans
    assert query.parent_span_id == request.span_id
    assert "late" not in request.attributes


async def test_the_server_hears_of_the_end_when_all_is_sent(door: SimpleNamespace) -> None:
    app = FastAPI()
    telemetry = instrument(app, door.contract, Settings(log="off", background=False))
    arrived = iter(["lifespan.startup", "lifespan.shutdown"])
    heard: list[tuple[str, bool]] = []

    async def receive() -> dict[str, str]:
        return {"type": next(arrived)}

    async def send(message: Any) -> None:
        heard.append((message["type"], telemetry.started))

    await app({"type": "lifespan", "app": app, "state": {}}, receive, send)
    assert heard == [("lifespan.startup.complete", True), ("lifespan.shutdown.complete", False)]
