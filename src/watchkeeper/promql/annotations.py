"""Warnings and infos: what a result does not say by itself, in Prometheus' words."""

from __future__ import annotations

from watchkeeper.promql.lexer import place
from watchkeeper.promql.syntax import Node


class Annotations:
    """Texts gathered while a query runs, each once, with its place in the query."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._warnings: dict[str, None] = {}
        self._infos: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._warnings) + len(self._infos)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the result doubtful."""
        return tuple(sorted(self._warnings))

    @property
    def infos(self) -> tuple[str, ...]:
        """What the reader may want to know."""
        return tuple(sorted(self._infos))

    def warn(self, text: str, node: Node) -> None:
        """Add a warning."""
        self._warnings[f"PromQL warning: {text}{self._place(node)}"] = None

    def inform(self, text: str, node: Node) -> None:
        """Add an info."""
        self._infos[f"PromQL info: {text}{self._place(node)}"] = None

    def _place(self, node: Node) -> str:
        return f" ({place(self._text, node.start)})" if self._text else ""
