"""Whether a service's code records what its contract declares."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from watchkeeper.check.declarations import Declarations
from watchkeeper.check.known import KnownMetric
from watchkeeper.check.subject import Emission

_IMPORT = re.compile(r"^[ \t]*from\s+\S+\s+import\s+(?:\([^)]*\)|[^\n]*)", re.MULTILINE)
_QUOTED = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
CONVENTIONS = "watchkeeper.conventions"
"""What is declared there is recorded by the instrumentation."""


def emissions_of(
    reference: str, metrics: tuple[KnownMetric, ...], declarations: Declarations
) -> tuple[Emission, ...]:
    """Return what the package of a contract does with each metric that it declares itself.

    A metric counts as recorded where its name in the code is used in another file than the one
    that declares it. Nothing is said of a contract that stands in no package.
    """
    package = reference.partition(":")[0].partition(".")[0]
    root = getattr(sys.modules.get(package), "__path__", None)
    if root is None or package == CONVENTIONS.partition(".")[0]:
        return ()
    texts = {
        path.resolve(): _without_imports(path.read_text(encoding="utf-8", errors="replace"))
        for directory in root
        for path in Path(directory).rglob("*.py")
    }
    return tuple(_emissions(metrics, declarations, texts))


def _emissions(
    metrics: tuple[KnownMetric, ...], declarations: Declarations, texts: dict[Path, str]
) -> Iterator[Emission]:
    for metric in metrics:
        variable = declarations.variable(metric.name)
        file = Path(metric.declared.source.name).resolve() if metric.declared else None
        if not variable or file not in texts:
            continue
        used = re.compile(rf"\b{re.escape(variable)}\b")
        recorded = any(used.search(text) for path, text in texts.items() if path != file)
        yield Emission(metric=metric, recorded=recorded)


def _without_imports(text: str) -> str:
    return _QUOTED.sub("", _IMPORT.sub("", text))
