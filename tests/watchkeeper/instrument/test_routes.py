"""The template is that of the route which took the request, wherever that was declared."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from watchkeeper.instrument.routes import route_template

pytestmark = pytest.mark.anyio


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse("plain")


def shop() -> FastAPI:
    app = FastAPI()
    orders = APIRouter(prefix="/orders")

    @app.get("/direct/{item}")
    async def direct(item: str) -> str:
        return item

    @orders.get("/{order}")
    async def order(order: str) -> str:
        return order

    @app.websocket("/live/{item}")
    async def live(websocket: WebSocket, item: str) -> None:
        await websocket.accept()

    app.include_router(orders)
    return app


def service() -> FastAPI:
    app = FastAPI()
    inner = APIRouter(prefix="/inner/{x}")
    outer = APIRouter(prefix="/outer")

    @inner.get("")
    async def root(x: str) -> str:
        return x

    @inner.websocket("/live/{y}")
    async def live(websocket: WebSocket, x: str, y: str) -> None:
        await websocket.accept()

    inner.mount("/shops/{shop}", shop())
    inner.add_route("/plain/{z}", plain)
    outer.include_router(inner)
    app.include_router(outer, prefix="/v1")
    app.mount("/shops/{shop}", shop())
    app.mount("/deep", Starlette(routes=[Mount("/er", routes=[Route("/{k}", plain)])]))
    app.add_route("/plain/{z}", plain)
    app.host("shop.example.org", Starlette(routes=[Route("/hosted/{y}", plain)]))
    return app


@pytest.mark.parametrize("behind", ["", "/proxy"])
@pytest.mark.parametrize(
    ("kind", "path", "template"),
    [
        ("http", "/v1/outer/inner/1", "/v1/outer/inner/{x}"),
        ("websocket", "/v1/outer/inner/1/live/2", "/v1/outer/inner/{x}/live/{y}"),
        ("http", "/v1/outer/plain/2", "/v1/outer/plain/{z}"),
        ("http", "/v1/outer/shops/tea/direct/2", "/v1/outer/shops/{shop}/direct/{item}"),
        ("http", "/v1/outer/shops/tea/orders/2", "/v1/outer/shops/{shop}/orders/{order}"),
        ("websocket", "/v1/outer/shops/tea/live/2", "/v1/outer/shops/{shop}/live/{item}"),
        ("http", "/v1/outer/shops/tea/nothing", "unmatched"),
        ("http", "/shops/tea/direct/2", "/shops/{shop}/direct/{item}"),
        ("http", "/shops/tea/orders/2", "/shops/{shop}/orders/{order}"),
        ("http", "/shops/tea/docs", "/shops/{shop}/docs"),
        ("http", "/deep/er/2", "/deep/er/{k}"),
        ("http", "/deep/nothing", "unmatched"),
        ("http", "/plain/2", "/plain/{z}"),
        ("http", "/docs", "/docs"),
        ("http", "/hosted/2", "/hosted/{y}"),
        ("http", "/nothing", "unmatched"),
        ("websocket", "/nothing", "unmatched"),
    ],
)
async def test_a_route_is_known_by_its_whole_template(
    behind: str, kind: str, path: str, template: str
) -> None:
    scope: dict[str, Any] = {
        "type": kind,
        "path": behind + path,
        "root_path": behind,
        "headers": [(b"host", b"shop.example.org" if "hosted" in path else b"door")],
        "query_string": b"",
        "scheme": "http",
        "method": "GET",
        "subprotocols": [],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect" if kind == "websocket" else "http.request"}

    async def send(message: Any) -> None:
        pass

    await service()(scope, receive, send)
    assert route_template(scope, behind) == template
