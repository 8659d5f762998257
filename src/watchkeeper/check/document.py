"""YAML and JSON as a tree that knows where each value stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from watchkeeper.check.source import Place, Source, Text
from watchkeeper.errors import DecodeError

Value: TypeAlias = "bool | int | float | str | list[Node] | dict[str, Node] | None"


class DocumentError(DecodeError):
    """A file is not what its name says; `offset` is where."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value of a document. `raw` is a scalar as text; `key` where its name stands, if it has
    one, as two offsets."""

    value: Value
    source: Source
    start: int
    end: int
    raw: str = ""
    style: str = ""
    key: tuple[int, int] | None = None

    def get(self, *names: str) -> Node | None:
        """Return what a path of keys leads to, or None."""
        found: Node | None = self
        for name in names:
            if found is None or not isinstance(found.value, dict):
                return None
            found = found.value.get(name)
        return found

    def items(self) -> list[tuple[str, Node]]:
        """Return the entries of a mapping; none if it is something else."""
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def elements(self, *names: str) -> list[Node]:
        """Return the elements of the list that a path of keys leads to; none if there is none."""
        found = self.get(*names)
        return found.value if found is not None and isinstance(found.value, list) else []

    def string(self, *names: str) -> str:
        """Return the text that a path of keys leads to; '' if it is none."""
        found = self.get(*names)
        return found.value if found is not None and isinstance(found.value, str) else ""

    def scalar(self, *names: str) -> str:
        """Return a scalar as text, a number too; '' if there is none."""
        found = self.get(*names)
        return "" if found is None else found.raw

    def number(self, *names: str) -> float | None:
        """Return the number that a path of keys leads to, or None."""
        found = self.get(*names)
        if found is None or isinstance(found.value, bool):
            return None
        return float(found.value) if isinstance(found.value, int | float) else None

    @property
    def text(self) -> Text:
        """The scalar with its place."""
        return Text(self.raw, self.source, self.start, self.end, self.style)

    @property
    def name_place(self) -> Place:
        """Where its key stands, or the beginning of the value where it has none."""
        start, end = self.key or (self.start, min(self.end, self.start + 1))
        return self.source.place(start, end)

    def walk(self) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Give the node and all below it with their paths, parents first."""
        waiting: list[tuple[tuple[str, ...], Node]] = [((), self)]
        while waiting:
            path, node = waiting.pop()
            yield path, node
            if isinstance(node.value, dict):
                below = [((*path, name), child) for name, child in node.value.items()]
            elif isinstance(node.value, list):
                below = [((*path, str(number)), one) for number, one in enumerate(node.value)]
            else:
                continue
            waiting.extend(reversed(below))
