"""Where the parts of a contract are declared: found by their names in the code of its module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

from watchkeeper.check.read_python import offsets
from watchkeeper.check.source import Source, Text

_NAMING = ("name", "title", "uid", "receiver", "source", "matchers")
"""The arguments by which the parts of a contract are told apart."""


class Declarations:
    """The calls that declare something, by the name that they give it."""

    def __init__(self, sources: dict[str, Source], fallback: str) -> None:
        self._used: dict[str, Source] = {}
        self._fallback = Source(fallback, "")
        self._calls: dict[str, tuple[Source, ast.Call]] = {}
        self._variables: dict[int, str] = {}
        for source in sources.values():
            for node in ast.walk(ast.parse(source.text)):
                if isinstance(node, ast.Call):
                    for name in _names(node):
                        self._calls.setdefault(name, (source, node))
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self._variables[id(node.value)] = node.targets[0].id

    @property
    def sources(self) -> dict[str, Source]:
        """The files in which something was found so far."""
        return dict(self._used)

    def variable(self, name: str) -> str:
        """Return the variable that the declaration of `name` is bound to, or ''."""
        found = self._calls.get(name)
        return self._variables.get(id(found[1]), "") if found is not None else ""

    def text(
        self, name: str, value: str, keyword: str = "", *, made_by: Iterable[str] = ()
    ) -> Text:
        """Return a value with its place in the call that declares `name`.

        The place is exact where the code holds the value as it is; else it is that of the
        argument `keyword`, or of the call. `made_by` are the names of what may have made the
        thing, such as an objective its rules, where nothing declares it itself.
        """
        found = next((self._calls[one] for one in (name, *made_by) if one in self._calls), None)
        if found is None:
            return Text(value, self._fallback, 0, 0, exact=False)
        source, call = found
        self._used[source.name] = source
        literal = _literal(source, call, value)
        if literal is not None:
            return Text(value, source, *offsets(source, literal), style='"')
        for argument in call.keywords:
            if argument.arg == keyword:
                return Text(value, source, *offsets(source, argument), exact=False)
        start, _ = offsets(source, call)
        return Text(value, source, start, start + 1, exact=False)


def declarations_of(reference: str) -> Declarations:
    """Return the declarations of the contract that `package.module:NAME` names, once imported.

    Looked at are its package, or the module and those beside it, and the conventions.
    """
    module = reference.partition(":")[0]
    is_package = hasattr(sys.modules.get(module), "__path__")
    package = module if is_package else module.rpartition(".")[0] or module
    sources: dict[str, Source] = {}
    for name, loaded in sorted(sys.modules.items()):
        if not (_inside(name, package) or _inside(name, "watchkeeper.conventions")):
            continue
        file = getattr(loaded, "__file__", None)
        if file and file.endswith(".py") and Path(file).is_file():
            path = _shown(Path(file))
            sources[path] = Source(path, Path(file).read_text(encoding="utf-8"))
    own = getattr(sys.modules.get(module), "__file__", None)
    return Declarations(sources, _shown(Path(own)) if own else reference)


def _inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _shown(path: Path) -> str:
    """Return a path as it is seen from the working directory, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _names(call: ast.Call) -> list[str]:
    found = [keyword.value for keyword in call.keywords if keyword.arg in _NAMING]
    values: list[ast.expr] = [*call.args[:1], *found]
    values += [one for value in values if isinstance(value, ast.Tuple) for one in value.elts]
    constants = [one.value for one in values if isinstance(one, ast.Constant)]
    return [value for value in constants if isinstance(value, str) and value]


def _literal(source: Source, call: ast.Call, value: str) -> ast.Constant | None:
    """Return the one literal in a call that is the value, if it is written in one piece."""
    for node in ast.walk(call):
        if isinstance(node, ast.Constant) and node.value == value:
            start, end = offsets(source, node)
            written = source.text[start:end]
            if written[1:-1] == value and written[0] in "\"'":
                return node
    return None
