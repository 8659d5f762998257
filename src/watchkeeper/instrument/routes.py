"""The route template of a request: `/jobs/{job_id}`, whatever was asked for.

FastAPI keeps the template under a router prefix in `scope["fastapi"]["effective_route_context"]`
(of a websocket or a plain route, in that one's `starlette_route`) and Starlette the route in
`scope["route"]`; a mount lengthens `root_path`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.conventions.http import UNMATCHED

Scope = Mapping[str, Any]


def route_template(scope: Scope, outer_root_path: str) -> str:
    """Return the template of the route that took the request, or `unmatched`.

    `scope` is as the app left it; `outer_root_path` is its root path before the app saw it.
    """
    root_path = scope.get("root_path", "")
    prefix = "" if root_path == outer_root_path else _mount_prefix(scope, outer_root_path)
    fastapi = scope.get("fastapi")
    route = fastapi.get("effective_route_context") if isinstance(fastapi, dict) else None
    if route is not None:
        if not route.path:
            route = getattr(route, "starlette_route", None) or route
        elif not hasattr(route, "routes"):
            return f"{prefix}{route.path}"
    if route is None or hasattr(route, "routes"):
        route = scope.get("route")
    path = getattr(route, "path", None)
    if path is None or hasattr(route, "routes"):
        return _unrouted(scope, prefix)
    return f"{prefix}{path}" or "/"


def _unrouted(scope: Scope, prefix: str) -> str:
    """Return the plain route of a FastAPI app, which tells of its endpoint alone, or the mount
    that took the request, unless its own router found nothing."""
    endpoint = scope.get("endpoint")
    if endpoint is None or hasattr(endpoint, "routes"):
        return UNMATCHED
    for route in getattr(scope.get("app"), "routes", ()):
        if getattr(route, "endpoint", None) is endpoint:
            return f"{prefix}{route.path}"
    return prefix or UNMATCHED


def _mount_prefix(scope: Scope, outer_root_path: str) -> str:
    prefix = str(scope.get("root_path", ""))[len(outer_root_path) :]
    parameters = scope.get("path_params")
    if not prefix or not parameters:
        return prefix
    names = {str(value): name for name, value in parameters.items()}
    return "/".join([f"{{{names[part]}}}" if part in names else part for part in prefix.split("/")])
