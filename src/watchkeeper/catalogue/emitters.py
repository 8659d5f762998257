"""Who emits a signal: the modules whose functions name its declaration.

Found statically. A declaration is a constant of a module (`ORDERS = Counter(name=...)`); a module
emits it that has a function which mentions the constant (`.counter(ORDERS)`, `.span(WORK)`,
`.log(DONE)`), under whatever name it was imported. Of what a convention declares and no function
mentions, the middleware itself takes care.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

DECLARATIONS = frozenset(("Counter", "Gauge", "Histogram", "Summary", "Span", "LogEvent"))
OWN_PACKAGES = ("watchkeeper.conventions", "watchkeeper.instrument")
MOST_IMPORTS = 20
"""How many modules a name may be handed through."""

Emitters = dict[str, tuple[str, ...]]
"""Names of modules by the name of the signal that they emit."""


def emitters_in(package: str) -> Emitters:
    """Return who emits what in a package, and in the instruments of Watchkeeper itself.

    `package` is its importable name; one that cannot be found has no emitters.
    """
    modules = _own_modules()
    if package not in OWN_PACKAGES:
        modules += tuple(_modules(package))
    signals = {place: signal for module in modules for place, signal in module.declared}
    aliases = {place: target for module in modules for place, target in module.aliases}
    found: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        if module.name.startswith(OWN_PACKAGES[0]):
            continue
        for place in module.mentioned:
            signal = signals.get(_origin(place, aliases))
            if signal is not None:
                found[signal].add(module.name)
    own = {signal for place, signal in signals.items() if place.startswith(OWN_PACKAGES[0])}
    for signal in own - found.keys():
        found[signal].add(OWN_PACKAGES[1])
    return {signal: tuple(sorted(names)) for signal, names in found.items()}


def _origin(place: str, aliases: dict[str, str]) -> str:
    """Follow a dotted name through imports to where it is declared."""
    for _ in range(MOST_IMPORTS):
        if place not in aliases:
            module, _, constant = place.rpartition(".")
            if module not in aliases:
                return place
            place = f"{aliases[module]}.{constant}"
        else:
            place = aliases[place]
    return place


@cache
def _own_modules() -> tuple[_Module, ...]:
    """Return the modules of Watchkeeper that emit; they do not change while it runs."""
    return tuple(module for package in OWN_PACKAGES for module in _modules(package))


def _modules(package: str) -> Iterator[_Module]:
    """Yield every module of a package that parses."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return
    if spec is None:
        return
    roots = spec.submodule_search_locations
    if not roots:
        yield from _parsed(package, Path(spec.origin or ""))
        return
    for root in roots:
        for path in sorted(Path(root).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            names = (package, *(part for part in parts if part != "__init__"))
            yield from _parsed(".".join(names), path)


def _parsed(name: str, path: Path) -> Iterator[_Module]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    imports = dict(_imports(tree))
    yield _Module(
        name,
        declared=tuple(_declared(name, tree)),
        aliases=tuple((f"{name}.{local}", target) for local, target in imports.items()),
        mentioned=frozenset(_mentioned(name, tree, imports)),
    )


@dataclass(frozen=True, slots=True)
class _Module:
    """A module by its dotted name.

    `declared` has the dotted names of constants that hold declarations, with the signals' names;
    `aliases` those under which things from elsewhere are known here, with where they are from;
    `mentioned` those that functions mention.
    """

    name: str
    declared: tuple[tuple[str, str], ...]
    aliases: tuple[tuple[str, str], ...]
    mentioned: frozenset[str]


def _declared(module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=constant)], value=ast.Call() as call)
                | ast.AnnAssign(target=ast.Name(id=constant), value=ast.Call() as call)
            ):
                if _called(call) in DECLARATIONS and (signal := _name_of(call)):
                    yield f"{module}.{constant}", signal


def _mentioned(module: str, tree: ast.Module, imports: dict[str, str]) -> Iterator[str]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Name | ast.Attribute):
                    yield _place(module, node, imports)


def _place(module: str, node: ast.expr, imports: dict[str, str]) -> str:
    """Return the dotted name that an expression stands for, or ''."""
    match node:
        case ast.Name(id=name):
            return imports.get(name, f"{module}.{name}")
        case ast.Attribute(value=inner, attr=name):
            outer = _place(module, inner, imports)
            return f"{outer}.{name}" if outer else ""
    return ""


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield local names and the dotted names that they stand for."""
    for statement in ast.walk(tree):
        match statement:
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for name in names:
                    yield name.asname or name.name, f"{module}.{name.name}"
            case ast.Import(names=names):
                for name in names:
                    if name.asname:
                        yield name.asname, name.name


def _name_of(call: ast.Call) -> str:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "name"]
    for value in (*named, *call.args[:1]):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return ""


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
