"""The syntax tree of PromQL: frozen nodes, each with its place in the text.

`start` and `end` are character offsets, end exclusive. They take no part in comparison, so two
trees are equal when they mean the same text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from watchkeeper.model import METRIC_NAME, Matcher, MatchOperator


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What every node has: the stretch of text it was read from."""

    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


class Window(StrEnum):
    """How a selector treats the edges of its range."""

    PLAIN = ""
    ANCHORED = "anchored"
    SMOOTHED = "smoothed"


@dataclass(frozen=True, slots=True)
class DurationLiteral(Node):
    """A length of time in seconds; `unit` is False where a bare number was written."""

    seconds: float
    unit: bool = True


@dataclass(frozen=True, slots=True)
class DurationCall(Node):
    """`step()`, `range()`, `min_of(a, b)` or `max_of(a, b)` inside a duration."""

    name: str
    arguments: tuple[Duration, ...] = ()


@dataclass(frozen=True, slots=True)
class DurationUnary(Node):
    """A sign before a duration."""

    operator: str
    operand: Duration


@dataclass(frozen=True, slots=True)
class DurationBinary(Node):
    """Arithmetic between durations: + - * / % ^."""

    operator: str
    left: Duration
    right: Duration


@dataclass(frozen=True, slots=True)
class DurationParens(Node):
    """A duration in parentheses."""

    inner: Duration


Duration = DurationLiteral | DurationCall | DurationUnary | DurationBinary | DurationParens


@dataclass(frozen=True, slots=True)
class At(Node):
    """An `@` modifier: a moment in seconds since the epoch, or `start` / `end` of the query."""

    seconds: float = 0.0
    bound: str = ""


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number. Durations such as `5m` count as their seconds."""

    value: float


@dataclass(frozen=True, slots=True)
class String(Node):
    """A string, escapes resolved."""

    value: str


@dataclass(frozen=True, slots=True)
class VectorSelector(Node):
    """Series at a moment. `matchers` holds the braces; `name` what stands before or quoted in."""

    name: str = ""
    matchers: tuple[Matcher, ...] = ()
    offset: Duration | None = None
    at: At | None = None
    window: Window = Window.PLAIN

    @property
    def all_matchers(self) -> tuple[Matcher, ...]:
        """Every condition, the one on the metric name first."""
        if not self.name:
            return self.matchers
        return (Matcher(METRIC_NAME, MatchOperator.EQUAL, self.name), *self.matchers)

    @property
    def metric_name(self) -> str:
        """The one metric it asks for, or '' if its name is open."""
        for matcher in self.all_matchers:
            if matcher.name == METRIC_NAME and matcher.operator is MatchOperator.EQUAL:
                return matcher.value
        return ""


@dataclass(frozen=True, slots=True)
class MatrixSelector(Node):
    """Series over a range; offset, `@` and window are the vector's."""

    vector: VectorSelector
    range: Duration


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """An expression over a range, at every `step` (None: the engine's default)."""

    expression: Expression
    range: Duration
    step: Duration | None = None
    offset: Duration | None = None
    at: At | None = None


@dataclass(frozen=True, slots=True)
class Parens(Node):
    """An expression in parentheses."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """A sign before an expression."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Matching:
    """How two vectors find each other.

    `group` is 'left' or 'right' for the side that may have many. `fill_left` and `fill_right`
    stand in for partners that are missing; under `group_right` Prometheus swaps the sides first,
    so that `fill_left` is always the "many" side's.
    """

    on: bool = False
    labels: tuple[str, ...] = ()
    group: str = ""
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operator between two expressions. `returns_bool` is the `bool` modifier."""

    operator: str
    left: Expression
    right: Expression
    matching: Matching = Matching()
    returns_bool: bool = False


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function and its arguments."""

    name: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """An aggregation over the groups that `by` or `without` the labels make."""

    operator: str
    expression: Expression
    parameter: Expression | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False


Expression = (
    Number
    | String
    | VectorSelector
    | MatrixSelector
    | Subquery
    | Parens
    | Unary
    | Binary
    | Call
    | Aggregate
)
