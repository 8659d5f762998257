"""The page: static files with a strict policy, and a plain word where they were not built."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
NOT_BUILT = (
    "The page is not built: this installation holds no static files.\n"
    "Everything it would show is answered under /api, /prometheus, /jaeger and /alertmanager.\n"
)
KEEP_A_YEAR = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


class Page(StaticFiles):
    """Serves the page's files; a place inside the page (`/logs`) is answered with the page.

    Files under assets/ have a digest of their contents in their names: browsers may keep them.
    """

    def __init__(self, directory: Path = STATIC) -> None:
        super().__init__(directory=directory, check_dir=False)

    async def check_config(self) -> None:
        """Accept that nothing is there yet: `get_response` says so."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        is_place = "." not in Path(path).name
        try:
            response = await super().get_response("index.html" if is_place else path, scope)
        except HTTPException as error:
            if error.status_code != HTTPStatus.NOT_FOUND:
                return PlainTextResponse(f"{error.detail}\n", error.status_code)
            if is_place:
                return PlainTextResponse(NOT_BUILT, HTTPStatus.SERVICE_UNAVAILABLE)
            return PlainTextResponse("There is no such file.\n", HTTPStatus.NOT_FOUND)
        is_hashed = path.startswith("assets/")
        response.headers["cache-control"] = KEEP_A_YEAR if is_hashed else ASK_AGAIN
        return response
