"""Spans: the pieces of work a service promises to time."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.errors import ContractError
from watchkeeper.model import SpanKind


@dataclass(frozen=True, slots=True)
class Span:
    """A span by name, kind and the attributes it may carry. `help` says what work it is."""

    name: str
    help: str
    kind: SpanKind = SpanKind.INTERNAL
    attributes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or not self.help:
            raise ContractError(f"span {self.name!r}: needs a name and a help text")
        if len(set(self.attributes)) != len(self.attributes):
            raise ContractError(f"span {self.name}: an attribute is declared twice")
