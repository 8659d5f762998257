"""The Python files of a project, parsed; nothing of it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOT_THE_PROJECT = frozenset(
    ("venv", "env", "node_modules", "site-packages", "tests", "test", "build", "dist", "migrations")
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file by its path in the project, the dotted name it is imported by, and its tree."""

    path: Path
    module: str
    tree: ast.Module

    def imported(self) -> dict[str, str]:
        """Return the dotted name that each imported local name stands for."""
        found: dict[str, str] = {}
        package = self.module if self.path.name == "__init__.py" else _parent(self.module)
        for node in ast.walk(self.tree):
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
        yield SourceFile(path, ".".join(names), tree)


def _parent(module: str) -> str:
    return module.rpartition(".")[0]
