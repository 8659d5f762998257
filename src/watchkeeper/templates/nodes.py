"""A template as a tree. `offset` counts characters from the start of its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Dot:
    """The value that the template stands on."""

    offset: int


@dataclass(frozen=True, slots=True)
class Nil:
    """The word nil."""

    offset: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text or boolean."""

    offset: int
    value: object


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Access:
    """Fields of a value: `.A.B`, `$x.A`, `(pipeline).A`."""

    offset: int
    value: Operand
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`; `$` alone is the data that the template was given."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """An operand, or a function or method with its arguments."""

    offset: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the result of the one before as its last argument.

    `variables` are those that it sets: declared anew, or assigned where `assigns`.
    """

    offset: int
    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    assigns: bool = False


Operand: TypeAlias = Dot | Nil | Literal | Function | Access | Variable | Pipeline


@dataclass(frozen=True, slots=True)
class Text:
    """What is printed as it stands."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """{{ pipeline }}: its value is printed, unless it sets a variable."""

    offset: int
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """{{ if }}, and {{ with }} where `moves_dot`."""

    offset: int
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    moves_dot: bool


@dataclass(frozen=True, slots=True)
class Range:
    """{{ range }}: the body for every element."""

    offset: int
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """{{ template "name" pipeline }}."""

    offset: int
    name: str
    pipeline: Pipeline | None


@dataclass(frozen=True, slots=True)
class LoopExit:
    """{{ break }} or, where `goes_on`, {{ continue }}."""

    offset: int
    goes_on: bool


Node: TypeAlias = Text | Action | If | Range | Call | LoopExit


@dataclass(frozen=True, slots=True)
class Body:
    """What one `define` holds, and the text it came from (for places in messages)."""

    name: str
    source: str
    nodes: tuple[Node, ...]
