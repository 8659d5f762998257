"""The Python files of a project, parsed; nothing of it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

NOT_THE_PROJECT = frozenset(
    ("venv", "env", "node_modules", "site-packages", "tests", "test", "build", "dist", "migrations")
)

_READ = (
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AnnAssign,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Call,
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file by its path in the project and the dotted name it is imported by.

    `nodes` are its imports, assignments, functions and calls; `imported` says which dotted name
    each imported local name stands for.
    """

    path: Path
    module: str
    nodes: tuple[ast.AST, ...]
    imported: dict[str, str]


def source_files(directory: Path) -> Iterator[SourceFile]:
    """Yield the files of a project that parse, tests and installed packages left out."""
    root = directory / "src" if (directory / "src").is_dir() else directory
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if any(part in NOT_THE_PROJECT or part.startswith(".") for part in parts[:-1]):
            continue
        if path.name.startswith("test_") or path.name == "conftest.py":
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        names = [*parts[:-1], path.stem] if path.stem != "__init__" else list(parts[:-1])
        module = ".".join(names)
        package = module if path.name == "__init__.py" else _parent(module)
        nodes = tuple(node for node in ast.walk(tree) if isinstance(node, _READ))
        yield SourceFile(path, module, nodes, _imported(nodes, package))


def _imported(nodes: Iterable[ast.AST], package: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for one in names:
                    found[one.asname or one.name.partition(".")[0]] = (
                        one.name if one.asname else one.name.partition(".")[0]
                    )
            case ast.ImportFrom(module=module, names=names, level=level):
                base = module or ""
                if level:
                    above = package
                    for _ in range(level - 1):
                        above = _parent(above)
                    base = ".".join(part for part in (above, base) if part)
                for one in names:
                    found[one.asname or one.name] = f"{base}.{one.name}"
    return found


def _parent(module: str) -> str:
    return module.rpartition(".")[0]
