"""The routes of a FastAPI application, found in its decorators and include_router calls."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watchkeeper.scaffold.sources import SourceFile

METHODS = frozenset(("get", "post", "put", "patch", "delete", "head", "options"))
MOST_ROUTERS_DEEP = 20


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A route template and the method that it takes."""

    path: str
    method: str


@dataclass(frozen=True, slots=True)
class Application:
    """Where a FastAPI object is made, and the title that it was given."""

    source: SourceFile
    variable: str
    title: str


def applications(files: Sequence[SourceFile]) -> list[Application]:
    """Return the FastAPI objects of a project, in the order of its files."""
    return [
        Application(file, variable, _text(call, "title"))
        for file in files
        for variable, kind, call in _constructed(file)
        if kind == "FastAPI"
    ]


def endpoints(files: Sequence[SourceFile]) -> list[Endpoint]:
    """Return every route with the prefixes of the routers that lead to it."""
    prefixes = _prefixes(files)
    found: set[Endpoint] = set()
    for file in files:
        for router, method, path in _routes(file):
            place = _place(router, file)
            for prefix in prefixes.get(place, {""}):
                found.add(Endpoint(f"{prefix}{path}" or "/", method))
    return sorted(found)


def _prefixes(files: Sequence[SourceFile]) -> dict[str, set[str]]:
    """Return, by dotted name of an application or router, the paths that lead to its routes."""
    own: dict[str, str] = {}
    included: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for file in files:
        for variable, kind, call in _constructed(file):
            own[f"{file.module}.{variable}"] = _text(call, "prefix") if kind != "FastAPI" else ""
        for call in _calls(file, "include_router"):
            if isinstance(call.func, ast.Attribute) and call.args:
                parent = _place(call.func.value, file)
                child = _place(call.args[0], file)
                included[child].append((parent, _text(call, "prefix")))
    return {place: set(_paths(place, own, included, MOST_ROUTERS_DEEP)) for place in own}


def _paths(
    place: str, own: dict[str, str], included: dict[str, list[tuple[str, str]]], depth: int
) -> Iterator[str]:
    if place not in included or not depth:
        yield own.get(place, "")
        return
    for parent, prefix in included[place]:
        for above in _paths(parent, own, included, depth - 1):
            yield f"{above}{prefix}{own.get(place, '')}"


def _constructed(file: SourceFile) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield variables that hold a FastAPI or APIRouter object."""
    for node in file.nodes:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=variable)], value=ast.Call() as call)
                | ast.AnnAssign(target=ast.Name(id=variable), value=ast.Call() as call)
            ):
                kind = _last(call.func)
                if kind in ("FastAPI", "APIRouter"):
                    yield variable, kind, call


def _routes(file: SourceFile) -> Iterator[tuple[ast.expr, str, str]]:
    """Yield the router, method and path of each decorator and add_api_route call."""
    for node in file.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                yield from _decorated(decorator)
    for call in _calls(file, "add_api_route"):
        if isinstance(call.func, ast.Attribute):
            for method in _methods(call, ("GET",)):
                yield call.func.value, method, _path(call)


def _decorated(decorator: ast.expr) -> Iterator[tuple[ast.expr, str, str]]:
    match decorator:
        case ast.Call(func=ast.Attribute(value=router, attr=name)) as call:
            if name in METHODS and _is_path(call):
                yield router, name.upper(), _path(call)
            elif name in ("api_route", "route"):
                for method in _methods(call, ("GET",)):
                    yield router, method, _path(call)


def _calls(file: SourceFile, name: str) -> Iterator[ast.Call]:
    for node in file.nodes:
        if isinstance(node, ast.Call) and _last(node.func) == name:
            yield node


def _is_path(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and str(first.value)[:1] in ("/", "")


def _path(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return _text(call, "path")


def _methods(call: ast.Call, default: tuple[str, ...]) -> tuple[str, ...]:
    for keyword in call.keywords:
        if keyword.arg == "methods" and isinstance(keyword.value, ast.List | ast.Tuple | ast.Set):
            values = [one.value for one in keyword.value.elts if isinstance(one, ast.Constant)]
            return tuple(str(value).upper() for value in values)
    return default


def _text(call: ast.Call, name: str) -> str:
    for keyword in call.keywords:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _place(node: ast.expr, file: SourceFile) -> str:
    """Return the dotted name of an expression such as `router` or `orders.router`."""
    match node:
        case ast.Name(id=name):
            return file.imported.get(name, f"{file.module}.{name}")
        case ast.Attribute(value=inner, attr=name):
            return f"{_place(inner, file)}.{name}"
    return ""
